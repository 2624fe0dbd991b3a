// SPDX-License-Identifier: GPL-2.0
import test from 'ava';
import {UsageError} from '../host/errors.ts';
import type {KernelEvent} from '../results/run/events.ts';
import {parseRun} from '../results/run/read-run.ts';
import {bprobeSuite} from '../suites/bprobe/suite.ts';
import {asText, type FakeRun, fakeRun} from '../test/fake-run.ts';
import {defineCase} from './case.ts';
import {planCells} from './plan.ts';
import {resumeRun} from './resume.ts';

const cases = ['module/loads', 'race/storm'].map(id => defineCase({id, needs: [], deadlineMs: 1, async run() {}}));
const planned = planCells({kernels: ['k', 'l'], suite: bprobeSuite, cases, repeat: 2});
const named = (run: FakeRun) => ({
	name: 'earlier',
	record: parseRun(asText(fakeRun({isInterrupted: true, ...run})), 'earlier'),
});
const titles = (cells: readonly {kernel: string; case: string; repeat: number}[]) =>
	cells.map(({kernel, case: id, repeat}) => `${kernel} ${id} ${repeat}`);

test('cells with a verdict are taken over, and only the others are left', t => {
	const cells = {
		'k module/loads': ['pass', 'fail'],
		'k race/storm': ['inconclusive'],
		'l module/loads': ['skip'],
	} as const;
	const {left, earlier} = resumeRun(named({cells}), planned);
	t.deepEqual(titles(left), ['k race/storm 1', 'l module/loads 1', 'l race/storm 0', 'l race/storm 1']);
	t.deepEqual(titles(earlier.cells), ['k module/loads 0', 'k module/loads 1', 'k race/storm 0', 'l module/loads 0']);
});

test('infra cells run again', t => {
	const {left, earlier} = resumeRun(named({cells: {'k module/loads': ['infra', 'pass']}}), planned);
	t.true(titles(left).includes('k module/loads 0'));
	t.deepEqual(titles(earlier.cells), ['k module/loads 1']);
});

test('kernel events are taken over only for kernels without cells left', t => {
	const done = ['pass', 'pass'] as const;
	const kernels: readonly KernelEvent[] = [
		{type: 'kernel', kernel: 'k', state: 'ready'},
		{type: 'kernel', kernel: 'l', state: 'failed', reason: 'It did not boot then.'},
	];
	const {earlier} = resumeRun(
		named({cells: {'k module/loads': done, 'k race/storm': done, 'l module/loads': done}, kernels}),
		planned,
	);
	t.deepEqual(
		earlier.kernels.map(({kernel}) => kernel),
		['k'],
	);
});

test('leak scans belong to the plan of the cells before them', t => {
	const {earlier} = resumeRun(named({cells: {'k race/storm': ['pass'], 'k race/leak-scan': ['pass']}}), planned);
	t.is(earlier.cells.length, 2);
});

test('a run with other cells is refused, and the error names one of them', t => {
	for (const [title, message] of [
		[
			'm module/loads',
			/^earlier holds m module\/loads, repeat 0, which this command does not request: resume with the options of that run\.$/,
		],
		['k module/device', /holds k module\/device, repeat 0/],
	] as const) {
		t.throws(() => resumeRun(named({cells: {[title]: 'pass'}}), planned), {instanceOf: UsageError, message});
	}
	t.throws(() => resumeRun(named({cells: {'k race/storm': ['pass', 'pass', 'pass']}}), planned), {
		message: /holds k race\/storm, repeat 2/,
	});
});

test('subtests are taken over with their case, and belong to the plan', t => {
	const cells = {
		'k module/loads': ['pass', 'infra'],
		'k module/loads/first': ['fail', 'pass'],
	} as const;
	const {left, earlier} = resumeRun(named({cells}), planned);
	t.deepEqual(titles(earlier.cells), ['k module/loads 0', 'k module/loads/first 0']);
	t.true(titles(left).includes('k module/loads 1'));
	t.throws(() => resumeRun(named({cells: {'k module/other/first': ['pass']}}), planned), {instanceOf: UsageError});
});
