// SPDX-License-Identifier: GPL-2.0
import {setTimeout as sleep} from 'node:timers/promises';
import test from 'ava';
import type {CellEvent, Event} from '../results/run/events.ts';
import {FakeGuest, fakeCell} from '../test/fake-guest.ts';
import {cellsOf, runFake} from '../test/fake-matrix.ts';
import {keepAlive} from '../test/keep-alive.ts';

keepAlive();

const pass = () => fakeCell(async () => {});

const warning = (title: string) => `[    1.5] WARNING: CPU: 1 PID: 22 at a.c:1 ${title}+0x1/0x2 [fixtures]
[    1.5] CPU: 1 PID: 22 Comm: kworker/1:0 Tainted: G
[    1.5] Workqueue: events ${title} [fixtures]
[    1.5] ---[ end trace 0000000000000000 ]---`;

/** A cell `late` whose guest reports a warning some time after it. */
function lateWorld(afterMs: number) {
	let guest: FakeGuest | undefined;
	const late = fakeCell(
		async () => {
			const own = guest!;
			setTimeout(() => own.say(warning('fx_late')), afterMs);
		},
		{id: 'fake/late'},
	);
	const bootGuest = async () => (guest = new FakeGuest());
	return {late, bootGuest};
}

const outcomes = (events: readonly Event[]) =>
	Object.fromEntries(
		events
			.filter((event): event is CellEvent => event.type === 'cell')
			.map(({case: id, verdict, message}) => [id, message ? `${verdict}: ${message.split('\n')[0]}` : verdict]),
	);

test('a report during the next cell is charged to the cell that caused it', async t => {
	const {late, bootGuest} = lateWorld(30);
	const next = fakeCell(context => context.during(100), {id: 'fake/next'});
	const {events} = await runFake([late, next], {bootGuest, lateMs: 200});
	t.deepEqual(outcomes(events), {'fake/late': 'crash: WARNING in fx_late [fixtures]', 'fake/next': 'pass'});
	t.like(events.at(-1), {exitCode: 1});
});

test('of many cells before a report, the newest are looked at', async t => {
	const {late, bootGuest} = lateWorld(30);
	const ran: string[] = [];
	const before = Array.from({length: 6}, (_, n) =>
		fakeCell(async () => void ran.push(`${n}`), {id: `fake/before-${n}`}),
	);
	const next = fakeCell(context => context.during(100), {id: 'fake/next'});
	const {events} = await runFake([...before, late, next], {bootGuest, lateMs: 2000});
	t.is(outcomes(events)['fake/late'], 'crash: WARNING in fx_late [fixtures]');
	t.deepEqual(ran, ['0', '1', '2', '3', '4', '5'], 'none of them ran again');
});

for (const [verdict, report, words] of [
	['crash', warning('fx_late'), 'WARNING in fx_late [fixtures]'],
	[
		'hang',
		'[    1.5] rcu: INFO: rcu_preempt self-detected stall on CPU\n[    1.5] RIP: 0010:fx_late+0x11/0x20 [fixtures]\n[    1.6] ---[ end trace 0 ]---',
		'INFO: rcu_preempt stall in fx_late [fixtures]',
	],
] as const) {
	test(`a report between two cells is a ${verdict} of the first, and neither is run to find that out`, async t => {
		const ran: string[] = [];
		const first = fakeCell(async () => void ran.push('first'), {id: 'fake/first'});
		// Not one that passes: its late reports would be waited for.
		const second = fakeCell(async context => context.skip('not here'), {id: 'fake/second'});
		let isSaid = false;
		const {events} = await runFake([first, second], {
			lateMs: 3_600_000,
			async bootGuest() {
				const guest = new FakeGuest();
				const {ask} = guest;
				// Said once the second cell is under way, but printed before the kernel marked its begin.
				guest.ask = (async (op: 'mark', request: {text: string}) => {
					if (op === 'mark' && request.text.startsWith('begin fake/second') && !isSaid) {
						isSaid = true;
						guest.say(report);
					}
					return ask(op, request);
				}) as typeof ask;
				return guest;
			},
		});
		t.deepEqual(outcomes(events), {'fake/first': `${verdict}: ${words}`, 'fake/second': 'skip: not here'});
		t.deepEqual(ran, ['first']);
	});
}

test('of the cells before a report, the one that causes the same report again is charged, not one with another', async t => {
	let guest: FakeGuest | undefined;
	const titles = new Map([
		['fake/first', 'fx_first'],
		['fake/second', 'fx_second'],
	]);
	let isAlone = false;
	const cells = [...titles].map(([id, title]) =>
		fakeCell(
			async () => {
				// In a guest of their own both have a report; before, only that of the first came, and late.
				if (isAlone) guest!.say(warning(title));
			},
			{id},
		),
	);
	const third = fakeCell(
		async () => {
			if (isAlone) return;
			isAlone = true;
			guest!.say(warning('fx_first'));
			await new Promise(() => {});
		},
		{id: 'fake/third'},
	);
	const {events} = await runFake([...cells, third], {
		bootGuest: async () => (guest = new FakeGuest()),
		lateMs: 2000,
		isConfirming: false,
	});
	t.deepEqual(outcomes(events)['fake/first'], 'crash: WARNING in fx_first [fixtures]');
	t.deepEqual([outcomes(events)['fake/second'], outcomes(events)['fake/third']], ['pass', 'pass']);
});

