// SPDX-License-Identifier: GPL-2.0
/** A word of a shell command, between quotation marks. */
export function quoted(word: string): string {
	return `'${word.replaceAll("'", String.raw`'\''`)}'`;
}

/** The same, quoted only if it needs it. A tilde at its start would be expanded. */
export function quote(word: string): string {
	return /^[\w@%+=:,./^-][\w@%+=:,./~^-]*$/.test(word) ? word : quoted(word);
}
