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
