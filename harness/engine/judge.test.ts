// SPDX-License-Identifier: GPL-2.0
import {AssertionError} from 'node:assert/strict';
import test from 'ava';
import type {KernelReport} from '../crash/crash-report.ts';
import {AgentError, LinkLostError} from '../host/errors.ts';
import {InconclusiveCase, SkipCase} from './case.ts';
import {DeadlineError, GuestEndedError, judge} from './judge.ts';

const report = {
	kind: 'oops',
	title: 'an oops',
	frames: [],
	isAsynchronous: false,
	hasPanicked: false,
	text: '',
} as const;
const stall: KernelReport = {...report, kind: 'stall', title: 'a stall'};
/** A breakpoint, and memory that holds none at that place. */
const stale: KernelReport = {
	...report,
	frames: ['fx_c+0x5/0x60 [fixtures]'],
	text: 'Oops: int3: 0000 [#1] PREEMPT SMP NOPTI\nCode: 66 90 f3 0f 1e fa e8 <a7> c5 02 00',
};
const nothing = {reports: [], isEmulated: false};
const assertion = new AssertionError({message: 'no'});

for (const [what, verdict, failure, found] of [
	['nothing', 'pass', undefined, {}],
	['a failed assertion', 'fail', assertion, {}],
	['an operation that the agent refused', 'fail', new AgentError('attach', {errno: 'EBUSY', message: 'no'}), {}],
	['a missed deadline', 'hang', new DeadlineError('late'), {}],
	['a lost link', 'hang', new LinkLostError('gone'), {}],
	['a guest that crashed', 'crash', new GuestEndedError({verdict: 'crash', message: 'reset'}), {}],
	['a QEMU that was killed', 'infra', new GuestEndedError({verdict: 'infra', message: 'killed'}), {}],
	['a skip', 'skip', new SkipCase('not here'), {}],
	['no proof', 'inconclusive', new InconclusiveCase('no overlap'), {}],
	['a bug of the case', 'infra', new TypeError('ours'), {}],
	['a report of the kernel, whatever else failed', 'crash', assertion, {reports: [report]}],
	['a stall', 'hang', undefined, {reports: [stall]}],
	['a stall after which the kernel panicked', 'crash', undefined, {reports: [{...stall, hasPanicked: true}]}],
	['a breakpoint that is not in memory', 'crash', undefined, {reports: [stale]}],
	['a breakpoint that is not in memory, in an emulator,', 'infra', undefined, {reports: [stale], isEmulated: true}],
	['a report of the kernel in an emulator', 'crash', undefined, {reports: [report], isEmulated: true}],
	['a console that cannot be judged', 'infra', assertion, {broken: {error: new Error('no such line')}}],
	['something left behind', 'fail', undefined, {left: {taint: 0, left: ['a file is open']}}],
] as const) {
	test(`${what} is ${verdict}`, t => {
		t.is(judge(failure, {...nothing, ...found}).verdict, verdict);
	});
}

test('flags that the kernel sets when it dies, warns, loses a page or locks up taint a cell; no others do', t => {
	const verdicts = Array.from({length: 19}, (_, bit) =>
		judge(undefined, {...nothing, left: {taint: 1 << bit, left: []}}),
	);
	// As Documentation/admin-guide/tainted-kernels.rst numbers them.
	const bad = new Set([5, 7, 9, 14]);
	t.deepEqual(
		verdicts.map(({verdict}) => verdict),
		Array.from({length: 19}, (_, bit) => (bad.has(bit) ? 'crash' : 'pass')),
	);
});

test('other reports of the kernel follow the first, each title once', t => {
	const others = ['b', 'an oops', 'c', 'b'].map(title => ({...report, title}));
	t.is(judge(undefined, {...nothing, reports: [report, ...others]}).message, 'an oops\nthen: b\nthen: c');
	t.is(judge(undefined, {...nothing, reports: [report, report]}).message, 'an oops');
});

test('a kernel that is tainted without a report is told before what the case left behind', t => {
	const left = {taint: 1 << 9, left: ['a file is open', 'a probe is set']};
	t.deepEqual(judge(undefined, {...nothing, left}), {
		verdict: 'crash',
		message: 'The kernel is tainted (512), but its console has no report.',
	});
	t.deepEqual(judge(undefined, {...nothing, left: {...left, taint: 1 << 12}}), {
		verdict: 'fail',
		message: 'a file is open, and a probe is set after the case.',
	});
});
