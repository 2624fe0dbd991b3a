// SPDX-License-Identifier: GPL-2.0
let status: string | undefined;

/** Prints a message for people on stderr; stdout is reserved for results. */
export function say(text: string): void {
	writeAbove(`probe-matrix: ${text}\n`);
}

/**
 * Keeps a status line at the bottom of the terminal, below what `say` and `writeAbove` print. `undefined` removes it.
 */
export function showStatus(text: string | undefined): void {
	const clear = status === undefined ? '' : clearLine;
	status = text;
	process.stderr.write(`${clear}${text ?? ''}`);
}

/** Writes whole lines to stderr, above the status line. */
export function writeAbove(lines: string): void {
	process.stderr.write(status === undefined ? lines : `${clearLine}${lines}${status}`);
}

/** Carriage return and erase line. */
const clearLine = '\r\u001b[2K';
