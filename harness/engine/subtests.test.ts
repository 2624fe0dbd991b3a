// SPDX-License-Identifier: GPL-2.0
import assert from 'node:assert/strict';
import test from 'ava';
import {FakeGuest, fakeCell} from '../test/fake-guest.ts';
import {cellsOf, runFake} from '../test/fake-matrix.ts';
import {keepAlive} from '../test/keep-alive.ts';
import type {Cell} from './plan.ts';

keepAlive();

const pass = () => fakeCell(async () => {});

const withSubtests = (verdict: 'pass' | 'fail', id = 'fake/case') =>
	fakeCell(
		async ({subtest}) => {
			subtest({name: 'one', verdict: 'pass'});
			subtest({name: 'two', verdict, ...(verdict === 'fail' && {message: 'no'})});
		},
		{id},
	);

test('subtests are cells after that of their case, and count', async t => {
	const {events} = await runFake([withSubtests('fail')]);
	t.deepEqual(
		cellsOf(events).map(({case: id, verdict, message}) => [id, verdict, message]),
		[
			['fake/case', 'pass', undefined],
			['fake/case/one', 'pass', undefined],
			['fake/case/two', 'fail', 'no'],
		],
	);
	t.like(events.at(-1), {type: 'end', counts: {pass: 2, fail: 1}, exitCode: 1});
});

test('only the subtests that were asked for are cells', async t => {
	const cell = (match: readonly string[]): Cell => ({...withSubtests('pass'), match});
	const ids = async (match: readonly string[]) =>
		cellsOf((await runFake([cell(match)])).events).map(({case: id}) => id);
	t.deepEqual(await ids(['fake/case/tw*']), ['fake/case', 'fake/case/two']);
	t.deepEqual(await ids(['fake/case']), ['fake/case', 'fake/case/one', 'fake/case/two']);
	const {events} = await runFake([{...cell(['fake/case[asm]']), target: 'asm'}]);
	t.is(cellsOf(events).length, 3, 'chosen by the case with its target');
});

test('a rerun that passes makes a failed subtest flaky', async t => {
	let runs = 0;
	const cell = fakeCell(async ({subtest}) => {
		runs++;
		subtest({name: 'sub', verdict: runs === 1 ? 'fail' : 'pass', ...(runs === 1 && {message: 'no'})});
		subtest({name: 'other', verdict: 'pass'});
		assert.ok(runs > 1);
	});
	const {events} = await runFake([cell]);
	const [, sub, other] = cellsOf(events);
	t.like(sub, {case: 'fake/case/sub', verdict: 'fail', again: {verdict: 'pass'}, flaky: true});
	t.like(other, {case: 'fake/case/other', verdict: 'pass', again: undefined, flaky: undefined});
});

test('a subtest that fails its rerun has both messages', async t => {
	let runs = 0;
	const cell = fakeCell(async ({subtest}) => {
		subtest({name: 'sub', verdict: 'fail', message: `run ${++runs}`});
		assert.fail('no');
	});
	const [, event] = cellsOf((await runFake([cell])).events);
	t.like(event, {verdict: 'fail', message: 'run 1', again: {verdict: 'fail', message: 'run 2'}});
	t.false('flaky' in event!);
});

test('a cell that must be alone gets a guest that no other cell uses', async t => {
	const alone = fakeCell(async () => {}, {isAlone: true});
	const {guests, verdicts} = await runFake([pass(), alone, alone, pass(), pass()]);
	t.deepEqual(verdicts, ['pass', 'pass', 'pass', 'pass', 'pass']);
	t.is(guests.length, 4);
});

test('a report that comes right after a cell that is alone is its own', async t => {
	const cell = fakeCell(async () => {}, {isAlone: true});
	const {verdicts} = await runFake([cell], {
		async bootGuest() {
			const guest = new FakeGuest();
			const {ask} = guest;
			let marks = 0;
			guest.ask = (async (op: string, request: never) => {
				// Between the end of the case and the mark of its end.
				if (op === 'mark' && ++marks === 2) guest.say('[    1.0] Kernel panic - not syncing: late');
				return ask(op as never, request);
			}) as never;
			return guest;
		},
	});
	t.deepEqual(verdicts, ['crash']);
});
