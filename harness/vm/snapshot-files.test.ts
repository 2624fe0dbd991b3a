// SPDX-License-Identifier: GPL-2.0
import {mkdir, mkdtempDisposable, readdir, utimes} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import path from 'node:path';
import test from 'ava';
import {forgetUnused} from './snapshot-files.ts';

test('unused snapshots of a kernel are removed, and what a killed process left of one; others stay', async t => {
	await using parent = await mkdtempDisposable(path.join(tmpdir(), 'snapshots-'));
	const make = async (name: string, hoursAgo: number) => {
		const directory = path.join(parent.path, name);
		await mkdir(directory);
		const at = new Date(Date.now() - hoursAgo * 3_600_000);
		await utimes(directory, at, at);
		return name;
	};
	const [one, other] = ['0123456789abcdef', 'fedcba9876543210'];
	for (const name of [`base-${one}`, `base-${one}.77.gone`]) await make(name, 3);
	const kept = [
		await make(`base-${other}`, 1),
		await make(`base-${other}.77.gone`, 1),
		await make(`base-debug-${one}`, 3),
		await make(`base-${one}.lock`, 3),
		await make(`other-${one}`, 3),
	];
	await forgetUnused(parent.path, 'base', 2 * 3_600_000);
	t.deepEqual((await readdir(parent.path)).toSorted(), kept.toSorted());
});
