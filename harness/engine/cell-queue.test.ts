// SPDX-License-Identifier: GPL-2.0
import test from 'ava';
import {fakeCell} from '../test/fake-guest.ts';
import {CellQueue} from './cell-queue.ts';
import type {Cell} from './plan.ts';

function cell(id: string, {kernel = 'k', deadlineMs = 1000} = {}): Cell {
	return fakeCell(async () => {}, {id, kernel, deadlineMs});
}

test('cells are taken kernel by kernel, the longest first', t => {
	const [long, short] = [cell('entry/long', {deadlineMs: 5000}), cell('entry/short')];
	const queue = new CellQueue([short, long, cell('race/x', {kernel: 'l'})]);
	t.deepEqual(
		[queue.take(), queue.take(), queue.take()].map(each => `${each?.kernel} ${each?.case}`),
		['k entry/long', 'k entry/short', 'l race/x'],
	);
	const known = new CellQueue([short, long], each => (each === short ? 10 : 1));
	t.is(known.take()?.case, 'entry/short');
});

test('giving up a kernel keeps the cells of other kernels', t => {
	const queue = new CellQueue([cell('entry/a'), cell('entry/b'), cell('race/x', {kernel: 'l'})]);
	t.is(queue.giveUp('k'), 2);
	t.deepEqual([queue.take()?.kernel, queue.take()], ['l', undefined]);
});
