// SPDX-License-Identifier: GPL-2.0
import {execa} from 'execa';

/**
 * Writes a script that can be run at once. A child writes it: whatever this process has open for writing, a child that
 * another test starts has open too until its exec, and to run such a file fails with ETXTBSY.
 */
export async function writeProgram(file: string, text: string): Promise<void> {
	await execa('sh', ['-c', 'cat >"$0" && chmod 755 "$0"', file], {input: text});
}
