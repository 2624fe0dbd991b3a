// SPDX-License-Identifier: GPL-2.0
import {createHash} from 'node:crypto';
import {readFile} from 'node:fs/promises';
import path from 'node:path';
import {programs} from '../host/programs.ts';
import {kconfigDirectory} from './catalogue.ts';
import type {Fragment} from './fragment.ts';
import {mergeOptions, type Options, parseOptions} from './kconfig.ts';
import {type Quirk, quirksOf} from './quirks.ts';

/** How a release is built in a flavour. With the same sources and tools, the same `identity` gives the same result. */
export type Recipe = {
	readonly options: Options;
	readonly quirks: readonly Quirk[];
	/** Arguments of make, for the kernel and its modules. */
	readonly make: readonly string[];
	/** Part of the options: those that must be taken. */
	readonly fragment?: Fragment;
	readonly identity: string;
};

// Raise this when the handling of sources changes.
const edition = '1';

/**
 * Builds the recipe from images/kconfig, the fragment of a suite and images/quirks.json. Throws UsageError for an
 * invalid line in them.
 */
export async function recipeOf(version: string, flavour: string, fragment?: Fragment): Promise<Recipe> {
	const names = flavour === 'base' ? ['base'] : ['base', flavour];
	const fragments = await Promise.all(
		names.map(async name =>
			parseOptions(
				await readFile(path.join(kconfigDirectory, `${name}.config`), 'utf8'),
				`images/kconfig/${name}.config`,
			),
		),
	);
	const quirks = quirksOf(version, flavour);
	const own = quirks.map(({config = [], reason}) => parseOptions(config.join('\n'), `The quirk «${reason}»`));
	const options = mergeOptions(...fragments, ...(fragment ? [fragment.options] : []), ...own);
	const flags = quirks.flatMap(({cflags = []}) => cflags);
	const make = [
		...quirks.flatMap(quirk => quirk.make ?? []),
		...(flags.length > 0 ? [`KCFLAGS=${flags.join(' ')}`] : []),
	];
	const identity = createHash('sha256')
		.update(JSON.stringify([edition, [...options], quirks]))
		.digest('hex');
	return {options, quirks, make, identity, ...(fragment && {fragment})};
}

/** The versions of compiler and linker. */
export async function toolsIdentity(): Promise<string> {
	const versions = await Promise.all(
		['gcc', 'ld'].map(
			async tool => (await programs()(tool, ['--version'], {reject: false})).stdout?.split('\n')[0] ?? tool,
		),
	);
	return versions.join('\n');
}
