// SPDX-License-Identifier: GPL-2.0
import {randomUUID} from 'node:crypto';
import {open, rename, rm} from 'node:fs/promises';
import path from 'node:path';

/**
 * Writes a file so that readers see the old or the new content, never a part. Safe with concurrent writers. If it
 * `isDurable`, that holds after a loss of power, too.
 */
export async function writeAtomically(
	file: string,
	data: string | Buffer,
	{isDurable = false}: {isDurable?: boolean} = {},
): Promise<void> {
	const temporary = `${file}.${randomUUID()}.tmp`;
	try {
		await using handle = await open(temporary, 'w');
		await handle.writeFile(data);
		// Otherwise the name can reach the disk before the content.
		if (isDurable) await handle.sync();
		await rename(temporary, file);
	} catch (error) {
		await rm(temporary, {force: true});
		throw error;
	}
	if (!isDurable) return;
	await using directory = await open(path.dirname(file), 'r');
	await directory.sync();
}
