// SPDX-License-Identifier: GPL-2.0
import type {CompletedCommand, Values} from './completion-words.ts';

export function fishCompletion(commands: readonly CompletedCommand[]): string {
	const steps = commands.flatMap(({path, commands: below}) =>
		below.map(({name}) => `			case ${word(`${path} ${name}`)}; set at ${word(`${path} ${name}`.trim())}`),
	);
	return `# fish completion for probe-matrix; made by: probe-matrix completion fish
function __probe_matrix_at
	set -l at ''
	for each in (commandline -opc)[2..-1]
		switch "$at $each"
${steps.join('\n')}
		end
	end
	test "$at" = "$argv"
end
complete -c probe-matrix -f
${commands.flatMap(linesOf).join('\n')}
`;
}

function linesOf({path, commands, options, values}: CompletedCommand): readonly string[] {
	const start = `complete -c probe-matrix -n ${word(`__probe_matrix_at ${path}`.trim())}`;
	return [
		...commands.map(({name, description}) => `${start} -a ${name} -d ${word(description)}`),
		...(values ? [`${start} ${offer(values)}`] : []),
		...options.map(({names, description, value: kind, values: of}) => {
			const flags = names.map(name => (name.startsWith('--') ? `-l ${name.slice(2)}` : `-s ${name.slice(1)}`));
			// Where a value may be left out, fish knows only --option=value.
			const value = kind === 'none' ? '' : `${kind === 'required' ? ' -r' : ''} ${of ? offer(of) : '-f'}`;
			return `${start} ${flags.join(' ')}${value} -d ${word(description)}`;
		}),
	];
}

function offer(values: Values): string {
	switch (values.kind) {
		case 'words':
			return `-f -a ${word(values.words.join(' '))}`;
		case 'printed':
			return `-f -a ${word(`(${values.by})`)}`;
		case 'files':
			return '-F';
		case 'directories':
			return `-f -a ${word('(__fish_complete_directories)')}`;
	}
}

/** In fish, a backslash is special between single quotes, too. */
function word(text: string): string {
	return `'${text.replaceAll(/[\\']/g, String.raw`\$&`)}'`;
}
