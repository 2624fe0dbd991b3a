// SPDX-License-Identifier: GPL-2.0
import type {Command, Option} from 'commander';
import {Argument} from 'commander';
import {bashCompletion} from './completion-bash.ts';
import {fishCompletion} from './completion-fish.ts';
import type {CompletedCommand, CompletedOption, Values} from './completion-words.ts';
import {zshCompletion} from './completion-zsh.ts';

const shells = {bash: bashCompletion, zsh: zshCompletion, fish: fishCompletion};

export function addCompletion(command: Command): void {
	command
		.addArgument(new Argument('<shell>', 'shell to complete in').choices(Object.keys(shells)))
		.addHelpText(
			'after',
			`
Put one of these into the shell's start-up file:
  bash   source <(probe-matrix completion bash)
  zsh    source <(probe-matrix completion zsh)     after compinit
  fish   probe-matrix completion fish | source`,
		)
		.action((shell: keyof typeof shells) => {
			process.stdout.write(shells[shell](describe(command.parent!)));
		});
}

/** The program and all commands below it. */
function describe(command: Command, parents: readonly string[] = []): readonly CompletedCommand[] {
	const help = command.createHelp();
	const commands = help.visibleCommands(command).filter(each => each.name() !== 'help');
	const argument = command.registeredArguments[0];
	const values = argument && valuesOf(argument.name(), argument.argChoices);
	return [
		{
			path: parents.join(' '),
			commands: commands.map(each => ({name: each.name(), description: each.description()})),
			options: help.visibleOptions(command).map(describeOption),
			...(values && {values}),
		},
		...commands.flatMap(each => describe(each, [...parents, each.name()])),
	];
}

function describeOption({short, long, flags, description, argChoices, required, optional}: Option): CompletedOption {
	const values = valuesOf(/[<[](\w+)/.exec(flags)?.[1], argChoices);
	return {
		names: [long, short].filter(name => name != null),
		description,
		value: required ? 'required' : optional ? 'optional' : 'none',
		...(values && {values}),
	};
}

const firstWords = (command: string) => `probe-matrix ${command} 2>/dev/null | cut -d" " -f1`;

/** By the name that --help gives the value. */
const byName: Readonly<Record<string, Values>> = {
	file: {kind: 'files'},
	run: {kind: 'files'},
	before: {kind: 'files'},
	after: {kind: 'files'},
	dir: {kind: 'directories'},
	tree: {kind: 'directories'},
	id: {kind: 'printed', by: firstWords('kernels list')},
	name: {kind: 'printed', by: firstWords('kernels list')},
	glob: {kind: 'printed', by: firstWords('cases')},
};

function valuesOf(name: string | undefined, choices: readonly string[] | undefined): Values | undefined {
	if (choices) return {kind: 'words', words: choices};
	return name === undefined ? undefined : byName[name];
}
