import test from 'ava';
import {createKeyPair, createRunKeys, toDropbear} from './keys.ts';

test('a broken key is made again', async t => {
	const good = await createKeyPair();
	const made = [
		{private: 'rubbish', public: good.public},
		{private: good.private, public: (await createKeyPair()).public},
		good,
	];
	t.deepEqual(await createKeyPair(() => made.shift()!), good);
	t.is(made.length, 0);
});

test('keys that are always broken are told, not waited for', async t => {
	await t.throwsAsync(
		createKeyPair(() => ({private: '', public: ''})),
		{message: /broken/},
	);
});

test("dropbear's form holds name, seed and public key", async t => {
	const {host} = await createRunKeys();
	const bytes = toDropbear(host);
	t.is(bytes.length, 4 + 11 + 4 + 64);
	const publicBytes = Buffer.from(host.public.split(' ')[1]!, 'base64').subarray(-32);
	t.deepEqual(bytes.subarray(-32), publicBytes);
});
