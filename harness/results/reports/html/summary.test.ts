// SPDX-License-Identifier: GPL-2.0
import test from 'ava';
import {asText, type FakeRun, fakeRun} from '../../../test/fake-run.ts';
import {parseRun} from '../../run/read-run.ts';
import {columnsOf} from '../kernel-results.ts';
import {summarySection} from './summary.ts';

const textOf = (run: FakeRun) => {
	const record = parseRun(asText(fakeRun(run)), 'x');
	return summarySection(record, columnsOf(record)).text;
};
const factsOf = (run: FakeRun) =>
	Object.fromEntries(
		[...textOf(run).matchAll(/<dt>(.*?)<\/dt><dd>(.*?)<\/dd>/g)].map(([, name, words]) => [name, words]),
	);
const tilesOf = (run: FakeRun) => [...textOf(run).matchAll(/<li[^>]*>(.*?)<\/li>/g)].map(([, tile]) => tile);

const lost = {type: 'kernel', kernel: 'l', state: 'failed', reason: 'it died', notRun: 2} as const;

test('a run of nothing says so, and one in which nothing could run counts what did not', t => {
	t.true(textOf({}).includes('<p>Nothing ran.</p>'));
	t.deepEqual(tilesOf({kernels: [lost]}), ['<strong>2</strong> not run']);
	t.false(textOf({kernels: [lost]}).includes('Nothing ran.'));
	t.false(textOf({cells: {'k a/b': 'pass'}}).includes('Nothing ran.'));
});

test('verdicts that occur are counted, and so are flaky cells', t => {
	t.deepEqual(tilesOf({cells: {'k a/b': 'pass', 'k a/c': [{verdict: 'fail', flaky: true}]}}), [
		'<strong>1</strong> pass',
		'<strong>1</strong> fail',
		'<strong>1</strong> of them flaky',
	]);
	t.deepEqual(tilesOf({cells: {'k a/b': 'pass'}}), ['<strong>1</strong> pass']);
});

test('a kernel has its release, its state, what passed, the time of its boot and that of all its cells', t => {
	const text = textOf({cells: {'k a/b': 'pass', 'k a/c': ['fail', 'pass']}});
	t.regex(
		text,
		/<th scope="row">k<\/th><td>6\.1\.0<\/td><td>ready<\/td><td class="number">2 of 3<\/td><td class="number">0\.10 s<\/td><td class="number">0\.30 s<\/td>/,
	);
});

test('a kernel that has no event was not booted, and one that did not boot has neither release nor time', t => {
	t.regex(
		textOf({cells: {'k a/b': 'pass'}, kernels: []}),
		/<th scope="row">k<\/th><td>–<\/td><td>not booted<\/td><td class="number">1 of 1<\/td><td class="number">–<\/td>/,
	);
	t.regex(
		textOf({kernels: [lost]}),
		/<td>–<\/td><td>failed: it died; 2 cells did not run<\/td>.*<td class="number">–<\/td>/,
	);
});

test('a run tells its host, its accelerator, its versions and how it ended', t => {
	t.deepEqual(factsOf({id: 'r1', cells: {'k a/b': 'fail'}}), {
		...{run: 'r1', started: '2026-01-01T00:00:00.000Z', host: 'Linux 6.1, 2 CPUs, 4096 MiB'},
		...{accelerator: 'tcg; a test', node: 'v24', qemu: '10', 'exit code': '1, after 1.00 s'},
	});
	const accelerator = {name: 'tcg', reason: 'a test', speed: 325};
	t.like(factsOf({run: {accelerator}, isInterrupted: true}), {
		accelerator: 'tcg, 325 million turns a second; a test',
		'exit code': 'none',
	});
});
