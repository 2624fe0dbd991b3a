let status: string | undefined;

/** Tells people something, on stderr: the result has stdout for itself. */
export function say(text: string): void {
	writeAbove(`probe-matrix: ${text}\n`);
}

/** Keeps one line at the end of a terminal, below all that is written by `say` and `writeAbove`; none without a text. */
export function showStatus(text: string | undefined): void {
	const clear = status === undefined ? '' : clearLine;
	status = text;
	process.stderr.write(`${clear}${text ?? ''}`);
}

/** Writes whole lines to stderr. */
export function writeAbove(lines: string): void {
	process.stderr.write(status === undefined ? lines : `${clearLine}${lines}${status}`);
}

/** Back to the begin of the line, and whatever stands there goes. */
const clearLine = '\r\u001b[2K';
