// SPDX-License-Identifier: GPL-2.0
import {quoted} from '../host/quote.ts';
import {type CompletedCommand, statements, type Values} from './completion-words.ts';

/**
 * Words that a command prints are split at line ends alone. Colons and the like are not separated by this program's names,
 * so that bash's own splitting of words does no harm.
 */
export function bashCompletion(commands: readonly CompletedCommand[]): string {
	const {steps, values, all} = statements(commands, offer, words => offer({kind: 'words', words}));
	return `# bash completion for probe-matrix; made by: probe-matrix completion bash
_probe_matrix() {
	local word at='' cur=\${COMP_WORDS[COMP_CWORD]} prev=\${COMP_WORDS[COMP_CWORD-1]} IFS=$'\\n'
	COMPREPLY=()
	for word in "\${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
		case "$at $word" in
${steps('\t\t')}
		esac
	done
	case "$at $prev" in
${values('\t')}
	esac
	case "$at|$cur" in
${all('\t')}
	esac
}
complete -F _probe_matrix probe-matrix
`;
}

function offer(values: Values): string {
	switch (values.kind) {
		case 'words':
			return `COMPREPLY=($(compgen -W ${quoted(values.words.join('\n'))} -- "$cur"))`;
		case 'printed':
			return `COMPREPLY=($(compgen -W "$(${values.by})" -- "$cur"))`;
		case 'files':
			return 'compopt -o default';
		case 'directories':
			return 'compopt -o dirnames';
	}
}
