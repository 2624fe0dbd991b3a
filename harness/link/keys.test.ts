import test from 'ava';
import ssh2, {type ParsedKey} from 'ssh2';
import {createKeyPair, toDropbear} from './keys.ts';

test('ssh2 reads each key, and what the private one signs the public one verifies', t => {
	for (let round = 0; round < 600; round++) {
		const pair = createKeyPair();
		// An error is none; what follows throws then.
		const [own, other] = [pair.private, pair.public].map(text => ssh2.utils.parseKey(text) as ParsedKey);
		t.true(other!.verify('probe', own!.sign('probe')) === true);
		t.true(own!.getPublicSSH().equals(other!.getPublicSSH()));
	}
});

test('no two keys are the same', t => {
	t.not(createKeyPair().private, createKeyPair().private);
});

test("dropbear's form holds name, seed and public key", t => {
	const host = createKeyPair();
	const bytes = toDropbear(host);
	t.is(bytes.length, 4 + 11 + 4 + 64);
	const publicBytes = Buffer.from(host.public.split(' ')[1]!, 'base64').subarray(-32);
	t.deepEqual(bytes.subarray(-32), publicBytes);
});
