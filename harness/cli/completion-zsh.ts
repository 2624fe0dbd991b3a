// SPDX-License-Identifier: GPL-2.0
import {quoted} from '../host/quote.ts';
import {type CompletedCommand, statements, type Values} from './completion-words.ts';

export function zshCompletion(commands: readonly CompletedCommand[]): string {
	const {steps, values, all} = statements(commands, offer, offerDescribed);
	return `#compdef probe-matrix
# zsh completion for probe-matrix; made by: probe-matrix completion zsh
_probe_matrix() {
	local word at='' cur=\${words[CURRENT]} prev=\${words[CURRENT-1]}
	for word in \${words[2,CURRENT-1]}; do
		case "$at $word" in
${steps('\t\t')}
		esac
	done
	case "$at $prev" in
${values('\t')}
	esac
	local -a offered
	case "$at|$cur" in
${all('\t')}
	esac
}
compdef _probe_matrix probe-matrix
`;
}

function offer(values: Values): string {
	switch (values.kind) {
		case 'words':
			return `compadd -- ${values.words.map(quoted).join(' ')}`;
		case 'printed':
			return `compadd -- \${(f)"$(${values.by})"}`;
		case 'files':
			return '_files';
		case 'directories':
			return '_files -/';
	}
}

/** A colon separates a word from its description. */
function offerDescribed(words: readonly string[], descriptions: readonly string[]): string {
	const rows = words.map((word, index) => quoted(`${word.replaceAll(':', String.raw`\:`)}:${descriptions[index]}`));
	return `offered=(${rows.join(' ')}); _describe ${words[0]?.startsWith('-') ? '-o option' : 'command'} offered`;
}
