// SPDX-License-Identifier: GPL-2.0
/** What `work` writes to standard error. It belongs to the process, so tests that use this must be serial. */
export async function captureStderr(work: () => unknown): Promise<string> {
	const {write} = process.stderr;
	let text = '';
	process.stderr.write = (chunk: string | Uint8Array) => {
		text += String(chunk);
		return true;
	};
	try {
		await work();
	} finally {
		process.stderr.write = write;
	}
	return text;
}

/** What `work` gives, and what it writes to standard error; as `captureStderr`. */
export async function quietly<T>(work: () => Promise<T>): Promise<{value: T; said: string}> {
	let value: Promise<T> | undefined;
	const said = await captureStderr(async () => (value = work()));
	return {value: await value!, said};
}
