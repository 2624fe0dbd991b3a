// SPDX-License-Identifier: GPL-2.0
import {mkdir, mkdtempDisposable, readdir, readFile, stat, utimes, writeFile} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import path from 'node:path';
import test from 'ava';
import {BootError} from '../host/errors.ts';
import {freshCache} from '../test/fresh-cache.ts';
import {discardSnapshot, forgetUnused, obtainSnapshot, readRecord, writeRecord} from './snapshot-files.ts';
import type {SnapshotVmOptions} from './snapshot-fingerprint.ts';

test('unused snapshots of a kernel are removed, and what a killed process left of one; others stay', async t => {
	await using parent = await mkdtempDisposable(path.join(tmpdir(), 'snapshots-'));
	const make = async (name: string, hoursAgo: number) => {
		const directory = path.join(parent.path, name);
		await mkdir(directory);
		const at = new Date(Date.now() - hoursAgo * 3_600_000);
		await utimes(directory, at, at);
		return name;
	};
	const [old, recent] = ['0123456789abcdef', 'fedcba9876543210'];
	for (const name of [`base-${old}`, `base-${old}.77.gone`]) await make(name, 3);
	const kept = [
		await make(`base-${recent}`, 1),
		await make(`base-${recent}.77.gone`, 1),
		await make(`base-debug-${old}`, 3),
		await make(`base-${old}.lock`, 3),
		await make(`other-${old}`, 3),
	];
	await forgetUnused(parent.path, 'base', 2 * 3_600_000);
	t.deepEqual((await readdir(parent.path)).toSorted(), kept.toSorted());
});

const [one, other] = ['0123456789abcdef-one', 'fedcba9876543210-other'];
const record = {fingerprint: one, guestMs: 5, bootCpuMs: 7};

test('a record is read as it was written, for its fingerprint; a torn one counts as missing', async t => {
	await using directory = await mkdtempDisposable(path.join(tmpdir(), 'snapshots-'));
	t.is(await readRecord(directory.path, one), undefined);
	await writeRecord(directory.path, record);
	t.deepEqual(await readRecord(directory.path, one), record);
	t.is(await readRecord(directory.path, other), undefined);
	await writeFile(path.join(directory.path, 'snapshot.json'), '{"fingerprint": "01');
	t.is(await readRecord(directory.path, one), undefined);
	await t.throwsAsync(readRecord(path.join(directory.path, 'snapshot.json'), one), {code: 'ENOTDIR'});
});

const vmOptions = {memoryMib: 256} as unknown as SnapshotVmOptions;

/** Obtains snapshots of a kernel, and counts how often one is made. */
function openMaker(make: (directory: string, fingerprint: string) => Promise<void>) {
	const made: string[] = [];
	const obtain = async (fingerprint: string) =>
		obtainSnapshot({
			...{name: 'base', fingerprint, vmOptions, unusedMs: 3_600_000, fleeting: ['memory']},
			async make(directory) {
				made.push(fingerprint);
				await writeFile(path.join(directory, 'memory'), fingerprint);
				await make(directory, fingerprint);
			},
		});
	return {made, obtain};
}

const complete = async (directory: string, fingerprint: string) => writeRecord(directory, {...record, fingerprint});

test.serial('a snapshot is made once for its fingerprint, and each use of it is noted', async t => {
	await using cache = await freshCache();
	const {made, obtain} = openMaker(complete);
	const snapshot = await obtain(one);
	const directory = path.join(cache.path, 'snapshots/base-0123456789abcdef');
	t.deepEqual(snapshot, {
		...record,
		...{directory, memory: path.join(directory, 'memory'), state: path.join(directory, 'state'), vmOptions},
	});
	await utimes(directory, 1e9, 1e9);
	t.deepEqual(await obtain(one), snapshot);
	t.true((await stat(directory)).mtimeMs > 1e12);
	t.deepEqual(made, [one]);
	const manifest = JSON.parse(await readFile(path.join(directory, '.manifest.json'), 'utf8')) as Record<
		string,
		unknown[]
	>;
	t.is(manifest.memory![2], null, 'memory takes too long to be hashed');
	t.is((await obtain(other)).fingerprint, other);
	t.deepEqual(made, [one, other]);
});

test.serial('when a snapshot is made, those of that kernel that nobody uses go, and only then', async t => {
	await using cache = await freshCache();
	const {obtain} = openMaker(complete);
	const {directory} = await obtain(one);
	await obtain(other);
	await utimes(directory, 1e9, 1e9);
	await obtain(other);
	t.deepEqual((await readdir(path.join(cache.path, 'snapshots'))).length, 2);
	await obtain('00000000ffffffff-third');
	const left = await readdir(path.join(cache.path, 'snapshots'));
	t.deepEqual(left.toSorted(), ['base-00000000ffffffff', 'base-fedcba9876543210']);
});

test.serial('a snapshot of another fingerprint under the same name is made again', async t => {
	await using _ = await freshCache();
	const {made, obtain} = openMaker(complete);
	const twin = `${one.slice(0, 16)}-twin`;
	await obtain(one);
	t.is((await obtain(twin)).fingerprint, twin);
	t.deepEqual(made, [one, twin]);
});

test.serial('a snapshot that has no record, however often it is made, is an error, and is not kept', async t => {
	await using cache = await freshCache();
	const {made, obtain} = openMaker(async () => {});
	await t.throwsAsync(obtain(one), {
		instanceOf: BootError,
		message: `The snapshot in ${cache.path}/snapshots/base-0123456789abcdef cannot be restored, however often it is made.`,
	});
	t.deepEqual(made, [one, one]);
	t.deepEqual(await readdir(path.join(cache.path, 'snapshots')), []);
});

test.serial('a snapshot is discarded as a whole, and one that is gone already is no error', async t => {
	await using cache = await freshCache();
	const {directory} = await openMaker(complete).obtain(one);
	await discardSnapshot(directory);
	t.deepEqual(await readdir(path.join(cache.path, 'snapshots')), []);
	await t.notThrowsAsync(discardSnapshot(directory));
});
