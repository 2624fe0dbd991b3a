// SPDX-License-Identifier: GPL-2.0
import {mkdir, mkdtempDisposable, readdir, readFile, rm, utimes, writeFile} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import path from 'node:path';
import test from 'ava';
import {buildGuest, type GuestBuild} from '../build/guest-build.ts';
import {cacheDirectory} from '../host/cache.ts';
import {CommandFailedError, LinkLostError, LoadError} from '../host/errors.ts';
import {obtainKernel} from '../kernels/obtain.ts';
import {bprobeContent} from '../suites/bprobe/guest-content.ts';
import {type PrivateCache, privateCache} from '../test/private-cache.ts';
import {obtainBase} from './base-snapshot.ts';
import {Instance} from './instance.ts';
import {loadSuite} from './load-suite.ts';
import {obtainLoaded} from './loaded-snapshot.ts';
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

/** The guest build with a modified fixtures.ko: `from` becomes `to`, which has the same length. */
async function withFixtures(from: string, to: string): Promise<GuestBuild & AsyncDisposable> {
	const directory = await mkdtempDisposable(path.join(tmpdir(), 'load-'));
	const files = await Promise.all(
		guestBuild.files.map(async file => {
			if (!file.path.endsWith('/fixtures.ko')) return file;
			const text = (await readFile(file.source)).toString('latin1');
			const source = path.join(directory.path, 'fixtures.ko');
			await writeFile(source, Buffer.from(text.replaceAll(from, to), 'latin1'));
			return {...file, source};
		}),
	);
	return {...guestBuild, files, identity: `${from} ${to}`, [Symbol.asyncDispose]: () => directory.remove()};
}

test.serial('a base holds no file of the suite, and a push reports its size', async t => {
	t.timeout(60_000);
	await using guest = await Instance.restore(base);
	await t.throwsAsync(guest.link({signal: AbortSignal.abort()}));
	// A connection that failed is not the last one.
	const link = await guest.link();
	const look = 'ls /usr/lib/probe-matrix /usr/bin/bprobectl /sys/module/bprobe /sys/module/fixtures 2>/dev/null; true';
	t.is((await link.exec(look)).stdout, '');
	const {bytes, ms} = await loadSuite(guest, guestBuild);
	const size = (await Promise.all(guestBuild.files.map(({source}) => readFile(source)))).reduce(
		(n, b) => n + b.length,
		0,
	);
	// In a tar stream a file has a header of 512 bytes and is filled up to such a block; directories and the end are few.
	const frame = guestBuild.files.length * 1024 + 20_480;
	t.true(bytes > size && bytes < size + frame, `${bytes} of ${size} + ${frame}`);
	t.true(ms > 0);
	t.regex((await link.exec(look)).stdout, /agent\nbprobe\.ko\nfixtures\.ko\nprograms/);
});

const faults = {
	'another version magic': {from: ' SMP ', to: ' UMP ', words: /version magic '6\.1\S+ UMP /},
	'an unknown symbol': {from: 'misc_register', to: 'misc_registeX', words: /Unknown symbol misc_registeX/},
	'no ELF header': {from: '\x7fELF', to: '\x7fELG', words: /Exec format error/},
} as const;
for (const [what, {from, to, words}] of Object.entries(faults)) {
	test.serial(`a module with ${what} does not load: the kernel's reason is reported, and nothing is saved`, async t => {
		t.timeout(120_000);
		await using bad = await withFixtures(from, to);
		const error = await t.throwsAsync(obtainLoaded(bad), {instanceOf: LoadError});
		t.regex(error?.message ?? '', /^fixtures\.ko does not load: /);
		t.regex(error?.message ?? '', words);
		const saved = await readdir(cacheDirectory('snapshots'));
		t.deepEqual(
			saved.filter(name => !name.includes('-base-')),
			[],
		);
	});
}

test.serial('a load leaves the files of other loads, and removes those of killed ones', async t => {
	t.timeout(120_000);
	const loads = {'.loading-other': 5, '.loading-killed': 20};
	for (const [name, minutes] of Object.entries(loads)) {
		const directory = path.join(cacheDirectory('snapshots'), name);
		await mkdir(directory);
		const made = Date.now() / 1000 - minutes * 60;
		await utimes(directory, made, made);
	}
	await using bad = await withFixtures(' SMP ', ' UMP ');
	await t.throwsAsync(obtainLoaded(bad), {instanceOf: LoadError});
	const left = (await readdir(cacheDirectory('snapshots'))).filter(name => name in loads);
	t.deepEqual(left, ['.loading-other']);
	await rm(path.join(cacheDirectory('snapshots'), '.loading-other'), {recursive: true});
});

test.serial('a module whose init fails does not load', async t => {
	t.timeout(120_000);
	await using guest = await Instance.restore(base);
	// bprobe.ko is replaced by fixtures.ko, whose device exists already.
	const fixtures = guestBuild.files.find(file => file.path.endsWith('/fixtures.ko'))!;
	const files = guestBuild.files.map(file =>
		file.path.endsWith('/bprobe.ko') ? {...file, source: fixtures.source} : file,
	);
	await t.throwsAsync(loadSuite(guest, {...guestBuild, files}), {
		instanceOf: LoadError,
		message: /^bprobe\.ko does not load: .*File exists/,
	});
});

test.serial('a full file system in the guest is reported', async t => {
	t.timeout(120_000);
	await using guest = await Instance.restore(base);
	await (await guest.link()).exec('cat /dev/zero > /fill 2>/dev/null; true');
	await t.throwsAsync(loadSuite(guest, guestBuild), {
		instanceOf: CommandFailedError,
		message: /No space left on device/,
	});
});

test.serial('an SSH server that dies during a push is a lost link', async t => {
	t.timeout(120_000);
	await using guest = await Instance.restore(base);
	const link = await guest.link();
	const dies = link.start('sleep 0.05; kill -9 $(pidof dropbear)');
	await t.throwsAsync(loadSuite(guest, guestBuild), {instanceOf: LinkLostError});
	await dies.catch(() => {});
});
