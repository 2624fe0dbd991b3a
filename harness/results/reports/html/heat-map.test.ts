// SPDX-License-Identifier: GPL-2.0
import test from 'ava';
import {asText, type FakeRun, fakeRun} from '../../../test/fake-run.ts';
import {parseRun} from '../../run/read-run.ts';
import {formatHtml} from './page.ts';

test('a row is good, and may be hidden, if nothing in it failed on any kernel', t => {
	const cells: FakeRun['cells'] = {
		'k a/absent': 'pass',
		'k a/bad-on-one': 'fail',
		'l a/bad-on-one': 'pass',
		'k a/bad-and-absent': 'fail',
		'k a/good': 'pass',
		'l a/good': 'pass',
		'k a/one-target[asm]': 'fail',
		'k a/one-target[c]': 'pass',
		'k a/skipped': 'skip',
		'l a/skipped': 'pass',
	};
	const page = `${formatHtml({record: parseRun(asText(fakeRun({id: 'r1', ...(cells && {cells})})), 'x')})}`;
	const rows = [...page.matchAll(/<tr( class="good")?><th scope="row">(?:a\/)?([^<]*)<\/th>/g)];
	t.deepEqual(
		rows.filter(([, good]) => good).map(([, , name]) => name),
		['absent', 'good', 'skipped'],
	);
	for (const name of ['bad-on-one', 'bad-and-absent', 'one-target'])
		t.true(
			rows.some(([, , each]) => each === name),
			name,
		);
});

/** The fields of the row of a case, without their markup. */
function rowOf(run: FakeRun, name: string): readonly string[] {
	const page = formatHtml({record: parseRun(asText(fakeRun(run)), 'x')});
	const [, matrix] = page.split('<h2 id="matrix">');
	const row = matrix!.split('<tr').find(each => each.includes(`>${name}</th>`));
	return [...row!.matchAll(/<td[^>]*>(.*?)<\/td>/g)].map(([, field]) => field!.replaceAll(/<[^>]+>/g, ''));
}

test('where a case did not run, the state of its kernel is shown if that is why', t => {
	const lost = {type: 'kernel', kernel: 'l', state: 'failed', reason: 'it died', notRun: 1} as const;
	const ready = (kernel: string) => ({type: 'kernel', kernel, state: 'ready'}) as const;
	const cells = {'k a/b': 'pass', 'm a/c': 'pass'} as const;
	t.deepEqual(rowOf({cells, kernels: [ready('k'), lost, ready('m')]}, 'a/b'), ['1 pass', 'failed', 'not run']);
});

test('repeats that ended alike are counted in one field', t => {
	t.deepEqual(rowOf({cells: {'k a/b[asm]': ['fail', 'fail', 'pass'], 'k a/b[c]': 'fail'}}, 'a/b'), [
		'1 passasm fail × 2c fail',
	]);
});

test('the row of a suite counts what passed on each kernel, and is empty where the suite did not run', t => {
	t.deepEqual(rowOf({cells: {'k a/b': 'pass', 'k a/c': 'skip', 'l b/c': 'fail'}}, 'a'), ['1 of 2', '']);
	t.deepEqual(rowOf({cells: {'k a/b': 'pass', 'l b/c': 'fail'}}, 'b'), ['', '0 of 1']);
});

test('with several mechanisms each has rows of its own', t => {
	const cells = {'k a/b': ['pass', {verdict: 'fail', mechanism: 'kprobe', alternative: true}]} as const;
	t.deepEqual(rowOf({cells}, 'bprobe a/b'), ['1 pass']);
	t.deepEqual(rowOf({cells}, 'kprobe a/b'), ['fail']);
});
