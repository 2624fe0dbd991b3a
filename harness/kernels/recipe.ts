import {createHash} from 'node:crypto';
import {readFile} from 'node:fs/promises';
import path from 'node:path';
import {execa} from 'execa';
import {kconfigDirectory} from './catalogue.ts';
import {mergeOptions, type Options, parseOptions} from './kconfig.ts';
import {type Quirk, quirksOf} from './quirks.ts';

/** How a release is built in a flavour; the same text means the same outcome from the same sources and tools. */
export type Recipe = {
	readonly options: Options;
	readonly quirks: readonly Quirk[];
	/** Arguments of make, for the kernel and for its modules. */
	readonly make: readonly string[];
	readonly identity: string;
};

// To be raised when what is done with sources changes.
const edition = '1';

/** From images/kconfig and images/quirks.json. Throws UsageError where one of them has a line that is no option. */
export async function recipeOf(version: string, flavour: string): Promise<Recipe> {
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
	const options = mergeOptions(...fragments, ...own);
	const flags = quirks.flatMap(({cflags = []}) => cflags);
	const make = [
		...quirks.flatMap(quirk => quirk.make ?? []),
		...(flags.length > 0 ? [`KCFLAGS=${flags.join(' ')}`] : []),
	];
	const identity = createHash('sha256')
		.update(JSON.stringify([edition, [...options], quirks]))
		.digest('hex');
	return {options, quirks, make, identity};
}

/** The versions of what compiles and links. */
export async function toolsIdentity(): Promise<string> {
	const versions = await Promise.all(
		['gcc', 'ld'].map(async tool => (await execa(tool, ['--version'], {reject: false})).stdout?.split('\n')[0] ?? tool),
	);
	return versions.join('\n');
}
