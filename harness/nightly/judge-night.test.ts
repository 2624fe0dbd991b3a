// SPDX-License-Identifier: GPL-2.0
import test from 'ava';
import type {StoredResult, StoredRun} from '../results/history/index-rows.ts';
import {cellKey} from '../results/run/cell-summary.ts';
import type {CellEvent, KernelEvent} from '../results/run/events.ts';
import type {Verdict} from '../results/run/verdict.ts';
import {pastOf} from './cell-past.ts';
import {isToConfirm, judgeNight} from './judge-night.ts';

const name = {kernel: 'k', mechanism: 'bprobe', case: 'race/storm'};
const event = (verdict: Verdict): CellEvent => ({type: 'cell', ...name, repeat: 0, verdict, durationMs: 1});
const times = <T>(count: number, what: T): readonly T[] => Array.from({length: count}, () => what);

/** A cell that failed in this many of a hundred runs, one now and then; it fails tonight, and then in some of ten reruns. */
function judged(failedOf100: number, failedReruns: number): string {
	const results = Array.from({length: 100}, (_, n): StoredResult => {
		const isBad = failedOf100 > 0 && n % Math.round(100 / failedOf100) === 1;
		return {run: `run-${n}`, verdict: isBad ? 'fail' : 'pass', passes: isBad ? 0 : 1, total: 1};
	});
	const past = pastOf([{...name, results}], undefined);
	const reruns = [...times(failedReruns, event('fail')), ...times(10 - failedReruns, event('pass'))];
	const {findings} = judgeNight({
		...{kernels: [], cells: [event('fail')], reruns, known: [], before: []},
		past: new Map([[cellKey(name), past.get(cellKey(name))!]]),
		isRequested: () => true,
	});
	return findings.map(({kind}) => kind).join(' ');
}

// By the binomial distribution: chance gives these with a probability of 0.07 and 0.002; 0.05 and 0.002; 0.02 and 0.0003;
// 0.0107 and 0.001.
for (const [failedOf100, usual, tooMany] of [
	[10, 3, 5],
	[33, 6, 8],
	[2, 1, 3],
	[50, 9, 10],
] as const) {
	test(`a cell that fails in ${failedOf100} of 100 runs is flaky if ${usual} of 10 reruns fail, not if ${tooMany} do`, t => {
		t.is(judged(failedOf100, usual), 'flaky');
		t.is(judged(failedOf100, tooMany), 'regression');
	});
}

test('a cell that never failed is flaky if no rerun fails, and else a regression', t => {
	t.is(judged(0, 0), 'flaky');
	t.is(judged(0, 1), 'regression');
});

/** The exit status of a night with one cell that ends like this. */
const exitCode = (verdict: Verdict) =>
	judgeNight({
		...{kernels: [], cells: [event(verdict)], reruns: [], past: new Map(), known: [], before: []},
		isRequested: () => true,
	}).exitCode;

test('a night that proved nothing of a cell is not green, unless the cell does not apply', t => {
	t.deepEqual([exitCode('skip'), exitCode('pass')], [0, 0]);
	t.deepEqual([exitCode('inconclusive'), exitCode('infra')], [3, 3]);
});

test('a cell that fails in several repeats of a night is a regression, though no rerun fails', t => {
	const reruns = times(10, event('pass'));
	const kinds = (failed: number) =>
		judgeNight({
			...{kernels: [], cells: [...times(failed, event('fail')), event('pass')], reruns, known: [], before: []},
			...{past: new Map(), isRequested: () => true},
		}).findings.map(({kind}) => kind);
	t.deepEqual([kinds(1), kinds(2)], [['flaky'], ['regression']]);
});

