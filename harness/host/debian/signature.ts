// SPDX-License-Identifier: GPL-2.0
import path from 'node:path';
import {UsageError} from '../errors.ts';
import {programs} from '../programs.ts';

const debianKeyring = '/usr/share/keyrings/debian-archive-keyring.gpg';

/** The text of a file that is signed by a key of the keyring; gpgv drops what is outside of the signature. */
export async function signedText(file: string, keyring = debianKeyring): Promise<string> {
	const result = await programs()('gpgv', ['--keyring', keyring, '--status-fd', '2', '--output', '-', file], {
		reject: false,
		stripFinalNewline: false,
		maxBuffer: 1 << 26,
	});
	if (result.code === 'ENOENT') throw new UsageError('gpgv is missing: run `probe-matrix doctor`.');
	// Several keys sign a release; one that is known suffices, one whose signature is wrong does not. gpgv says VALIDSIG
	// of a signature or a key that has expired, too.
	const isGood = /^\[GNUPG:\] GOODSIG /m.test(result.stderr) && !/^\[GNUPG:\] BADSIG /m.test(result.stderr);
	if (!isGood || !result.stdout) {
		throw new UsageError(`${path.basename(file)} is not signed by a key of ${keyring}; it was rejected.`, {
			cause: result.stderr,
		});
	}
	return result.stdout;
}
