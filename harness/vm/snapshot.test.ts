// SPDX-License-Identifier: GPL-2.0
import {readFileSync} from 'node:fs';
import {cp, mkdtempDisposable, open, readFile, rename, stat, truncate, utimes, writeFile} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import path from 'node:path';
import {setTimeout as sleep} from 'node:timers/promises';
import test from 'ava';
import {execa} from 'execa';
import {buildGuest, type GuestBuild} from '../build/guest-build.ts';
import {findKernelReports} from '../crash/crash-detector.ts';
import {findDamage} from '../host/manifest.ts';
import {findQemu} from '../host/qemu.ts';
import {obtainKernel} from '../kernels/obtain.ts';
import {bprobeContent} from '../suites/bprobe/guest-content.ts';
import {type PrivateCache, privateCache} from '../test/private-cache.ts';
import {obtainBase} from './base-snapshot.ts';
import {Instance} from './instance.ts';
import {obtainLoaded} from './loaded-snapshot.ts';
import {forgetUnused, readRecord, type Snapshot} from './snapshot-files.ts';
import {snapshotFingerprint} from './snapshot-fingerprint.ts';

const kernel = 'debian-6.1';
let guestBuild: GuestBuild;
let base: Snapshot;
let loaded: Snapshot;
let cache: PrivateCache | undefined;

test.serial.before('make the snapshots', async t => {
	t.timeout(20 * 60_000);
	guestBuild = await buildGuest(await obtainKernel(kernel), bprobeContent());
	cache = await privateCache();
	base = await obtainBase(guestBuild);
	loaded = await obtainLoaded(guestBuild);
});

test.serial.after.always('remove the cache', () => cache?.remove());

test.serial('a stopped guest is ended at once, even while a connection to it is being opened', async t => {
	t.timeout(120_000);
	const guest = await Instance.restore(loaded);
	await guest.vm.qmp.execute('stop');
	const link = guest.link();
	await sleep(500);
	const since = performance.now();
	await guest[Symbol.asyncDispose]();
	t.true(performance.now() - since < 5000, `${performance.now() - since} ms`);
	await t.throwsAsync(link, {message: 'The guest was abandoned.'});
});

test.serial(
	'two restored guests differ in random bytes and host keys, know the time, and report no problem',
	async t => {
		t.timeout(120_000);
		await using resources = new AsyncDisposableStack();
		const guests = await Promise.all([Instance.restore(loaded), Instance.restore(loaded)]);
		for (const guest of guests) resources.use(guest);
		const looks = [];
		for (const guest of guests) {
			const link = await guest.link();
			// The guest got the time while it started; it may lag by that long.
			const before = Date.now() - guest.readyMs;
			const {stdout: now} = await link.exec('date +%s');
			t.true(
				Number(now) >= Math.floor(before / 1000) && Number(now) <= Math.ceil(Date.now() / 1000),
				`the time: ${now}`,
			);
			t.is((await link.exec(`stat -c %a ${identityFiles.join(' ')}`)).stdout, '600\n600\n');
			looks.push({
				random: (await link.exec('head -c 16 /dev/urandom | od -An -tx1')).stdout,
				uuid: (await link.exec('cat /proc/sys/kernel/random/uuid')).stdout,
				hostKey: (await link.exec(`md5sum ${identityFiles[0]}`)).stdout,
				authorizedKey: (await link.exec(`md5sum ${identityFiles[1]}`)).stdout,
				boot: (await link.exec('cat /proc/sys/kernel/random/boot_id')).stdout,
			});
			// Watchdogs check every few seconds.
			await sleep(3000);
			await guest.agent.call('mark', {text: 'looked at'});
			await guest.vm.console.waitForLine(/looked at/, {signal: AbortSignal.timeout(5000)});
			t.deepEqual(findKernelReports(guest.vm.console.text), []);
			// The kernel reports the network as up at any time, before or after a guest is saved.
			const said = guest.vm.console.text.replaceAll(/^.*link becomes ready\n/gm, '');
			t.regex(said, /^\[ *\d+\.\d+\] probe-matrix: looked at\n$/, 'nothing else is said');
			t.is((await link.exec('cat /sys/devices/system/clocksource/clocksource0/current_clocksource')).stdout, 'tsc\n');
		}
		const [one, other] = looks;
		for (const what of ['random', 'uuid', 'boot', 'hostKey', 'authorizedKey'] as const)
			t.not(one![what], other![what], what);
	},
);

const identityFiles = ['/etc/dropbear/dropbear_ed25519_host_key', '/root/.ssh/authorized_keys'];

test.serial('a restored guest has both modules and does not change the snapshot', async t => {
	t.timeout(60_000);
	{
		await using guest = await Instance.restore(loaded);
		const link = await guest.link();
		const {stdout} = await link.exec('ls -d /sys/module/bprobe /sys/module/fixtures');
		t.is(stdout, '/sys/module/bprobe\n/sys/module/fixtures\n');
		await link.exec('head -c 30000000 /dev/urandom > /tmp/file');
	}
	t.is(await findDamage(loaded.directory), undefined);
});

