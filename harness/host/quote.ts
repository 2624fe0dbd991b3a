// SPDX-License-Identifier: GPL-2.0
/** A word of a shell command. A tilde at its start would be expanded. */
export function quote(word: string): string {
	return /^[\w@%+=:,./^-][\w@%+=:,./~^-]*$/.test(word) ? word : `'${word.replaceAll("'", String.raw`'\''`)}'`;
}