test('a report after the last cell is charged to the cell that causes it again', async t => {
	const {late, bootGuest} = lateWorld(100);
	const next = fakeCell(async () => {}, {id: 'fake/next'});
	const {events} = await runFake([late, next], {bootGuest, lateMs: 3000});
	t.deepEqual(outcomes(events), {'fake/late': 'crash: WARNING in fx_late [fixtures]', 'fake/next': 'pass'});
});

test('a slow guest has more time for its late reports after the last cell', async t => {
	let guest: FakeGuest | undefined;
	let runs = 0;
	const late = fakeCell(
		async () => {
			const own = guest!;
			setTimeout(() => own.say(warning('fx_late')), runs++ === 0 ? 1000 : 0);
		},
		{id: 'fake/late'},
	);
	const bootGuest = async () => (guest = Object.assign(new FakeGuest(), {slowness: 20}));
	const {events} = await runFake([late], {bootGuest, lateMs: 100});
	t.deepEqual(outcomes(events), {'fake/late': 'crash: WARNING in fx_late [fixtures]'});
});

test('a report of a kernel worker is charged to the cell that woke the worker', async t => {
	let guest: FakeGuest | undefined;
	const own = fakeCell(
		async () => {
			guest!.say(warning('fx_own'));
			await new Promise(() => {});
		},
		{id: 'fake/own'},
	);
	const first = fakeCell(async () => {}, {id: 'fake/first'});
	const {events} = await runFake([first, own], {bootGuest: async () => (guest = new FakeGuest()), lateMs: 200});
	t.deepEqual(outcomes(events), {'fake/first': 'pass', 'fake/own': 'crash: WARNING in fx_own [fixtures]'});
});

test('a report by the task of a cell is that cell’s, and nothing runs again to find that out', async t => {
	let guest: FakeGuest | undefined;
	const ran: string[] = [];
	const own = fakeCell(
		async () => {
			ran.push('own');
			guest!.say(
				warning('fx_own')
					.replace('kworker/1:0', 'agent')
					.replace(/^.*Workqueue.*\n/m, ''),
			);
			await new Promise(() => {});
		},
		{id: 'fake/own'},
	);
	const first = fakeCell(async () => void ran.push('first'), {id: 'fake/first'});
	const {events} = await runFake([first, own], {
		bootGuest: async () => (guest = new FakeGuest()),
		lateMs: 60_000,
		isConfirming: false,
	});
	t.deepEqual(outcomes(events), {'fake/first': 'pass', 'fake/own': 'crash: WARNING in fx_own [fixtures]'});
	t.deepEqual(ran, ['first', 'own']);
});

test('in a slow guest, more cells before a report may have caused it', async t => {
	let guest: FakeGuest | undefined;
	let isAlone = false;
	const late = fakeCell(
		async () => {
			if (isAlone) guest!.say(warning('fx_late'));
		},
		{id: 'fake/late'},
	);
	const second = fakeCell(() => sleep(60), {id: 'fake/second'});
	const third = fakeCell(
		async () => {
			if (isAlone) return;
			isAlone = true;
			guest!.say(warning('fx_late'));
			await new Promise(() => {});
		},
		{id: 'fake/third'},
	);
	const {events} = await runFake([late, second, third], {
		lateMs: 20,
		isConfirming: false,
		bootGuest: async () => (guest = Object.assign(new FakeGuest(), {slowness: 100})),
	});
	t.deepEqual(outcomes(events), {
		'fake/late': 'crash: WARNING in fx_late [fixtures]',
		'fake/second': 'pass',
		'fake/third': 'pass',
	});
});

test('verdicts that a late report could still have changed are not lost by an interrupt', async t => {
	const interrupt = new AbortController();
	const endless = fakeCell(
		async () => {
			setImmediate(() => interrupt.abort(new Error('interrupted')));
			await new Promise(() => {});
		},
		{id: 'fake/endless'},
	);
	const {events} = await runFake([pass(), endless], {signal: interrupt.signal, lateMs: 60_000});
	t.deepEqual(outcomes(events), {'fake/case': 'pass'});
});

test('the memory of a guest that crashed is saved once, also if another cell is charged', async t => {
	const {late, bootGuest} = lateWorld(30);
	const next = fakeCell(context => context.during(100), {id: 'fake/next'});
	let files = 0;
	const {events} = await runFake([late, next], {
		lateMs: 200,
		async bootGuest() {
			const saveMemory = async () => ({path: `${++files}.vmcore`, bytes: 1});
			return Object.assign(await bootGuest(), {saveMemory});
		},
	});
	t.deepEqual(
		cellsOf(events).map(({case: id, memory}) => [id, memory?.path]),
		[
			['fake/late', '1.vmcore'],
			['fake/next', undefined],
		],
	);
	t.is(files, 1, 'neither those that passed nor the one that was run to find the culprit');
});
