// SPDX-License-Identifier: GPL-2.0
import test from 'ava';
import {asText, type FakeRun, fakeRun} from '../../../test/fake-run.ts';
import {compareRuns} from '../../compare/compare-runs.ts';
import {parseRun} from '../../run/read-run.ts';
import {changesSection, nightSection} from './changes-section.ts';

const read = (run: FakeRun) => parseRun(asText(fakeRun(run)), 'x');
const changesOf = (before: FakeRun, after: FakeRun) => changesSection(compareRuns(read(before), read(after))).text;

test('a run that is like its baseline says that nothing has changed', t => {
	const nothing = '<p>Nothing has changed against the baseline.</p>';
	t.true(changesOf({cells: {'k a/b': 'pass'}}, {cells: {'k a/b': 'pass'}}).includes(nothing));
	t.false(changesOf({cells: {'k a/b': 'pass'}}, {cells: {'k a/b': 'fail'}}).includes(nothing));
});

test('changes tell what was before and is now, and findings of a night how the cell went', t => {
	const changes = changesOf({cells: {'k a/b': 'pass'}}, {cells: {'k a/b': 'fail'}});
	t.true(changes.includes('<th scope="col">before → now</th>'));
	t.regex(changes, /<td>k<\/td><th scope="row">a\/b<\/th><td>pass → fail: a fail<\/td>/);
	const night = nightSection([{kind: 'flaky', kernel: 'k', cell: 'a/b', words: '1 of 10'}]).text;
	t.true(night.includes('<th scope="col">how</th>'));
	t.regex(night, /<td>k<\/td><th scope="row">a\/b<\/th><td>1 of 10<\/td>/);
});