/** Tonight's report on a kernel that ended like this, after nights that had these kernels ready; the latest comes first. */
const reportOf = (kernel: Omit<KernelEvent, 'type' | 'kernel'>, nights: readonly (readonly string[])[]) => {
	const {lost, exitCode: status} = judgeNight({
		...{kernels: [{type: 'kernel', kernel: 'k', ...kernel}], cells: [], reruns: [], past: new Map(), known: []},
		before: nights.map(
			(kernels, n): StoredRun => ({
				...{id: `run-${nights.length - n}`, startedAt: '2026-11-20T00:00:00.000Z', command: 'nightly', isShard: false},
				...{isRunning: false, isInterrupted: false, isGreen: n > 0, counts: {}, kernels},
			}),
		),
		isRequested: () => false,
	});
	return [lost.map(({isRegression}) => isRegression), status] as const;
};

test('a kernel that was ready in any of the earlier nights and fails now is a regression', t => {
	for (const nights of [
		[['k'], ['other']],
		[['other'], ['k']],
		[['k'], ['other'], ['other']],
	])
		t.deepEqual(reportOf({state: 'failed'}, nights), [[true], 1], JSON.stringify(nights));
	for (const nights of [[], [['other'], ['other']]])
		t.deepEqual(reportOf({state: 'failed'}, nights), [[false], 0], JSON.stringify(nights));
});

test('a kernel that was ready in any of the earlier nights and cannot be had now is news, and no regression', t => {
	for (const nights of [
		[['k'], ['other']],
		[['other'], ['k']],
	])
		t.deepEqual(reportOf({state: 'unavailable'}, nights), [[false], 3], JSON.stringify(nights));
	t.deepEqual(reportOf({state: 'unavailable'}, [['other']]), [[false], 0]);
});

const entry = {case: name.case, since: '2026-11-20', reason: 'it is slow'};

test('a known failure passes again if it does on all kernels that it is about', t => {
	const passAgain = (verdict: Verdict) =>
		judgeNight({
			...{kernels: [], cells: [event('pass'), {...event(verdict), kernel: 'l'}], reruns: [], past: new Map()},
			...{known: [entry], before: [], isRequested: () => true},
		}).passAgain;
	t.deepEqual(passAgain('pass'), [entry]);
	t.deepEqual([passAgain('fail'), passAgain('skip')], [[], []]);
});

test('a crash of a cell that is listed is new only if the history knows how it failed before', t => {
	const kindOf = (results: readonly StoredResult[]) => {
		const past = pastOf([{...name, results}], undefined);
		return judgeNight({
			...{kernels: [], cells: [{...event('crash'), message: 'BUG'}], reruns: [], past, known: [entry], before: []},
			isRequested: () => true,
		}).findings.map(({kind}) => kind);
	};
	const result = (verdict: Verdict, message?: string): StoredResult => ({
		...{run: 'r1', verdict, passes: verdict === 'pass' ? 1 : 0, total: 1},
		...(message !== undefined && {message}),
	});
	t.deepEqual(kindOf([result('pass')]), ['known']);
	t.deepEqual(kindOf([result('fail', 'wrong')]), ['crash']);
	t.deepEqual(kindOf([result('crash', 'BUG')]), ['known']);
	t.deepEqual(kindOf([result('crash', 'Oops')]), ['crash']);
});

test('a failure is confirmed by reruns unless it is listed', t => {
	t.true(isToConfirm(event('fail'), undefined, []));
	t.true(isToConfirm(event('fail'), undefined, [{...entry, kernel: 'l'}]));
	t.false(isToConfirm(event('fail'), undefined, [entry]));
	t.false(isToConfirm(event('inconclusive'), undefined, []));
});

test('a failure is a regression if its reruns proved nothing', t => {
	const kinds = (rerun: Verdict) =>
		judgeNight({
			...{kernels: [], cells: [event('fail')], reruns: [event(rerun)], past: new Map(), known: [], before: []},
			isRequested: () => true,
		}).findings.map(({kind}) => kind);
	t.deepEqual([kinds('infra'), kinds('pass')], [['regression'], ['flaky']]);
});
