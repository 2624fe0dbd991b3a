// SPDX-License-Identifier: GPL-2.0
import {createHash} from 'node:crypto';
import {existsSync} from 'node:fs';
import {rename, rm} from 'node:fs/promises';
import path from 'node:path';
import {cacheDirectory, immutableDirectory} from '../host/cache.ts';
import {cacheRoot} from '../host/cache-root.js';
import {UsageError} from '../host/errors.ts';
import {say} from '../host/say.ts';
import {kbuild} from './kbuild.ts';
import type {Kernel, ObtainOptions} from './kernel.ts';
import {describeBuilt, KernelBuild} from './kernel-build.ts';
import {fileNameOf, type KernelId} from './kernel-id.ts';
import {proveModuleTree} from './module-tree.ts';
import {type Recipe, recipeOf, toolsIdentity} from './recipe.ts';
import {applyReplacements, inspectTree} from './source-tree.ts';

export type Source = {
	readonly version: string;
	/** For display. */
	readonly origin: string;
	/** Stands for the content of the sources. */
	readonly identity: string;
	/** Puts the sources into a writable directory. */
	readonly provide: (directory: string) => Promise<void>;
};

/** Builds a kernel, once per recipe and toolchain. Throws BuildError with the compiler's output. */
export async function buildKernel(
	id: KernelId,
	source: Source,
	{signal, prove, fragment}: Pick<ObtainOptions, 'signal' | 'prove' | 'fragment'> = {},
): Promise<Kernel> {
	// The kernel's makefiles do not support spaces and colons in paths.
	if (/[\s:]/.test(cacheRoot())) {
		throw new UsageError(
			`Linux cannot be built in ${cacheRoot()}, as its path has a space or colon; set PROBE_MATRIX_CACHE.`,
		);
	}
	const [recipe, tools] = await Promise.all([recipeOf(source.version, id.flavour, fragment), toolsIdentity()]);
	const identity = createHash('sha256').update([source.identity, recipe.identity, tools].join('\n')).digest('hex');
	const final = path.join(cacheDirectory('built'), `${fileNameOf(id)}-${identity.slice(0, 12)}`);
	await immutableDirectory(
		final,
		async temporary => {
			// Outside of `temporary`, so that objects survive an interruption.
			const work = cacheDirectory('work', path.basename(final));
			const name = `Linux ${source.version}${id.flavour === 'base' ? '' : ` (${id.flavour})`}`;
			const tree = path.join(work, 'source');
			const output = path.join(work, 'build');
			const build = new KernelBuild({name, work, source: tree, output, recipe, signal});
			await unpack(source, {name, work, to: tree, recipe, signal});
			// A resumed build is configured already.
			if (!existsSync(path.join(output, '.config'))) await build.configure({isStrict: true});
			await build.compile();
			await build.deliver(temporary);
			await proveModules(path.join(temporary, 'tree'), {work, scratch: temporary, recipe, signal});
			await prove?.(await describeBuilt(id, temporary, source.origin, recipe));
			await rm(work, {recursive: true, force: true});
		},
		{signal},
	);
	return describeBuilt(id, final, source.origin, recipe);
}

type Unpacking = {
	readonly name: string;
	readonly work: string;
	readonly to: string;
	readonly recipe: Recipe;
	readonly signal: AbortSignal | undefined;
};

async function unpack({provide}: Source, {name, work, to, recipe, signal}: Unpacking): Promise<void> {
	if (existsSync(to)) {
		say(`${name}: resuming an interrupted build.`);
		return;
	}
	const unfinished = `${to}.tmp`;
	await rm(unfinished, {recursive: true, force: true});
	await provide(unfinished);
	await applyReplacements(unfinished, recipe.quirks);
	if ((await inspectTree(unfinished)).state !== 'clean') {
		const log = path.join(work, 'build.log');
		await kbuild({name, source: unfinished, output: unfinished, args: ['mrproper'], log, signal});
	}
	await rename(unfinished, to);
}

/** Checks that the module tree is complete: the sources in `work` are moved away while a module is built. */
async function proveModules(
	tree: string,
	{work, scratch, recipe, signal}: Pick<Unpacking, 'work' | 'recipe' | 'signal'> & {scratch: string},
): Promise<void> {
	const hidden = `${work}.away`;
	await rm(hidden, {recursive: true, force: true});
	await rename(work, hidden);
	try {
		await proveModuleTree(tree, {scratch, args: recipe.make, signal});
	} finally {
		await rename(hidden, work);
	}
}
