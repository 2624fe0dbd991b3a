// SPDX-License-Identifier: GPL-2.0
import {existsSync, readFileSync} from 'node:fs';
import path from 'node:path';
import {pushedFiles} from '../build/pushed-files.ts';
import type {GuestFile} from '../guest/guest.ts';
import {messageOf, UsageError} from '../host/errors.ts';

/**
 * Reads what `--copy FILE[:PATH]` names: a file, or a directory with all files below it. PATH is where it is in the
 * guest, below /root unless it is absolute; by default its own name. Throws UsageError.
 */
export function readCopies(copies: readonly string[]): readonly GuestFile[] {
	return copies.flatMap(copy => {
		const {file, target} = split(copy);
		try {
			return pushedFiles(file, target).map(({source, ...each}) => ({...each, data: readFileSync(source)}));
		} catch (error) {
			throw new UsageError(`${file} cannot be copied into the guest: ${messageOf(error)}`, {cause: error});
		}
	});
}

function split(copy: string): {file: string; target: string} {
	const at = copy.lastIndexOf(':');
	// A colon may be part of the name.
	if (at < 0 || existsSync(copy)) return {file: copy, target: path.basename(path.resolve(copy))};
	return {file: copy.slice(0, at), target: copy.slice(at + 1)};
}
