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

test('of the suites of a kernel, the one with the longest cell comes first, as a whole', t => {
	const cells = [
		...[cell('entry/short'), cell('entry/long', {deadlineMs: 2000})],
		...[cell('race/short', {deadlineMs: 100}), cell('race/longest', {deadlineMs: 5000})],
	];
	const queue = new CellQueue(cells);
	t.deepEqual(
		cells.map(() => queue.take()?.case),
		['race/longest', 'race/short', 'entry/long', 'entry/short'],
	);
});

test('a cell that has not run yet is taken to last a quarter of its deadline', t => {
	const [unknown, known] = [cell('entry/unknown', {deadlineMs: 4000}), cell('entry/known')];
	for (const [ms, first] of [
		[1001, 'entry/known'],
		[999, 'entry/unknown'],
	] as const)
		t.is(new CellQueue([unknown, known], each => (each === known ? ms : undefined)).take()?.case, first);
});
