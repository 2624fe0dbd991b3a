/** One line of talk: stdout is for results. */
export function say(line: string): void {
	process.stderr.write(`probe-matrix: ${line}\n`);
}
