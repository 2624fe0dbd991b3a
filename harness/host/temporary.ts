// SPDX-License-Identifier: GPL-2.0
import {accessSync, constants} from 'node:fs';
import path from 'node:path';

/** Takes an unusable TMPDIR out of our own environment, so that /tmp is used. */
export function forgetUnusableTemporary(): void {
	const {TMPDIR: temporary} = process.env;
	if (temporary !== undefined && !isUsableTemporary(temporary)) delete process.env.TMPDIR;
}

/** Whether temporary files can be made in it. */
export function isUsableTemporary(directory: string): boolean {
	try {
		accessSync(directory, constants.W_OK | constants.X_OK);
		return path.isAbsolute(directory);
	} catch {
		return false;
	}
}
