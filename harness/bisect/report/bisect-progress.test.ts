// SPDX-License-Identifier: GPL-2.0
import test from 'ava';
import {captureStderr} from '../../test/capture-stderr.ts';
import {withWorkflow} from '../../test/fake-cli.ts';
import type {Step} from '../engine/journal.ts';
import {formatMs, sayStep, sayVerification} from './bisect-progress.ts';

const step: Step = {
	type: 'step',
	stage: 'commits',
	role: 'parent',
	candidate: {id: 'abc', title: 'abc: a commit'},
	verdict: 'skip',
	failed: 0,
	asked: 0,
	reason: 'It did not boot; the end of its console:\n::error::a guest said so',
	prepareMs: 0,
	ms: 0,
};

/** What `work` writes to standard error, inside a GitHub workflow if `workflow` is 'true'. */
async function said(workflow: string, work: () => void): Promise<string> {
	return captureStderr(() => withWorkflow(workflow, work));
}

test.serial('console text of a guest cannot inject GitHub workflow commands', async t => {
	const plain = await said('', () => sayVerification(step));
	t.regex(plain, /^probe-matrix: parent abc: a commit: skip, It did not boot.*:\n::error::a guest said so, 0 s\n$/);
	const [first, ...rest] = (await said('true', () => sayVerification(step))).trimEnd().split('\n');
	const [, token] = /^::stop-commands::(\S+)$/.exec(first!) ?? [];
	t.is(rest.pop(), `::${token}::`);
	t.is(`${rest.join('\n')}\n`, plain);
});

test.serial('each step tells its verdict, and how much is left', async t => {
	const judged: Step = {
		...{type: 'step', stage: 'commits', role: 'step', candidate: {id: 'abc', title: 'abc'}, verdict: 'bad'},
		...{failed: 3, asked: 3, prepareMs: 60_000, ms: 3000, isReused: false},
	};
	const progress = {left: {candidates: 3, steps: 2}, repeats: 10, steps: [judged]};
	const line = (changed: Partial<Step>, left = progress.left) =>
		said('', () => sayStep({...judged, ...changed}, {...progress, left}));
	// Two steps of one minute to build and ten attempts of one second.
	t.is(await line({}), 'probe-matrix: step abc: bad, 3 of 3 failed, 1:03 min; 3 left, about 2 steps, 2:20 min\n');
	t.regex(await line({role: 'good end'}, {candidates: 1, steps: 1}), /; 1 left, about 1 step, 1:10 min\n$/);
	// One that was never asked says nothing about an attempt; one that was asked once does.
	const more = [judged, {...judged, asked: 0, ms: 100_000}, {...judged, asked: 1, ms: 5000, isReused: true}];
	t.regex(await said('', () => sayStep(judged, {...progress, steps: more})), /about 2 steps, 2:40 min\n$/);
	t.is(
		await line({role: 'parent'}),
		'probe-matrix: parent abc: bad, 3 of 3 failed, 1:03 min; it had been taken for good, so the search goes on before it\n',
	);
	t.regex(await line({role: 'parent', verdict: 'good', failed: 0}), /0 of 3 failed, 1:03 min\n$/);
	t.regex(await line({role: 'bad end'}), /3 of 3 failed, 1:03 min\n$/);
	t.regex(
		await line({sameAs: {id: 'd', title: 'd'}, isReused: true}),
		/bad, the same image as d, 1:03 min, nothing built;/,
	);
});

test('times are in the unit that shows them shortest', t => {
	t.deepEqual([0, 59_400, 59_500, 61_000, 3_599_000, 3_600_000, 7_800_000].map(formatMs), [
		'0 s',
		'59 s',
		'1:00 min',
		'1:01 min',
		'59:59 min',
		'1:00 h',
		'2:10 h',
	]);
});
