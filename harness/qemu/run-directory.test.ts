// SPDX-License-Identifier: GPL-2.0
import {existsSync} from 'node:fs';
import {chmod, mkdir, mkdtempDisposable, utimes, writeFile} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import path from 'node:path';
import test from 'ava';
import {UsageError} from '../host/errors.ts';
import {identityOf} from '../host/process.ts';
import {RunDirectory} from './run-directory.ts';

test('directories of dead runs are swept by the next one, those of living runs are kept', async t => {
	await using base = await mkdtempDisposable(path.join(tmpdir(), 'runs-'));
	const own = identityOf(process.pid)!;
	const owners = {living: own, gone: {...own, startTime: '1'}, rubbish: 'x'};
	for (const [name, owner] of Object.entries(owners)) {
		await mkdir(path.join(base.path, `vm-${name}`));
		await writeFile(path.join(base.path, `vm-${name}`, 'owner.json'), JSON.stringify(owner));
	}
	await mkdir(path.join(base.path, 'vm-old'));
	await utimes(path.join(base.path, 'vm-old'), 1, 1);
	await using directory = await RunDirectory.create(base.path);
	const left = ['living', 'gone', 'rubbish', 'old'].filter(name => existsSync(path.join(base.path, `vm-${name}`)));
	t.deepEqual(left, ['living']);
	await utimes(directory.path, 1, 1);
	await using another = await RunDirectory.create(base.path);
	t.true(existsSync(another.path));
	t.true(existsSync(directory.path), 'its owner runs, however old it is');
});

test('a run directory is removed with its VM', async t => {
	await using base = await mkdtempDisposable(path.join(tmpdir(), 'runs-'));
	const directory = await RunDirectory.create(base.path);
	await writeFile(directory.file('secret'), 'x');
	await directory[Symbol.asyncDispose]();
	t.false(existsSync(directory.path));
});

test('a base directory that others can write to is rejected', async t => {
	await using base = await mkdtempDisposable(path.join(tmpdir(), 'runs-'));
	for (const mode of [0o777, 0o770, 0o702]) {
		await chmod(base.path, mode);
		await t.throwsAsync(RunDirectory.create(base.path), {instanceOf: UsageError}, mode.toString(8));
	}
});
