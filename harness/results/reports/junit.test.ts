// SPDX-License-Identifier: GPL-2.0
import path from 'node:path';
import test from 'ava';
import {execa} from 'execa';
import {hasTool} from '../../test/optional-tool.ts';
import {sampleRun} from '../../test/sample-run.ts';
import {formatJunit} from './junit.ts';

const runs = {
	'with every verdict': sampleRun(),
	'that was interrupted': sampleRun({isInterrupted: true}),
	'without cells': {...sampleRun(), cells: []},
	'of repeated cells': {
		...sampleRun(),
		cells: [0, 1].flatMap(repeat => sampleRun().cells.map(cell => ({...cell, repeat}))),
	},
};

for (const [name, record] of Object.entries(runs)) {
	test(`a run ${name} gives XML that Jenkins and GitLab accept`, async t => {
		if (!(await hasTool(t, 'xmllint'))) return;
		const schema = path.join(import.meta.dirname, 'junit.xsd');
		const {failed, stderr} = await execa('xmllint', ['--noout', '--nonet', '--schema', schema, '-'], {
			input: formatJunit(record),
			reject: false,
		});
		t.false(failed, stderr);
	});
}

const attribute = (xml: string, element: string, name: string) =>
	[...xml.matchAll(new RegExp(`<${element} [^>]*?${name}="([^"]*)"`, 'g'))].map(match => match[1]);

test('everything that fails a run is a failure or an error', t => {
	const xml = formatJunit(sampleRun({isInterrupted: true}));
	t.deepEqual(attribute(xml, 'failure', 'type'), ['fail']);
	t.deepEqual(attribute(xml, 'error', 'type').map(String).toSorted(), [
		'crash',
		'failed',
		'hang',
		'inconclusive',
		'infra',
		'interrupted',
		'unavailable',
	]);
	const [all] = attribute(xml, 'testsuites', 'errors');
	t.is(all, '7');
});

test('a kernel that stopped booting halfway is an error beside the cells that passed', t => {
	const sample = sampleRun();
	const failed = sample.kernels.find(({state}) => state === 'failed')!;
	const passed = sample.cells.find(({verdict}) => verdict === 'pass')!;
	const xml = formatJunit({...sample, kernels: [failed], cells: [{...passed, kernel: failed.kernel}]});
	t.deepEqual(attribute(xml, 'error', 'type'), ['failed']);
});

test('a kernel release is a single package for Jenkins, which splits at the last dot', t => {
	const names = attribute(formatJunit(sampleRun({kernels: ['4.15.18']})), 'testcase', 'classname');
	t.true(names.includes('4_15_18.bprobe.module'));
});

test('a failure has its rerun command and its console', t => {
	const xml = formatJunit(sampleRun());
	t.regex(xml, /<error type="crash" [^>]*>[^<]*again: npx probe-matrix run --kernel debian-6\.1/);
	t.regex(xml, /<system-out>[^<]*BUG: KASAN/);
});

test('an unusable kernel is one error, with its console', t => {
	const xml = formatJunit(sampleRun());
	const [testcase] = /<testcase classname="4_15_11" name="kernel"[\s\S]*?<\/testcase>/.exec(xml)!;
	t.regex(
		testcase,
		/message="Linux 4\.15\.11 did not boot: triple fault at secondary_startup_64\+0x5d; 34 cells did not run"/,
	);
	t.regex(testcase, /<system-out>the last line &#60;of&#62; it/);
	t.is(xml.match(/classname="4_15_11/g)?.length, 1);
});
