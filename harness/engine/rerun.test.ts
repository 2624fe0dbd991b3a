// SPDX-License-Identifier: GPL-2.0
import assert from 'node:assert/strict';
import test from 'ava';
import type {CellEvent} from '../results/run/events.ts';
import {FakeGuest, fakeCell} from '../test/fake-guest.ts';
import {cellsOf, runFake} from '../test/fake-matrix.ts';
import {keepAlive} from '../test/keep-alive.ts';

keepAlive();

test('an inconclusive cell runs once more, and only once', async t => {
	const answers = ['inconclusive', 'pass', 'inconclusive', 'inconclusive', 'pass'];
	const ask = () =>
		fakeCell(async context => {
			if (answers.shift() === 'inconclusive') context.inconclusive('no overlap');
		});
	const {guests, verdicts, events} = await runFake([ask(), ask()]);
	// A passed cell is reported later, when its guest can no longer report a problem.
	t.deepEqual(verdicts.toSorted(), ['inconclusive', 'pass']);
	t.deepEqual(answers, ['pass']);
	for (const cell of cellsOf(events)) t.like(cell, {evidence: {askedBefore: 'inconclusive: no overlap'}});
	t.is(guests.length, 1);
});

test('a fault of the emulator is retried in a fresh guest; under acceleration the same report is a crash', async t => {
	const oops =
		'[    1.0] Oops: int3: 0000 [#1] SMP\n[    1.0] RIP: 0010:fx_c+0x5/0x60\n[    1.0] Code: fa e8 <a7> c5\n';
	for (const [isEmulated, expected] of [
		[true, {verdict: 'pass', evidence: {askedBefore: /^infra: QEMU executed a breakpoint .*fx_c/}}],
		[false, {verdict: 'crash', message: 'int3 in fx_c'}],
	] as const) {
		const guests: FakeGuest[] = [];
		const cell = fakeCell(async () => {
			if (guests.length === 1) guests[0]!.say(oops);
		});
		const {events} = await runFake([cell], {
			async bootGuest() {
				guests.push(Object.assign(new FakeGuest(), {isEmulated}));
				return guests.at(-1)!;
			},
		});
		const [{verdict, message, evidence}] = cellsOf(events) as [CellEvent];
		t.is(verdict, expected.verdict);
		if ('message' in expected) t.is(message, expected.message);
		else t.regex(String(evidence?.askedBefore), expected.evidence.askedBefore);
		t.is(guests.length, 2, 'the faulty guest is not used again');
	}
});

test('a cell that passes its rerun is flaky and counts as failed', async t => {
	let runs = 0;
	const cell = fakeCell(async () => assert.equal(++runs, 2, 'the first run'));
	const {events, guests} = await runFake([cell]);
	t.like(
		events.find(({type}) => type === 'cell'),
		{verdict: 'fail', flaky: true, again: {verdict: 'pass'}},
	);
	t.is(events.filter(({type}) => type === 'cell').length, 1);
	t.is(guests.length, 2, 'the second run has its own guest');
	t.like(events.at(-1), {exitCode: 1});
});

test('a cell that fails its rerun is not flaky, and its event has both messages', async t => {
	let runs = 0;
	const cell = fakeCell(async () => assert.fail(`run ${++runs}`));
	const {events} = await runFake([cell]);
	const event = events.find((each): each is CellEvent => each.type === 'cell')!;
	t.like(event, {verdict: 'fail', message: 'run 1', again: {verdict: 'fail', message: 'run 2'}});
	t.is(event.flaky, undefined);
});

test('if everything fails, only some cells are rerun', async t => {
	let runs = 0;
	const cells = Array.from({length: 20}, () => fakeCell(async () => assert.fail(`run ${++runs}`)));
	await runFake(cells);
	t.is(runs, 28);
});

test('cells that pass their rerun do not count towards those: a flaky kernel is no broken one', async t => {
	const runs = new Map<number, number>();
	const cells = Array.from({length: 20}, (_, n) =>
		fakeCell(async () => {
			runs.set(n, (runs.get(n) ?? 0) + 1);
			assert.equal(runs.get(n), 2, 'the first run');
		}),
	);
	const {events} = await runFake(cells);
	t.is(cellsOf(events).filter(({flaky}) => flaky).length, 20);
});

test('the memory of a guest in which a cell is run again to tell whether it is flaky is not saved', async t => {
	let files = 0;
	const cell = fakeCell(async () => assert.fail('no'), {id: 'fake/fails'});
	const guests: FakeGuest[] = [];
	const crashing = fakeCell(async () => {
		guests.at(-1)!.end({verdict: 'crash', message: 'The guest powered off.'});
		await new Promise(() => {});
	});
	const {events} = await runFake([crashing, cell], {
		async bootGuest() {
			const saveMemory = async () => ({path: `${++files}.vmcore`, bytes: 1});
			guests.push(Object.assign(new FakeGuest(), {saveMemory}));
			return guests.at(-1)!;
		},
	});
	t.deepEqual(
		cellsOf(events).map(({verdict, memory}) => [verdict, memory?.path]),
		[
			['crash', '1.vmcore'],
			['fail', undefined],
		],
	);
	t.is(files, 1);
});
