// SPDX-License-Identifier: GPL-2.0
import assert from 'node:assert/strict';
import {setTimeout as sleep} from 'node:timers/promises';
import test from 'ava';
import {BootError} from '../host/errors.ts';
import type {CellEvent, Event, KernelEvent} from '../results/run/events.ts';
import {FakeGuest, fakeCell} from '../test/fake-guest.ts';
import {cellsOf, runFake} from '../test/fake-matrix.ts';
import type {Cell} from './plan.ts';

// Waiting for a fake guest does not keep the process alive, unlike the connection to a real one.
const alive = setInterval(() => {}, 1000);
test.after.always('the process may end', () => clearInterval(alive));

const pass = () => fakeCell(async () => {});
const crash = () => fakeCell(() => Promise.reject(new TypeError('ours')));

test('clean cells share one guest, which is disposed at the end of the run', async t => {
	const {guests, events, verdicts} = await runFake([pass(), pass(), pass()]);
	t.deepEqual(verdicts, ['pass', 'pass', 'pass']);
	t.is(guests.length, 1);
	t.true(guests[0]!.isDisposed);
	t.like(events.at(-1), {type: 'end', exitCode: 0});
});

test('the start of a cell is announced before it runs, and its end before its verdict is final', async t => {
	const {events} = await runFake([pass()]);
	t.deepEqual(
		events.map(({type}) => type),
		['started', 'kernel', 'ended', 'cell', 'end'],
	);
});

test('a dirty guest is discarded before the next cell and before a rerun', async t => {
	const {guests, events, verdicts} = await runFake([pass(), crash(), pass()]);
	t.deepEqual(verdicts, ['pass', 'infra', 'pass']);
	t.is(guests.length, 3);
	t.true(guests.every(({isDisposed}) => isDisposed));
	t.is(events.filter(({type}) => type === 'kernel').length, 1, 'the kernel is announced once');
});

for (const isolation of ['restore', 'reboot'] as const) {
	test(`with ${isolation}, each cell has its own guest, and the previous guest has ended`, async t => {
		const open: boolean[] = [];
		const guests: FakeGuest[] = [];
		const {verdicts} = await runFake([pass(), pass(), pass()], {
			isolation,
			async bootGuest() {
				open.push(guests.every(({isDisposed}) => isDisposed));
				guests.push(new FakeGuest());
				return guests.at(-1)!;
			},
		});
		t.deepEqual(verdicts, ['pass', 'pass', 'pass']);
		t.deepEqual(open, [true, true, true]);
		t.true(guests.every(({isDisposed}) => isDisposed));
	});
}

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

test('a guest is only used for cells of its kernel', async t => {
	const booted: string[] = [];
	const cells = ['a', 'b', 'a'].map(kernel => fakeCell(async () => {}, {kernel}));
	await runFake(cells, {
		async bootGuest(kernel) {
			booted.push(kernel);
			return new FakeGuest();
		},
	});
	t.deepEqual(booted, ['a', 'b']);
});

const kernelsOf = (events: readonly Event[]) => events.filter((event): event is KernelEvent => event.type === 'kernel');
const of = (kernel: string, run: Cell['definition']['run'] = async () => {}) => fakeCell(run, {kernel});

test('a kernel that does not boot is reported once for all its cells', async t => {
	let boots = 0;
	const {events, verdicts} = await runFake([of('broken'), of('broken'), of('broken'), pass()], {
		workers: 2,
		leftOut: 7,
		async bootGuest(kernel) {
			if (kernel !== 'broken') return new FakeGuest();
			boots++;
			throw new BootError('it did not boot\nits console', {reason: 'it did not boot', console: 'its console'});
		},
	});
	t.deepEqual(verdicts, ['pass']);
	t.is(boots, 2, 'each worker had already started a boot');
	t.deepEqual(
		kernelsOf(events).filter(({state}) => state === 'failed'),
		[{...failed, reason: 'it did not boot', console: 'its console', notRun: 3}],
	);
	t.like(events.at(-1), {type: 'end', counts: {pass: 1, infra: 0}, notRun: 10, exitCode: 3});
});

const failed = {type: 'kernel', kernel: 'broken', state: 'failed'} as const;

test('a kernel that stops booting keeps its verdicts, and its other cells are reported once', async t => {
	let boots = 0;
	const cells = [of('broken'), of('broken', () => Promise.reject(new TypeError('ours'))), of('broken'), of('broken')];
	const {events} = await runFake([...cells, pass()], {
		async bootGuest(kernel) {
			if (kernel === 'broken' && ++boots > 1) throw new RangeError('no memory');
			return new FakeGuest();
		},
	});
	t.deepEqual(
		cellsOf(events).map(({kernel, verdict, again}) => `${kernel} ${verdict} ${again?.verdict ?? ''}`.trim()),
		['broken pass', 'broken infra', 'fake pass'],
		'the cell that could not be rerun keeps its verdict',
	);
	t.deepEqual(
		kernelsOf(events).map(({kernel, state, notRun}) => [kernel, state, notRun]),
		[
			['broken', 'ready', undefined],
			['broken', 'failed', 2],
			['fake', 'ready', undefined],
		],
	);
	t.is(boots, 2);
	t.like(events.at(-1), {notRun: 2, exitCode: 3});
});

