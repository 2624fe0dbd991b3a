// SPDX-License-Identifier: GPL-2.0
import test from 'ava';
import type {CellHistory, StoredResult, StoredRun} from '../results/history/index-rows.ts';
import {cellKey} from '../results/run/cell-summary.ts';
import {pastOf} from './cell-past.ts';

const green = {id: '20260102T000000Z-1'} as StoredRun;
const result = (day: number, passes: number): StoredResult => ({
	run: `2026010${day}T000000Z-1`,
	verdict: passes === 10 ? 'pass' : 'fail',
	passes,
	total: 10,
});

test('the last green run itself counts, and later ones do not', t => {
	const cell: CellHistory = {
		...{kernel: 'debian-6.1', suite: 'bprobe', mechanism: 'bprobe', case: 'entry/a'},
		results: [result(1, 10), result(2, 7), result(3, 0)],
	};
	const past = pastOf([cell], green).get(cellKey(cell))!;
	t.like(past.atGreen, {total: 20, passes: 17});
	t.like(past.statistics, {total: 30, passes: 17});
});
