// SPDX-License-Identifier: GPL-2.0
import {mkdtempDisposable, writeFile} from 'node:fs/promises';
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
