// SPDX-License-Identifier: GPL-2.0
import test from 'ava';
import {UsageError} from '../host/errors.ts';
import {cellTitle} from '../results/run/cell-name.ts';
import {allCases} from '../suites/bprobe/cases/all.ts';
import {fakeSuite} from '../test/fake-guest.ts';
import {defineCase} from './case.ts';
import {planCells} from './plan.ts';

const run = () => Promise.resolve();
const cases = [
	defineCase({id: 'module/loads', needs: [], deadlineMs: 1, run}),
	defineCase({id: 'entry/flags', needs: [], targets: ['asm', 'asm-fentry', 'c'], deadlineMs: 1, run}),
	defineCase({id: 'return/flags', needs: [], targets: ['asm', 'c'], deadlineMs: 1, run}),
];
function titles(match: readonly string[], {repeat = 1, kernels = ['k']} = {}): readonly string[] {
	return planCells({kernels, suite: fakeSuite, cases, match, repeat}).map(cellTitle);
}

test('without globs, each case has a cell per target', t => {
	t.deepEqual(titles([]), [
		'module/loads',
		'entry/flags[asm]',
		'entry/flags[asm-fentry]',
		'entry/flags[c]',
		'return/flags[asm]',
		'return/flags[c]',
	]);
});

test('brackets in a glob are literal', t => {
	t.deepEqual(titles(['entry/flags[asm]']), ['entry/flags[asm]']);
	t.deepEqual(titles(['*[c]']), ['entry/flags[c]', 'return/flags[c]']);
	t.deepEqual(titles(['entry/flag?[asm*']), ['entry/flags[asm]', 'entry/flags[asm-fentry]']);
});

test('a glob without brackets matches every target', t => {
	t.deepEqual(titles(['return/flags']), ['return/flags[asm]', 'return/flags[c]']);
});

test('a dot in a glob is literal', t => {
	t.throws(() => titles(['module.loads']), {instanceOf: UsageError});
});

test('a cell that two globs match is planned once', t => {
	t.deepEqual(titles(['module/*', '*/loads']), ['module/loads']);
});

test('each cell is planned `repeat` times for each kernel', t => {
	const cells = planCells({kernels: ['a', 'b'], suite: fakeSuite, cases, match: ['module/*'], repeat: 2});
	t.deepEqual(
		cells.map(({kernel, repeat}) => [kernel, repeat]),
		[
			['a', 0],
			['a', 1],
			['b', 0],
			['b', 1],
		],
	);
});

test('every glob must match; the error for a misspelt one suggests a case', t => {
	t.throws(() => titles(['module/*', 'entry/falgs']), {
		instanceOf: UsageError,
		message: 'No case matches entry/falgs; did you mean entry/flags?',
	});
	t.throws(() => titles(['entirely/different-from-all']), {
		instanceOf: UsageError,
		message: 'No case matches entirely/different-from-all.',
	});
});

test('every case has a unique id', t => {
	const ids = allCases.map(({id}) => id);
	t.deepEqual(ids, [...new Set(ids)]);
});

test('a glob for subtests plans their case, which knows them only when it runs', t => {
	t.deepEqual(titles(['module/loads/first*']), ['module/loads']);
	t.deepEqual(titles(['module/l*/x']), ['module/loads']);
	t.throws(() => titles(['module/unloads/x']), {instanceOf: UsageError});
});

const several = {
	...fakeSuite,
	mechanisms: ['first', 'second', 'third'].map(id => ({id, features: new Set<string>()})),
};

test('the first mechanism of a suite is run unless others are asked for, in the order of the suite', t => {
	const mechanisms = (asked?: readonly string[]) =>
		planCells({kernels: ['k'], suite: several, cases: cases.slice(0, 1), mechanisms: asked}).map(cellTitle);
	t.deepEqual(mechanisms(), ['module/loads']);
	t.deepEqual(mechanisms([]), ['module/loads']);
	t.deepEqual(mechanisms(['third', 'first']), ['module/loads', 'module/loads@third']);
	t.deepEqual(mechanisms(['all']), ['module/loads', 'module/loads@second', 'module/loads@third']);
});

test('a mechanism that the suite does not have is wrong usage, with the nearest one', t => {
	const plan = (asked: string) => () => planCells({kernels: ['k'], suite: several, cases, mechanisms: [asked]});
	t.throws(plan('thirdd'), {instanceOf: UsageError, message: 'fake has no mechanism thirdd; did you mean third?'});
	t.throws(plan('elsewhere'), {message: 'fake has no mechanism elsewhere: first, second, third.'});
});

test('globs match cells of every mechanism', t => {
	const found = planCells({kernels: ['k'], suite: several, cases, mechanisms: ['all'], match: ['return/flags[c]']});
	t.deepEqual(found.map(cellTitle), ['return/flags[c]', 'return/flags[c]@second', 'return/flags[c]@third']);
});
