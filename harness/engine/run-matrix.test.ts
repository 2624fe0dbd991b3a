// SPDX-License-Identifier: GPL-2.0
import assert from 'node:assert/strict';
import test from 'ava';
import {FakeGuest, fakeCell} from '../test/fake-guest.ts';
import {cellsOf, runFake} from '../test/fake-matrix.ts';
import {keepAlive} from '../test/keep-alive.ts';

keepAlive();

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

test('a run from which cells were left out is not green', async t => {
	const {events} = await runFake([pass()], {leftOut: 1});
	t.like(events.at(-1), {type: 'end', counts: {pass: 1}, notRun: 1, exitCode: 3});
});

test('with kmemleak, a scan after each suite names the suite that leaked', async t => {
	// kmemleak tells a leak that a second scan has confirmed, until it is told to forget it. It leaves out what is younger
	// than five seconds.
	let leaks = '';
	let leakedAt = 0;
	let scans = 0;
	const cells = ['b/y', 'a/x', 'b/x', 'c/x'].map(id =>
		fakeCell(
			async () => {
				if (id !== 'a/x') return;
				leaks = 'unreferenced object 0xffff888003ec6000 (size 256):\n';
				leakedAt = performance.now();
			},
			{id},
		),
	);
	const {events} = await runFake(cells, {
		async bootGuest() {
			const guest = new FakeGuest();
			guest.options.add('CONFIG_DEBUG_KMEMLEAK');
			guest.exec = async command => {
				const stdout = command.startsWith('cat') && scans > 1 ? leaks : '';
				if (command.startsWith('echo scan') && performance.now() - leakedAt >= 5000) scans++;
				if (command.startsWith('echo clear')) {
					leaks = '';
					scans = 0;
				}
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

test('with kmemleak, each kernel of a suite is asked for its leaks, in its own guest', async t => {
	const cells = ['a', 'b', 'c'].map(kernel => fakeCell(async () => {}, {kernel}));
	const {events} = await runFake(cells, {
		async bootGuest(kernel) {
			const guest = new FakeGuest();
			guest.options.add('CONFIG_DEBUG_KMEMLEAK');
			const leaks = kernel === 'b' ? 'unreferenced object 0xffff888003ec6000 (size 256):\n' : '';
			guest.exec = async command => ({code: 0, stdout: command.startsWith('cat') ? leaks : '', stderr: ''});
			return guest;
		},
	});
	t.deepEqual(
		cellsOf(events).map(event => `${event.kernel} ${event.case} ${event.verdict}`),
		['a', 'b', 'c'].flatMap(kernel => [
			`${kernel} fake/case pass`,
			`${kernel} fake/leak-scan ${kernel === 'b' ? 'fail' : 'pass'}`,
		]),
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
