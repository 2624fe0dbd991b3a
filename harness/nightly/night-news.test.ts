// SPDX-License-Identifier: GPL-2.0
import test from 'ava';
import {countVerdicts} from '../results/run/cell-name.ts';
import {parseRun} from '../results/run/read-run.ts';
import type {Verdict} from '../results/run/verdict.ts';
import {asText, fakeRun} from '../test/fake-run.ts';
import {judgeNight} from './judge-night.ts';
import {newsOf} from './night-news.ts';

const ends: Readonly<Record<string, readonly Verdict[]>> = {
	'k a/well': ['pass'],
	'k a/known': ['fail'],
	'k a/new': ['fail'],
	'k a/crashed': ['pass', 'crash'],
	'k a/flaky': ['fail'],
	'k race/idle': ['inconclusive'],
};

test('the news of a night are new failures and inconclusive cells, each cell once', t => {
	const record = parseRun(
		asText(fakeRun({cells: {...ends, 'k a/new': ['fail', 'fail', 'fail'], 'k a/flaky': ['fail', 'pass', 'pass']}})),
		'x',
	);
	const report = judgeNight({
		kernels: [
			...record.kernels,
			{type: 'kernel', kernel: 'asked', state: 'unavailable', reason: 'no network'},
			{type: 'kernel', kernel: 'never', state: 'unavailable', reason: 'no such tree'},
		],
		cells: parseRun(asText(fakeRun({cells: ends})), 'x').cells,
		reruns: record.cells.filter(({case: id, repeat}) => ['a/new', 'a/flaky'].includes(id) && repeat > 0),
		past: new Map(),
		known: [{case: 'a/known', since: '2026-01-01', reason: 'it is'}],
		before: [],
		isRequested: kernel => kernel === 'asked',
	});
	const news = newsOf(report, record);
	t.deepEqual(
		news.cells.map(({case: id, verdict}) => `${id} ${verdict}`),
		['a/new fail', 'a/crashed crash', 'race/idle inconclusive'],
	);
	t.deepEqual(
		news.kernels.map(({kernel}) => kernel),
		['asked'],
	);
	t.is(countVerdicts(record.cells).fail, 5, 'there was more');
});
