import test from 'ava';
import {bprobe} from '../mechanisms/bprobe.ts';
import {CellQueue} from './cell-queue.ts';
import type {Cell} from './plan.ts';

function cell(id: string, {isBusy = false, kernel = 'k', deadlineMs = 1000} = {}): Cell {
	const definition = {id, needs: [], deadlineMs, ...(isBusy && {isBusy: true as const}), async run() {}};
	return {kernel, mechanism: 'bprobe', case: id, definition, mechanismUsed: bprobe, targetKind: 'c', repeat: 0};
}

const races = ['race/a', 'race/b', 'race/c'].map(id => cell(id, {isBusy: true, deadlineMs: 9000}));
const others = ['entry/a', 'entry/b'].map(id => cell(id));

test('one busy cell runs at a time, beside those that wait', t => {
	const queue = new CellQueue([...others, ...races]);
	const [first, second] = [queue.take(), queue.take()];
	t.deepEqual([first?.case, second?.case], ['race/a', 'entry/a']);
	t.is(queue.take(first)?.case, 'race/b', 'whose lane is free takes the next busy one');
	t.is(queue.take(second)?.case, 'entry/b');
});

test('nobody waits: what is left runs together', t => {
	const queue = new CellQueue(races);
	t.deepEqual(
		[queue.take(), queue.take(), queue.take(), queue.take()].map(each => each?.case),
		['race/a', 'race/b', 'race/c', undefined],
	);
	const idle = new CellQueue(others);
	t.deepEqual(
		[idle.take(), idle.take()].map(each => each?.case),
		['entry/a', 'entry/b'],
	);
});

test('kernel after kernel, and of each the longest first', t => {
	const [long, short] = [cell('entry/long', {deadlineMs: 5000}), cell('entry/short')];
	const queue = new CellQueue([short, long, cell('race/x', {kernel: 'l', isBusy: true})]);
	t.deepEqual(
		[queue.take(), queue.take(), queue.take()].map(each => `${each?.kernel} ${each?.case}`),
		['k entry/long', 'k entry/short', 'l race/x'],
	);
	const known = new CellQueue([short, long], each => (each === short ? 10 : 1));
	t.is(known.take()?.case, 'entry/short');
});
