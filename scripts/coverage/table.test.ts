// SPDX-License-Identifier: GPL-2.0
import {readFile} from 'node:fs/promises';
import path from 'node:path';
import test from 'ava';
import {projectRoot} from '../../harness/build/sources.ts';
import {type LineCounts, union} from './counts.ts';
import {coverageTable} from './table.ts';
import {unreached} from './unreached.ts';

const line = (count: number, ...branches: number[]) => ({count, branches, of: undefined as string | undefined});
const counts = new Map<string, LineCounts>([
	[
		'anchor.c',
		new Map([
			[10, line(3)],
			[12, {...line(0), of: 'bprobe_anchor'}],
			[13, line(3, 0, 2)],
		]),
	],
]);
const words = (await readFile(path.join(projectRoot, 'kmod/anchor.c'), 'utf8')).split('\n')[11]!.trim();

test('lines and branches are counted, and a line that did not run is shown', async t => {
	const {text, isExplained} = await coverageTable(counts, [], {isWhole: true});
	t.regex(text, /^anchor\.c +2 of 3, {2}66\.7 % +1 of 2, {2}50\.0 %$/m);
	t.true(text.includes(`kmod/anchor.c:12: ${words}\n`));
	t.false(isExplained);
	t.true((await coverageTable(counts, [], {isWhole: false})).isExplained);
	for (const each of text.split('\n')) t.true(each.length <= 80, each);
});

test('a reason explains a line that did not run; a reason for one that ran is wrong', async t => {
	const known = {file: 'anchor.c', lines: [words], reason: 'because'};
	const explained = await coverageTable(counts, [known], {isWhole: true});
	t.true(explained.isExplained);
	t.regex(explained.text, /\n {4}because\n/);
	const idle = await coverageTable(counts, [known, {...known, lines: ['gone']}], {isWhole: true});
	t.false(idle.isExplained);
	const whole = await coverageTable(counts, [{...known, lines: ['function bprobe_anchor']}], {isWhole: true});
	t.true(whole.isExplained);
	t.regex(idle.text, /has a reason not to run: kmod\/anchor\.c: gone$/m);
	const chance = {...known, lines: ['gone'], isChance: true} as const;
	t.true((await coverageTable(counts, [known, chance], {isWhole: true})).isExplained);
});

test('a line ran if it ran in one of several kernels or copies', t => {
	const sum = union(
		new Map([
			[1, line(0, 0, 1)],
			[2, line(1)],
		]),
		new Map([
			[1, line(2, 3, 0)],
			[3, line(0, 1)],
		]),
	);
	const rows = [...sum].map(([n, {count, branches}]) => [n, count, branches]);
	t.deepEqual(rows, [
		[1, 2, [3, 1]],
		[2, 1, []],
		[3, 0, [1]],
	]);
});

test('each reason is for a line that there is', async t => {
	for (const {file, lines: wanted} of unreached) {
		const lines = (await readFile(path.join(projectRoot, 'kmod', file), 'utf8')).split('\n').map(each => each.trim());
		for (const each of wanted) {
			const name = /^function (\w+)$/.exec(each)?.[1];
			t.true(
				name === undefined ? lines.includes(each) : lines.some(text => text.includes(`${name}(`)),
				`${file}: ${each}`,
			);
		}
	}
});
