// SPDX-License-Identifier: GPL-2.0
import {kill} from 'node:process';
import test from 'ava';
import {execa} from 'execa';
import {buildGuest, type GuestBuild} from '../build/guest-build.ts';
import {BootError, GuestError, LinkLostError, UsageError} from '../host/errors.ts';
import {findQemu} from '../host/qemu.ts';
import {obtainKernel} from '../kernels/obtain.ts';
import {bprobeContent} from '../suites/bprobe/guest-content.ts';
import {type PrivateCache, privateCache} from '../test/private-cache.ts';
import {obtainBase} from './base-snapshot.ts';
import {Instance} from './instance.ts';
import {loadSuite} from './load-suite.ts';
import type {Snapshot} from './snapshot-files.ts';

let guestBuild: GuestBuild;
let base: Snapshot;
let cache: PrivateCache | undefined;

test.serial.before('make a base', async t => {
	t.timeout(20 * 60_000);
	guestBuild = await buildGuest(await obtainKernel('debian-6.1'), bprobeContent());
	cache = await privateCache();
	base = await obtainBase(guestBuild);
});

test.serial.after.always('remove the cache', () => cache?.remove());

const killed = /^Linux 6\.1\.\S+ did not boot: QEMU was killed by SIGKILL\.$/;

test.serial('a QEMU that is killed while its guest boots is the reason', async t => {
	t.timeout(120_000);
	const booting = Instance.boot(guestBuild, {onStarted: ({pid}) => kill(pid, 'SIGKILL')});
	t.regex((await t.throwsAsync(booting, {instanceOf: BootError}))!.reason, killed);
});

const sysrq =
	(key: string, before = '') =>
	async (guest: Instance) =>
		(await guest.link()).start(`sleep 0.1; ${before}echo ${key} > /proc/sysrq-trigger`);

const ends: Readonly<Record<string, readonly [end: (guest: Instance) => unknown, reason: RegExp]>> = {
	'has its QEMU killed': [({vm}) => kill(vm.pid, 'SIGKILL'), /: QEMU was killed by SIGKILL\.$/],
	'has its QEMU terminated': [({vm}) => kill(vm.pid, 'SIGTERM'), /: QEMU was terminated by a signal: .*on signal 15/],
	// Linux 6.1 may poll its network device for ever when it powers off under traffic.
	'powers off': [sysrq('o', 'ip link set eth0 down; '), /: The guest powered off\.$/],
	'resets itself': [sysrq('b'), /: The guest reset itself\.$/],
	panics: [sysrq('c'), /: Kernel panic - not syncing: sysrq triggered crash$/],
};

for (const [what, [end, reason]] of Object.entries(ends)) {
	test.serial(`a guest that ${what} while the suite is pushed: the first line says so`, async t => {
		t.timeout(120_000);
		await using guest = await Instance.restore(base);
		await guest.link();
		const loading = guest.vm.whileItComesUp(loadSuite(guest, guestBuild), {deadlineMs: 60_000});
		await end(guest);
		t.regex((await t.throwsAsync(loading, {instanceOf: BootError}))!.reason, reason);
	});
}

test.serial(
	'a connection that is lost to a guest that lives is its own reason, else the end of the guest is',
	async t => {
		t.timeout(120_000);
		await using guest = await Instance.restore(base);
		const lost = new LinkLostError('The SSH connection to the guest ended: it was closed.');
		t.is(await t.throwsAsync(guest.vm.whileItIsUp(Promise.reject(lost))), lost);
		const full = new UsageError('There is no space left on the disk.');
		t.is(await t.throwsAsync(guest.vm.whileItComesUp(Promise.reject(full), {})), full, 'not a fault of the guest');
		kill(guest.vm.pid, 'SIGKILL');
		await t.throwsAsync(guest.vm.whileItIsUp(Promise.reject(lost)), {
			instanceOf: GuestError,
			message: 'QEMU was killed by SIGKILL.',
		});
	},
);

/** Makes a small file system at /mnt that only the program sees. */
const isolated = ['unshare', '--user', '--map-root-user', '--mount', 'sh', '-c'] as const;

test.serial('a disk that is full when the guest writes to its memory is the reason', async t => {
	t.timeout(120_000);
	const [program, ...args] = isolated;
	const mount = 'mount -t tmpfs -o size=48m none /mnt';
	if ((await execa(program, [...args, mount], {reject: false})).failed) {
		t.log('no user namespaces here');
		t.pass();
		return;
	}
	const script = `
		import {IdentityPort} from ${JSON.stringify(import.meta.resolve('./identity.ts'))};
		import {Vm} from ${JSON.stringify(import.meta.resolve('../qemu/vm.ts'))};
		const options = JSON.parse(process.argv[1]);
		// On a busy host the guest fills the disk before its monitor has answered.
		try {
			await using vm = await Vm.start({...options, memory: {file: '/mnt/memory', use: 'written'}});
			await vm.whileItComesUp(new IdentityPort(vm.identity).asked(), {deadlineMs: 60_000});
		} catch (error) {
			console.log(error.name + ': ' + error.message);
		}`;
	const {kernel, initramfs} = guestBuild;
	const options = JSON.stringify({qemu: await findQemu(), kernel, initramfs, memoryMib: 256});
	const command = `${mount} && exec "$@"`;
	const node = [process.execPath, '--input-type=module', '-e', script, options];
	const {stdout} = await execa(program, [...args, command, 'sh', ...node]);
	t.is(stdout, 'UsageError: There is no space left on the disk that holds /mnt/memory. QEMU was killed by SIGBUS.');
});
