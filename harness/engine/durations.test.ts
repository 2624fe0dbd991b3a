// SPDX-License-Identifier: GPL-2.0
import {existsSync} from 'node:fs';
import {mkdtempDisposable, readFile, writeFile} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import path from 'node:path';
import test from 'ava';
import {fakeCell} from '../test/fake-guest.ts';
import {Durations} from './durations.ts';

const cell = fakeCell(async () => {});

test('the expected duration is the median of the last ones, by kernel and cell', async t => {
	await using directory = await mkdtempDisposable(path.join(tmpdir(), 'durations-'));
	const file = path.join(directory.path, 'durations.json');
	const first = await Durations.open(file);
	for (const ms of [9000, 9000, 10, 30, 20, 5000, 25]) first.add(cell, ms);
	await first.save();
	const second = await Durations.open(file);
	t.is(second.expectedMs(cell), 25);
	t.is(second.expectedMs(fakeCell(async () => {}, {kernel: 'other'})), undefined);
});

test('a damaged file counts as missing', async t => {
	await using directory = await mkdtempDisposable(path.join(tmpdir(), 'durations-'));
	const file = path.join(directory.path, 'durations.json');
	for (const text of ['', '{"a": [1', '[1]', '{"fake fake/case": "soon"}']) {
		await writeFile(file, text);
		t.is((await Durations.open(file)).expectedMs(cell), undefined);
	}
});

test('of a file that is damaged in part, the rest counts', async t => {
	await using directory = await mkdtempDisposable(path.join(tmpdir(), 'durations-'));
	const file = path.join(directory.path, 'durations.json');
	const other = fakeCell(async () => {}, {kernel: 'other'});
	const first = await Durations.open(file);
	first.add(cell, 10);
	first.add(other, 20);
	await first.save();
	const names = Object.keys(JSON.parse(await readFile(file, 'utf8')) as object);
	t.is(names.length, 2);
	for (const damaged of ['soon', ['soon'], [10, null], 10, []]) {
		await writeFile(file, JSON.stringify({[names[0]!]: damaged, [names[1]!]: [20]}));
		const second = await Durations.open(file);
		t.is(second.expectedMs(cell), undefined);
		t.is(second.expectedMs(other), 20);
	}
});

test('each target of a case, and each alternative mechanism, has durations of its own', async t => {
	await using directory = await mkdtempDisposable(path.join(tmpdir(), 'durations-'));
	const durations = await Durations.open(path.join(directory.path, 'durations.json'));
	const cells = [
		cell,
		{...cell, target: 'a'},
		{...cell, target: 'b'},
		{...cell, mechanism: 'other', alternative: true as const},
	];
	for (const [n, each] of cells.entries()) durations.add(each, n);
	t.deepEqual(
		cells.map(each => durations.expectedMs(each)),
		[0, 1, 2, 3],
	);
});

test('a run that has learned nothing leaves the durations that another one saved', async t => {
	await using directory = await mkdtempDisposable(path.join(tmpdir(), 'durations-'));
	const file = path.join(directory.path, 'durations.json');
	const idle = await Durations.open(file);
	await idle.save();
	t.false(existsSync(file));
});
