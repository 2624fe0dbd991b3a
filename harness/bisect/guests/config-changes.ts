// SPDX-License-Identifier: GPL-2.0
import {readFile} from 'node:fs/promises';
import {errorCode, UsageError} from '../../host/errors.ts';
import {mergeOptions, type Options, parseOptions} from '../../kernels/kconfig.ts';

/** An option in which two configurations differ, with both values. In a search for a fix, `bad` is the good value. */
export type Change = {readonly name: string; readonly bad: string; readonly good: string};

/** Options of a .config by name. Throws UsageError when it cannot be read or a line is not an option. */
export async function readConfig(file: string): Promise<Options> {
	try {
		return parseOptions(await readFile(file, 'utf8'), file);
	} catch (error) {
		const code = errorCode(error);
		if (code === undefined) throw error;
		throw new UsageError(`The configuration ${file} cannot be read: ${code}.`, {cause: error});
	}
}

const ofTools = /^CONFIG_(?:CC_VERSION|GCC_VERSION|AS_VERSION|LD_VERSION|CC_HAS|AS_HAS|TOOLS_SUPPORT)/;

/** Differences, sorted by name; a missing option counts as `n`. Options that describe the toolchain are left out. */
export function changesBetween(good: Options, bad: Options): readonly Change[] {
	const names = [...new Set([...good.keys(), ...bad.keys()])].toSorted();
	return names
		.filter(name => !ofTools.test(name))
		.map(name => ({name, bad: bad.get(name) ?? 'n', good: good.get(name) ?? 'n'}))
		.filter(change => change.bad !== change.good);
}

/** The good configuration with these options set as in the bad one. */
export function withChanges(good: Options, changes: readonly Change[]): Options {
	return mergeOptions(good, new Map(changes.map(({name, bad}) => [name, bad])));
}

/** For display: the first five and the number of the others. */
export function titleOfChanges(changes: readonly Change[], base = 'good'): string {
	const words = changes.slice(0, 5).map(({name, bad}) => `${name}=${bad}`);
	const more = changes.length - words.length;
	return `${words.join(', ') || `the ${base} configuration`}${more > 0 ? ` and ${more} more` : ''}`;
}

/** Options that are called otherwise in other kernels, from one name to the other. */
export type ConfigMap = ReadonlyMap<string, string>;

/** The options under the names that a kernel knows. */
export function underKnownNames(options: Options, map: ConfigMap, isKnown: (name: string) => boolean): Options {
	const names = new Map([...map].flatMap(([old, now]) => [[old, now] as const, [now, old] as const]));
	return new Map(
		[...options].map(([name, value]) => {
			const other = names.get(name);
			const isRenamed = other !== undefined && !isKnown(name) && isKnown(other) && !options.has(other);
			return [isRenamed ? other : name, value];
		}),
	);
}

/** Options that a change of Kconfig files renames: each new name with the old one, from a diff without context. */
export function renamesIn(diff: string): ConfigMap {
	const renames = new Map<string, string>();
	for (const hunk of diff.split(/^@@ /m).slice(1)) {
		const gone = [...hunk.matchAll(/^-\s*(?:menu)?config (\w+)/gm)].map(([, name]) => name!);
		const come = [...hunk.matchAll(/^\+\s*(?:menu)?config (\w+)/gm)].map(([, name]) => name!);
		const [old, now] = [gone.filter(name => !come.includes(name)), come.filter(name => !gone.includes(name))];
		if (old.length === now.length)
			for (const [index, name] of old.entries()) renames.set(`CONFIG_${name}`, `CONFIG_${now[index]!}`);
	}
	return renames;
}

/** Without options that describe the toolchain. */
export function withoutTools(lost: readonly string[]): readonly string[] {
	return lost.filter(option => !ofTools.test(option));
}

/**
 * A sentence about options (each as `CONFIG_A=y (it is n)`) that a kernel does not take; undefined when all describe the
 * toolchain.
 */
export function wordsOfLost(lost: readonly string[]): string | undefined {
	const own = withoutTools(lost);
	if (own.length === 0) return undefined;
	const more = own.length > 5 ? ` and ${own.length - 5} more` : '';
	return `the kernel does not take ${own.slice(0, 5).join(', ')}${more}.`;
}
