// SPDX-License-Identifier: GPL-2.0
/**
 * Shows control and invisible characters of guest text as symbols, so that it cannot affect terminals or browsers.
 * Newlines and tabs stay.
 */
export function visible(text: string): string {
	// Consoles end their lines with carriage return and newline.
	return text.replaceAll(/\r+\n/g, '\n').replaceAll(/[^\P{C}\n\t]|[\u2028\u2029]/gu, sign);
}

/** Like visible, on a single line. */
export function visibleLine(text: string): string {
	return visible(text.trim()).replaceAll(/\s*\n\s*/g, ' ');
}

function sign(character: string): string {
	const code = character.codePointAt(0)!;
	if (code < 0x20) return String.fromCodePoint(0x2400 + code);
	return code === 0x7f ? '␡' : `⟨U+${code.toString(16).toUpperCase().padStart(4, '0')}⟩`;
}
