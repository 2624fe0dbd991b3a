// SPDX-License-Identifier: GPL-2.0
import test from 'ava';
import {UsageError} from '../../host/errors.ts';
import {findRun, NoSuchRunYetError} from './find-run.ts';
import type {StoredRun} from './index-rows.ts';

const run = (id: string, about: Partial<StoredRun> = {}): StoredRun => ({
	...{id, startedAt: '2026-01-01T00:00:00.000Z', command: 'run', isShard: false, isRunning: false},
	...{isInterrupted: false, isGreen: true, counts: {}, kernels: []},
	...about,
});
const storeOf = (...runs: readonly StoredRun[]) => ({
	runs: () => runs,
	problems: () => [{id: 'r9', problem: 'r9.jsonl, line 1: expected a JSON object.'}],
});

test('the last run is never the one that it is compared with', t => {
	const store = storeOf(run('r1'), run('r2', {isGreen: false}), run('r3'));
	t.is(findRun(store, 'last').id, 'r3');
	t.is(findRun(store, 'last', {besides: 'r3'}).id, 'r2');
	t.is(findRun(store, 'last-green', {besides: 'r3'}).id, 'r1');
	t.is(findRun(store, 'last-green').id, 'r3');
});

test('a history without such a run says what it holds', t => {
	const wrong = (name: string, besides: string | undefined, ...runs: readonly StoredRun[]) =>
		t.throws(() => findRun(storeOf(...runs), name, {...(besides !== undefined && {besides})}), {
			instanceOf: NoSuchRunYetError,
		})?.message;
	t.is(wrong('last', undefined), 'The history holds no run yet.');
	t.is(wrong('last', 'r1', run('r1')), 'The history holds no other run yet.');
	t.is(
		wrong('last-green', 'r1', run('r1'), run('r2', {isGreen: false})),
		'The history holds 1 run, none of them green (exit status 0).',
	);
});

test('the beginning of an id is enough if it is that of one run, and a whole id always is', t => {
	const store = storeOf(run('r1'), run('r1-merged'), run('r2'));
	t.is(findRun(store, 'r2').id, 'r2');
	t.is(findRun(store, 'r1-').id, 'r1-merged');
	t.is(findRun(store, 'r1').id, 'r1');
	t.throws(() => findRun(store, 'r'), {
		instanceOf: UsageError,
		message: 'r is ambiguous: it matches 3 runs, from r1 to r2.',
	});
});

test('a run that cannot be read is named with what is wrong, and one that is not there as such', t => {
	t.throws(() => findRun(storeOf(run('r1')), 'r9'), {message: 'r9.jsonl, line 1: expected a JSON object.'});
	t.throws(() => findRun(storeOf(run('r1')), 'r8'), {message: 'There is no run r8 in the history.'});
});
