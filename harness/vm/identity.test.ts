// SPDX-License-Identifier: GPL-2.0
import {Duplex, PassThrough} from 'node:stream';
import {text} from 'node:stream/consumers';
import test from 'ava';
import {LinkLostError} from '../host/errors.ts';
import {createRunKeys, toDropbear} from '../link/keys.ts';
import {IdentityPort} from './identity.ts';

function world() {
	const fromGuest = new PassThrough();
	const toGuest = new PassThrough();
	const port = Duplex.from({readable: fromGuest, writable: toGuest});
	return {fromGuest, toGuest, identity: new IdentityPort(port)};
}

test('a guest that asks gets seed, time and keys, and confirms them', async t => {
	const {fromGuest, toGuest, identity} = world();
	fromGuest.write('wh');
	fromGuest.write('o\n');
	await identity.asked();
	const telling = identity.tell(createRunKeys());
	fromGuest.write('ready\n');
	await telling;
	toGuest.end();
	const lines = (await text(toGuest)).split('\n');
	t.deepEqual(
		lines.map(line => line.split(' ')[0]),
		['seed', 'time', 'host-key', 'authorized-key', 'end', ''],
	);
	t.regex(lines[0]!, /^seed [0-9a-f]{128}$/);
	t.true(Math.abs(Number(lines[1]!.slice('time '.length)) / 1e6 - Date.now()) < 5000);
});

test('a guest that takes its identity and says something else is lost', async t => {
	const {fromGuest, identity} = world();
	fromGuest.write('no\n');
	await t.throwsAsync(identity.tell(createRunKeys()), {instanceOf: LinkLostError, message: /sent "no", not ready/});
});

test('every guest gets another seed', async t => {
	const keys = createRunKeys();
	const seeds = [];
	for (let n = 0; n < 2; n++) {
		const {fromGuest, toGuest, identity} = world();
		fromGuest.write('ready\n');
		await identity.tell(keys);
		toGuest.end();
		seeds.push((await text(toGuest)).split('\n')[0]);
	}
	t.not(seeds[0], seeds[1]);
});

for (const [what, end] of Object.entries({
	ends: (guest: PassThrough) => guest.end('wh'),
	'says something else': (guest: PassThrough) => guest.write('ready\n'),
	breaks: (guest: PassThrough) => guest.destroy(new Error('reset')),
})) {
	test(`a guest that ${what} instead of asking is lost`, async t => {
		const {fromGuest, identity} = world();
		const asking = identity.asked();
		end(fromGuest);
		await t.throwsAsync(asking, {instanceOf: LinkLostError});
	});
}

test('a guest gets its own host key, and ours as the one that may log in', async t => {
	const {fromGuest, toGuest, identity} = world();
	const keys = createRunKeys();
	fromGuest.write('ready\n');
	await identity.tell(keys);
	toGuest.end();
	const lines = (await text(toGuest)).split('\n');
	t.is(lines[2], `host-key ${toDropbear(keys.host).toString('hex')}`);
	t.is(lines[3], `authorized-key ${keys.client.public} probe-matrix`);
});

test('a guest that forgets its identity is told so, and asks again', async t => {
	const {fromGuest, toGuest, identity} = world();
	fromGuest.write('who\nwho\nlater\n');
	await identity.asked();
	await identity.forget();
	t.is(String(toGuest.read()), 'forget\n');
	await t.throwsAsync(identity.forget(), {instanceOf: LinkLostError, message: 'The guest sent "later", not who.'});
	fromGuest.end();
	await t.throwsAsync(identity.asked(), {instanceOf: LinkLostError, message: 'The guest exited before it sent who.'});
});
