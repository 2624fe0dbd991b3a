// SPDX-License-Identifier: GPL-2.0
import {UsageError} from '../host/errors.ts';

/** Options with their values as in a .config: `y`, `"text"`, `18`; `n` for unset ones. */
export type Options = ReadonlyMap<string, string>;

/**
 * Parses a .config. Throws UsageError for a line that is neither an option nor a comment; `name` is for the message.
 */
export function parseOptions(text: string, name: string): Options {
	const options = new Map<string, string>();
	for (const [index, line] of text.split('\n').entries()) {
		const set = /^(CONFIG_\w+)=(\S.*)$/.exec(line);
		const unset = /^# (CONFIG_\w+) is not set$/.exec(line);
		if (set) options.set(set[1]!, set[2]!);
		else if (unset) options.set(unset[1]!, 'n');
		else if (line.trim() !== '' && !line.startsWith('#')) {
			throw new UsageError(`${name}, line ${index + 1}: ${JSON.stringify(line)} is not an option.`);
		}
	}
	return options;
}

/** Merges options; later parts win. */
export function mergeOptions(...parts: readonly Options[]): Options {
	return new Map(parts.flatMap(part => [...part]));
}

/** Lines of a .config, as parseOptions reads them. */
export function formatOptions(options: Options): string {
	return [...options]
		.map(([name, value]) => (value === 'n' ? `# ${name} is not set\n` : `${name}=${value}\n`))
		.join('');
}

/**
 * Options that differ from what was wanted, as `CONFIG_A=y (it is n)`. Options that the kernel does not know are not
 * counted.
 */
export function lostOptions(wanted: Options, got: Options, isKnown: (name: string) => boolean): readonly string[] {
	return [...wanted].flatMap(([name, value]) => {
		const found = got.get(name) ?? 'n';
		if (found === value || (value !== 'n' && !isKnown(name))) return [];
		return [`${name}=${value} (it is ${found})`];
	});
}
