// SPDX-License-Identifier: GPL-2.0
import {statfs} from 'node:fs/promises';
import {UsageError} from './errors.ts';

/**
 * Throws UsageError when the disk that holds `directory` has less than `needBytes` free; `what` names what needs it.
 */
export async function requireSpace(directory: string, needBytes: number, what: string): Promise<void> {
	const freeBytes = await freeBytesOf(directory);
	if (freeBytes >= needBytes) return;
	throw new UsageError(
		`The disk that holds ${directory} has ${formatSize(freeBytes)} free, but ${what} needs ${formatSize(needBytes)}. Free some space, or set PROBE_MATRIX_CACHE to another disk.`,
	);
}

/** What is free on the disk that holds a directory. */
export async function freeBytesOf(directory: string): Promise<number> {
	const {bavail, bsize} = await statfs(directory);
	return bavail * bsize;
}

/** For display: in MiB, from 1 GiB on in GiB. */
export function formatSize(bytes: number): string {
	return bytes < 2 ** 30 ? `${Math.floor(bytes / 2 ** 20)} MiB` : `${(bytes / 2 ** 30).toFixed(1)} GiB`;
}
