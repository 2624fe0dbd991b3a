// SPDX-License-Identifier: GPL-2.0
import test from 'ava';
import {fakeRun} from '../../test/fake-run.ts';
import {cellTitle} from './cell-name.ts';
import type {CellEvent} from './events.ts';
import {inReadingOrder, joinOrders, orderFor, planOrder} from './reading-order.ts';

function cellsOf(...titles: readonly string[]): readonly CellEvent[] {
	return fakeRun({cells: Object.fromEntries(titles.map(title => [`k ${title}`, 'pass']))}).filter(
		event => event.type === 'cell',
	);
}

const titles = (cells: readonly CellEvent[]) =>
	cells.map(cell => `${cellTitle(cell)} ${cell.mechanism} ${cell.repeat}`);

test('the order is that of the plan: its suites, and those of the targets that it has', t => {
	const plan = [
		{case: 'race/storm', target: 'c'},
		{case: 'entry/flags', target: 'asm'},
		{case: 'race/other', target: 'c'},
		{case: 'module/loads'},
	];
	t.deepEqual(planOrder(plan, ['asm', 'asm-fentry', 'c', 'vmlinux']), {
		suites: ['race', 'entry', 'module'],
		targets: ['asm', 'c'],
	});
});

test('orders of several runs are joined, the first one first', t => {
	const [first, second] = [
		{suites: ['b', 'a'], targets: ['y']},
		{suites: ['a', 'c'], targets: ['x', 'y']},
	];
	t.deepEqual(joinOrders([first, undefined, second]), {suites: ['b', 'a', 'c'], targets: ['y', 'x']});
	t.deepEqual(joinOrders([]), {suites: [], targets: []});
});

test('cells are sorted by suite, case, mechanism, target and repeat, in this order', t => {
	const [kprobe] = cellsOf('b/one[y]').map(cell => ({...cell, mechanism: 'kprobe', alternative: true as const}));
	const repeats = [2, 10, 1].map(repeat => ({...cellsOf('b/one[x]')[0]!, repeat}));
	const cells = [kprobe!, ...repeats, ...cellsOf('c/last', 'b/two', 'a/one', 'b/one[y]', 'b/one[z]', 'b/one')];
	t.deepEqual(titles(inReadingOrder(cells, {suites: ['b', 'a'], targets: ['y', 'x']})), [
		'b/one bprobe 0',
		'b/one[y] bprobe 0',
		'b/one[x] bprobe 1',
		'b/one[x] bprobe 2',
		'b/one[x] bprobe 10',
		'b/one[z] bprobe 0',
		'b/one[y]@kprobe kprobe 0',
		'b/two bprobe 0',
		'a/one bprobe 0',
		'c/last bprobe 0',
	]);
});

test('only suites and targets that occur have a place', t => {
	const order = {suites: ['z', 'b', 'a'], targets: ['x', 'y']};
	t.deepEqual(orderFor(cellsOf('a/one[y]', 'c/one', 'b/one[q]'), order), {
		suites: ['b', 'a', 'c'],
		targets: [undefined, 'y', 'q'],
	});
	t.deepEqual(orderFor(cellsOf('b/one[q]', 'a/one')), {suites: ['b', 'a'], targets: [undefined, 'q']});
});
