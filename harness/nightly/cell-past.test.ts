// SPDX-License-Identifier: GPL-2.0
import test from 'ava';
import type {CellHistory, StoredResult, StoredRun} from '../results/history/index-rows.ts';
import {cellKey} from '../results/run/cell-summary.ts';
import {crashGist, pastOf} from './cell-past.ts';

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

const cellOf = (results: readonly StoredResult[]): CellHistory => ({
	...{kernel: 'debian-6.1', suite: 'bprobe', mechanism: 'bprobe', case: 'entry/a'},
	results,
});
const past = (results: readonly StoredResult[], at?: StoredRun) =>
	pastOf([cellOf(results)], at).get(cellKey(cellOf([])))!;

test('a cell that is younger than the last green run has no statistics of that time', t => {
	t.false('atGreen' in past([result(3, 7)], green));
	t.like(past([result(3, 7)]).atGreen, {total: 10, passes: 7}, 'without a green run all results count');
});

test('the last failure is known, whether or not a run was green', t => {
	t.is(past([result(1, 7)]).lastFailure?.run, '20260101T000000Z-1');
	t.is(past([result(1, 7)], green).lastFailure?.run, '20260101T000000Z-1');
	t.false('lastFailure' in past([result(1, 7), result(2, 10)], green));
});

test('a crash is known by its first line, and a failure is no crash', t => {
	const ended = (verdict: 'crash' | 'fail', message: string): StoredResult => ({...result(1, 0), verdict, message});
	const {crashes} = past([ended('crash', 'BUG: it is gone\nat once'), ended('fail', 'wrong')]);
	t.deepEqual([...crashes], [crashGist('BUG: it is gone\nat last')]);
	t.is(crashGist(), '');
});