/** As stored in the cache. */
const fingerprint = () =>
	(JSON.parse(readFileSync(path.join(loaded.directory, 'snapshot.json'), 'utf8')) as {fingerprint: string}).fingerprint;

/** A copy of the snapshot, for a test to damage. */
async function copyOfBase() {
	const directory = await mkdtempDisposable(path.join(tmpdir(), 'snapshot-'));
	await cp(base.directory, directory.path, {recursive: true});
	return directory;
}

const harms: Record<string, (directory: string) => Promise<void>> = {
	'memory with one bit flipped': directory => flip(path.join(directory, 'memory'), 100_000_000),
	'a state with one bit flipped': directory => flip(path.join(directory, 'state'), 5000),
	'memory that was cut': async directory =>
		truncate(path.join(directory, 'memory'), (await stat(path.join(directory, 'memory'))).size - 4096),
	'an empty state': directory => truncate(path.join(directory, 'state'), 0),
	'half a record': directory => truncate(path.join(directory, 'snapshot.json'), 40),
	'no memory': directory => rename(path.join(directory, 'memory'), path.join(directory, 'elsewhere')),
};
for (const [what, harm] of Object.entries(harms)) {
	test.serial(`a snapshot with ${what} is rejected`, async t => {
		await using copy = await copyOfBase();
		t.is(await findDamage(copy.path), undefined, 'whole before');
		await harm(copy.path);
		t.truthy(await findDamage(copy.path));
	});
}

async function flip(file: string, at: number): Promise<void> {
	await using handle = await open(file, 'r+');
	const byte = Buffer.alloc(1);
	await handle.read(byte, 0, 1, at);
	byte[0]! ^= 1;
	await handle.write(byte, 0, 1, at);
}

test.serial('a snapshot with another fingerprint is rejected', async t => {
	t.is(await readRecord(loaded.directory, `${fingerprint()}0`), undefined);
});

test.serial('the fingerprint depends on QEMU, its arguments, the kernel and the initramfs', async t => {
	await using directory = await mkdtempDisposable(path.join(tmpdir(), 'snapshot-'));
	const initramfs = path.join(directory.path, 'initramfs');
	await writeFile(initramfs, 'one');
	const qemu = await findQemu();
	const options = {...base.vmOptions, qemu, initramfs};
	const first = await snapshotFingerprint(options);
	t.is(await snapshotFingerprint(options), first, 'the same for the same');
	const others = [
		{...options, memoryMib: 512},
		{...options, accelerator: 'kvm' as const},
		{...options, qemu: {...qemu, version: '10.0.3'}},
		{...options, qemu: {...qemu, hasQboot: false}},
		{...options, kernel: {...guestBuild.kernel, vmlinux: initramfs, bzImage: initramfs}},
	];
	for (const other of others) t.not(await snapshotFingerprint(other), first);
	await utimes(initramfs, new Date(), new Date(Date.now() + 5000));
	t.not(await snapshotFingerprint(options), first, 'a file that was written again');
});

test.serial('a damaged base is made again, by one of two processes that need it', async t => {
	t.timeout(240_000);
	await flip(base.state, 5000);
	// A process checks a directory only once, so use new processes.
	const script = `import {obtainBase} from ${JSON.stringify(path.join(import.meta.dirname, 'base-snapshot.ts'))};
		console.log((await obtainBase(JSON.parse(process.argv[1]))).directory);`;
	const obtain = () =>
		execa(process.execPath, ['--input-type=module', '-e', script, JSON.stringify(guestBuild)], {env: {...process.env}});
	const both = await Promise.all([obtain(), obtain()]);
	t.deepEqual(
		both.map(({stdout}) => stdout),
		[base.directory, base.directory],
	);
	const said = both.map(({stderr}) => stderr).join('\n');
	t.is(said.match(/: booting /g)?.length, 1);
	t.regex(said, /state is damaged/);
	t.is(await findDamage(base.directory), undefined);
	await using guest = await Instance.restore(base);
	t.is((await guest.agent.call('hello', {})).cpus, 2);
});

test.serial('snapshots unused for an hour are removed, of this kernel only', async t => {
	await using directory = await mkdtempDisposable(path.join(tmpdir(), 'snapshot-'));
	const names = ['a-0123456789abcdef', 'a-1123456789abcdef', 'a-b-0123456789abcdef'];
	for (const name of names)
		await cp(path.join(loaded.directory, 'snapshot.json'), path.join(directory.path, name, 'x'));
	const old = new Date(Date.now() - 2 * 3600_000);
	for (const name of [names[0]!, names[2]!]) await utimes(path.join(directory.path, name), old, old);
	await forgetUnused(directory.path, 'a', 3600_000);
	const left = await Promise.all(
		names.map(name =>
			readFile(path.join(directory.path, name, 'x')).then(
				() => true,
				() => false,
			),
		),
	);
	t.deepEqual(left, [false, true, true]);
});
