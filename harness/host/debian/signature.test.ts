// SPDX-License-Identifier: GPL-2.0
import path from 'node:path';
import test from 'ava';
import {UsageError} from '../errors.ts';
import {signedText} from './signature.ts';

/**
 * Release files of an archive with nothing in it. keyring.gpg has two keys, and one that expired in 2020; the files were
 * signed with gpg --clearsign, and signatures that belong to other texts or keys were added to some.
 */
const samples = path.join(import.meta.dirname, 'samples');
const read = (name: string) => signedText(path.join(samples, `${name}.InRelease`), path.join(samples, 'keyring.gpg'));

const text = `Origin: Test
Suite: tiny
SHA256:
 e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855 0 main/binary-amd64/Packages.xz
`;

for (const [name, what] of [
	['good', 'a good signature'],
	['unknown-beside-good', 'a good signature, and one by an unknown key'],
	['expired-beside-good', 'a good signature, and one by a key that has expired'],
	['surrounded', 'a good signature, and other lines before and after what is signed'],
] as const) {
	test(`a release file with ${what} is read: what was signed, and nothing else`, async t => {
		t.is(await read(name), text);
	});
}

for (const [name, what] of [
	['changed', 'was changed after it was signed'],
	['bad-beside-good', 'has a wrong signature beside a good one'],
	['unknown-key', 'is signed by an unknown key'],
	['expired-key', 'is signed by a key that has expired'],
	['expired-signature', 'has a signature that has expired'],
	['unsigned', 'is not signed'],
] as const) {
	test(`a release file that ${what} is rejected`, async t => {
		const words = `${name}.InRelease is not signed by a key of ${path.join(samples, 'keyring.gpg')}; it was rejected.`;
		await t.throwsAsync(read(name), {instanceOf: UsageError, message: words});
	});
}