test('cells that run while their kernel fails get a verdict, and the failure is reported after them', async t => {
	const [hasFailed, isFree] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
	let boots = 0;
	const slow = () =>
		of('broken', async () => {
			await hasFailed.promise;
			setTimeout(isFree.resolve, 50);
			await isFree.promise;
		});
	const {events} = await runFake([slow(), slow(), slow(), slow()], {
		workers: 2,
		async bootGuest() {
			if (++boots === 1) return new FakeGuest();
			setTimeout(hasFailed.resolve, 10);
			throw new BootError('no');
		},
	});
	t.deepEqual(
		cellsOf(events).map(({verdict}) => verdict),
		['pass'],
	);
	t.like(kernelsOf(events).at(-1), {state: 'failed', notRun: 3});
	t.like(events.at(-1), {counts: {pass: 1}, notRun: 3, exitCode: 3});
});

test('an inconclusive cell stays inconclusive if there is no guest to run it again', async t => {
	let boots = 0;
	const cell = of('broken', async context => context.inconclusive('no overlap'));
	const {events} = await runFake([cell, of('broken')], {
		isolation: 'restore',
		async bootGuest() {
			if (++boots > 1) throw new BootError('no');
			return new FakeGuest();
		},
	});
	t.deepEqual(
		cellsOf(events).map(({verdict, message}) => `${verdict}: ${message}`),
		['inconclusive: no overlap'],
	);
	t.like(kernelsOf(events).at(-1), {state: 'failed', notRun: 1});
});

test('a failure determines the exit code even if other cells are infra', async t => {
	const {events} = await runFake([crash(), fakeCell(async () => assert.fail('no'))]);
	t.like(events.at(-1), {type: 'end', exitCode: 1});
});

test('an interrupt ends the guests and the run at once; interrupted cells get no verdict', async t => {
	const interrupt = new AbortController();
	const reason = new Error('interrupted');
	const endless = fakeCell(async () => {
		setImmediate(() => interrupt.abort(reason));
		await new Promise(() => {});
	});
	const {settled, guests, verdicts} = await runFake([endless, pass()], {signal: interrupt.signal});
	t.like(settled, {status: 'rejected', reason});
	t.deepEqual(verdicts, []);
	t.true(guests[0]!.isDisposed);
});

test('an interrupt while a guest boots is no failure of the kernel', async t => {
	const interrupt = new AbortController();
	const reason = new Error('interrupted');
	const bootGuest = () => {
		interrupt.abort(reason);
		return Promise.reject(new Error('QEMU was stopped'));
	};
	const {settled, events} = await runFake([pass(), pass()], {signal: interrupt.signal, bootGuest});
	t.like(settled, {status: 'rejected', reason});
	t.deepEqual(
		events.filter(({type}) => type !== 'started'),
		[],
	);
});

test('workers run in parallel, each with its own guest', async t => {
	const both = Promise.withResolvers<void>();
	let running = 0;
	const meet = () =>
		fakeCell(async () => {
			if (++running === 2) both.resolve();
			await both.promise;
		});
	const {guests, verdicts} = await runFake([meet(), meet()], {workers: 2});
	t.deepEqual(verdicts, ['pass', 'pass']);
	t.is(guests.length, 2);
});

test('there are never more guests than cells', async t => {
	t.is((await runFake([pass()], {workers: 4})).guests.length, 1);
});

test('the cases with the longest deadlines start first', async t => {
	const cells = [1000, 3000, 2000].map(deadlineMs =>
		fakeCell(async () => {}, {id: `fake/of-${deadlineMs}`, deadlineMs}),
	);
	const {events} = await runFake(cells);
	t.deepEqual(
		events.filter(event => event.type === 'cell').map(event => event.case),
		['fake/of-3000', 'fake/of-2000', 'fake/of-1000'],
	);
});

test('the cells with the longest expected duration start first', async t => {
	const cells = [1, 2, 3].map(n => fakeCell(async () => {}, {id: `fake/of-${n}`}));
	const {events} = await runFake(cells, {expectedMs: cell => ({'fake/of-2': 9000, 'fake/of-3': 8000})[cell.case]});
	t.deepEqual(
		events.filter(event => event.type === 'cell').map(event => event.case),
		['fake/of-2', 'fake/of-3', 'fake/of-1'],
	);
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

test('a run from which cells were left out is not green', async t => {
	const {events} = await runFake([pass()], {leftOut: 1});
	t.like(events.at(-1), {type: 'end', counts: {pass: 1}, notRun: 1, exitCode: 3});
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

test('with kmemleak, a scan after each suite names the suite that leaked', async t => {
	// kmemleak tells a leak until it is told to forget it.
	let leaks = '';
	const cells = ['b/y', 'a/x', 'b/x', 'c/x'].map(id =>
		fakeCell(
			async () => {
				if (id === 'a/x') leaks = 'unreferenced object 0xffff888003ec6000 (size 256):\n';
			},
			{id},
		),
	);
	const {events} = await runFake(cells, {
		async bootGuest() {
			const guest = new FakeGuest();
			guest.options.add('CONFIG_DEBUG_KMEMLEAK');
			guest.exec = async command => {
				const stdout = command.startsWith('cat') ? leaks : '';
				if (command.startsWith('echo clear')) leaks = '';
				return {code: 0, stdout, stderr: ''};
			};
			return guest;
		},
	});
	t.deepEqual(
		events.filter(event => event.type === 'cell').map(event => `${event.case} ${event.verdict}`),
		['b/y', 'b/x', 'b/leak-scan', 'a/x', 'a/leak-scan', 'c/x', 'c/leak-scan'].map(
			id => `${id} ${id === 'a/leak-scan' ? 'fail' : 'pass'}`,
		),
	);
});

test('an error while writing events ends the run and its guests', async t => {
	const {settled, guests} = await runFake([pass(), pass()], {
		emit(event) {
			if (event.type === 'cell') throw new RangeError('disk full');
		},
	});
	t.is(settled?.status, 'rejected');
	t.true(guests.every(({isDisposed}) => isDisposed));
});
