/**
 * Text of a guest as a person may read it: characters that steer terminals and browsers, or that nobody sees, are shown
 * as signs. Line ends and tabs stay.
 */
export function visible(text: string): string {
	// Consoles end their lines with both.
	return text.replaceAll(/\r+\n/g, '\n').replaceAll(/[^\P{C}\n\t]|[\u2028\u2029]/gu, sign);
}

/** The same on one line. */
export function visibleLine(text: string): string {
	return visible(text.trim()).replaceAll(/\s*\n\s*/g, ' ');
}

function sign(character: string): string {
	const code = character.codePointAt(0)!;
	if (code < 0x20) return String.fromCodePoint(0x2400 + code);
	return code === 0x7f ? '␡' : `⟨U+${code.toString(16).toUpperCase().padStart(4, '0')}⟩`;
}
