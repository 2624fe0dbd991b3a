// SPDX-License-Identifier: GPL-2.0
import {randomUUID} from 'node:crypto';
import {rename, rm, writeFile} from 'node:fs/promises';

/** Writes a file so that readers see the old or the new content, never a part. Safe with concurrent writers. */
export async function writeAtomically(file: string, data: string | Buffer): Promise<void> {
	const temporary = `${file}.${randomUUID()}.tmp`;
	try {
		await writeFile(temporary, data);
		await rename(temporary, file);
	} catch (error) {
		await rm(temporary, {force: true});
		throw error;
	}
}
