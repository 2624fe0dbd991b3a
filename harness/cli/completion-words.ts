// SPDX-License-Identifier: GPL-2.0
import {quoted} from '../host/quote.ts';

/** What may stand in a place of the command line: one of these words, a path, or words that a command prints. */
export type Values =
	| {readonly kind: 'words'; readonly words: readonly string[]}
	| {readonly kind: 'files' | 'directories'}
	| {readonly kind: 'printed'; readonly by: string};

export type CompletedOption = {
	/** With its dashes. */
	readonly names: readonly string[];
	readonly description: string;
	readonly value: 'none' | 'optional' | 'required';
	/** If something is known about its value. */
	readonly values?: Values;
};

/** A command as completions see it. Its path is empty for the program itself, else words with one space between. */
export type CompletedCommand = {
	readonly path: string;
	readonly commands: readonly {readonly name: string; readonly description: string}[];
	readonly options: readonly CompletedOption[];
	readonly values?: Values;
};

type Print = (indent: string) => string;

/**
 * Branches of `case`, which bash and zsh have alike. `steps`: by the command so far and a word, the command with that word.
 * `values`: by the command and the word before, what that option's value may be. `all`: by the command and the word that
 * is begun, options if it begins with a dash, else commands or the values of the command itself.
 */
export function statements(
	commands: readonly CompletedCommand[],
	offer: (values: Values) => string,
	offerDescribed: (words: readonly string[], descriptions: readonly string[]) => string,
): {readonly steps: Print; readonly values: Print; readonly all: Print} {
	const lines = (rows: readonly (readonly [readonly string[], string])[]) => (indent: string) =>
		rows.map(([patterns, work]) => `${indent}${patterns.join('|')}) ${work} ;;`).join('\n');
	const steps = commands.flatMap(({path, commands: below}) =>
		below.map(({name}) => [[quoted(`${path} ${name}`)], `at=${quoted(`${path} ${name}`.trim())}`] as const),
	);
	const values = commands.flatMap(({path, options}) =>
		options
			.filter(({value}) => value !== 'none')
			.map(option => {
				const patterns = option.names.map(name => quoted(`${path} ${name}`));
				// A value is needed, even if nothing is known about it.
				const work = option.values ? `${offer(option.values)}; return` : 'return';
				return [patterns, option.value === 'optional' ? `[[ $cur == -* ]] || { ${work}; }` : work] as const;
			}),
	);
	const all = commands.flatMap(({path, commands: below, options, values: own}) => {
		const flags = options.flatMap(({names, description}) => names.map(name => ({name, description})));
		const rest = own
			? offer(own)
			: offerDescribed(
					below.map(({name}) => name),
					below.map(({description}) => description),
				);
		return [
			[
				[`${quoted(`${path}|-`)}*`],
				offerDescribed(
					flags.map(({name}) => name),
					flags.map(({description}) => description),
				),
			] as const,
			...(own || below.length > 0 ? [[[`${quoted(`${path}|`)}*`], rest] as const] : []),
		];
	});
	return {steps: lines(steps), values: lines(values), all: lines(all)};
}
