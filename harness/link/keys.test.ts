// SPDX-License-Identifier: GPL-2.0
import test from 'ava';
import ssh2, {type ParsedKey} from 'ssh2';
import {createKeyPair, toDropbear} from './keys.ts';

test('ssh2 parses each key, and signatures of the private key verify with the public one', t => {
	for (let round = 0; round < 600; round++) {
		const pair = createKeyPair();
		// parseKey returns errors; the calls below would then throw.
		const [own, other] = [pair.private, pair.public].map(text => ssh2.utils.parseKey(text) as ParsedKey);
		t.true(other!.verify('probe', own!.sign('probe')) === true);
		t.true(own!.getPublicSSH().equals(other!.getPublicSSH()));
	}
});

test('keys are unique', t => {
	t.not(createKeyPair().private, createKeyPair().private);
});

test("dropbear's format holds name, seed and public key", t => {
	const host = createKeyPair();
	const bytes = toDropbear(host);
	t.is(bytes.length, 4 + 11 + 4 + 64);
	const publicBytes = Buffer.from(host.public.split(' ')[1]!, 'base64').subarray(-32);
	t.deepEqual(bytes.subarray(-32), publicBytes);
});
