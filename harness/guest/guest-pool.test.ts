// SPDX-License-Identifier: GPL-2.0
import {existsSync} from 'node:fs';
import {readdir, rm, stat, writeFile} from 'node:fs/promises';
import path from 'node:path';
import test from 'ava';
import {buildGuest, type GuestBuild} from '../build/guest-build.ts';
import {cacheDirectory} from '../host/cache.ts';
import {BootError, LinkLostError} from '../host/errors.ts';
import {writeManifest} from '../host/manifest.ts';
import {obtainKernel} from '../kernels/obtain.ts';
import {bprobeContent} from '../suites/bprobe/guest-content.ts';
import {type PrivateCache, privateCache} from '../test/private-cache.ts';
import {Instance} from '../vm/instance.ts';
import {guestPool, slownessOf} from './guest-pool.ts';
import type {Isolation} from './isolation.ts';

let guestBuild: GuestBuild;
let cache: PrivateCache | undefined;

test.serial.before('build the guest', async t => {
	t.timeout(20 * 60_000);
	guestBuild = await buildGuest(await obtainKernel('debian-6.1'), bprobeContent());
	cache = await privateCache();
});

test.serial.after.always('remove the cache', () => cache?.remove());

let consoles = 0;
const sourceOf = (isolation: Isolation) =>
	guestPool(guestBuild, {isolation, consolePath: () => path.join(cacheDirectory('runs'), `${++consoles}.console`)});

async function savedGuests(): Promise<readonly string[]> {
	const parent = cacheDirectory('snapshots');
	return (await readdir(parent)).toSorted().map(name => path.join(parent, name));
}

async function answers(source: ReturnType<typeof sourceOf>): Promise<string> {
	await using guest = await source();
	return (await guest.ask('hello', {})).release;
}

test.serial('with reboot isolation nothing is saved', async t => {
	t.timeout(300_000);
	t.is(await answers(sourceOf('reboot')), guestBuild.kernel.release);
	t.deepEqual(await savedGuests(), []);
});

test.serial(
	'a command in a guest has the status that it exits with, and none of success if a signal ends it',
	async t => {
		t.timeout(300_000);
		await using guest = await sourceOf('reuse')();
		t.like(await guest.exec('echo to no one >&2; exit 3'), {code: 3, stderr: 'to no one\n'});
		t.like(await guest.exec('kill -SEGV $$'), {code: -1});
		t.deepEqual(await guest.exec('echo well'), {code: 0, stdout: 'well\n', stderr: ''});
	},
);

for (const stage of ['base', 'loaded'] as const) {
	test.serial(`a ${stage} snapshot that is removed or unusable while guests are restored is made again`, async t => {
		t.timeout(300_000);
		const source = sourceOf('reuse');
		t.is(await answers(source), guestBuild.kernel.release);
		const saved = (await savedGuests()).find(name => path.basename(name).includes(stage))!;
		const loaded = (await savedGuests()).find(name => path.basename(name).includes('loaded'))!;
		await rm(saved, {recursive: true});
		// The base is needed only when something has to be pushed into it.
		await rm(loaded, {recursive: true, force: true});
		t.is(await answers(source), guestBuild.kernel.release, 'after it was removed');

		// Its manifest matches, but QEMU cannot read it.
		await writeFile(path.join(saved, 'state'), 'nonsense');
		await writeManifest(saved);
		if (stage === 'base') await rm(loaded, {recursive: true});
		t.is(await answers(sourceOf('reuse')), guestBuild.kernel.release, 'after it became nonsense');
	});
}

test.serial('after one guest that could not be restored, the snapshot stays', async t => {
	t.timeout(300_000);
	const source = sourceOf('reuse');
	await answers(source);
	const before = await savedGuests();
	const inodes = async () => Promise.all(before.map(async name => (await stat(path.join(name, 'state'))).ino));
	const first = await inodes();
	const {restore} = Instance;
	t.teardown(() => {
		Instance.restore = restore;
	});
	Instance.restore = async () => {
		Instance.restore = restore;
		throw new BootError('the host is busy');
	};
	t.is(await answers(source), guestBuild.kernel.release);
	t.deepEqual(await savedGuests(), before);
	t.deepEqual(await inodes(), first);
});

const births = {reboot: 'boot', reuse: 'restore'} as const;

for (const isolation of ['reboot', 'reuse'] as const) {
	test.serial(
		`with ${isolation} isolation, a guest that dies before it is handed over leaves no QEMU behind`,
		async t => {
			t.timeout(300_000);
			let born: Instance | undefined;
			const undo = afterBirth(births[isolation], guest => {
				born = guest;
				guest.vm.agent.destroy();
			});
			t.teardown(async () => {
				undo();
				await born?.[Symbol.asyncDispose]();
			});
			await t.throwsAsync(sourceOf(isolation)(), {instanceOf: LinkLostError});
			t.false(existsSync(`/proc/${born!.vm.pid}`));
		},
	);
}

/** Calls `work` with each guest as soon as it exists. */
function afterBirth(birth: 'boot' | 'restore', work: (guest: Instance) => void): () => void {
	const give = Instance[birth] as (...args: readonly unknown[]) => Promise<Instance>;
	Instance[birth] = async (...args: readonly unknown[]) => {
		const guest = await give.apply(Instance, [...args]);
		work(guest);
		return guest;
	};
	return () => {
		Instance[birth] = give;
	};
}

test('a slow kernel on a busy host has both reasons for longer deadlines', t => {
	const usual = slownessOf({readyMs: 1}, {bootCpuMs: 1});
	t.is(usual, 1);
	const [busy, slow, both] = [
		slownessOf({readyMs: 10_000}, {bootCpuMs: 1}),
		slownessOf({readyMs: 1}, {bootCpuMs: 20_000}),
		slownessOf({readyMs: 10_000}, {bootCpuMs: 20_000}),
	];
	t.true(busy > 1 && slow > 1);
	t.is(both, busy * slow);
});
