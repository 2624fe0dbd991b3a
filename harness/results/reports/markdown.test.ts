// SPDX-License-Identifier: GPL-2.0
import test from 'ava';
import {sampleRun} from '../../test/sample-run.ts';
import {compareRuns} from '../compare/compare-runs.ts';
import {formatMarkdown} from './markdown.ts';

const record = sampleRun();

test('nightly findings come before changes', t => {
	const finding = {
		kind: 'regression',
		kernel: 'k',
		cell: 'entry/flags',
		words: '7 of 10 reruns failed | `new`',
	} as const;
	const text = formatMarkdown({record: {...record, end: {...record.end!, findings: [finding]}}});
	t.true(text.includes('\n**Regressions** (1)\n\n- k › entry/flags: 7 of 10 reruns failed \\| \\`new\\`\n'));
	t.false(formatMarkdown({record}).includes('Regressions'));
});

test('a summary has counts, each kernel, and each failure with its rerun command', t => {
	const text = formatMarkdown({record});
	t.regex(text, /^## probe-matrix: 66 pass, 1 fail, 1 crash, 1 hang, 1 inconclusive, 2 skip, 1 infra, 34 not run$/m);
	t.regex(text, /^\| debian-6\.1 \| debian-6\.1-amd64 \| 33\/39 \| 8\.1 s \| 1 fail, 1 crash/m);
	t.regex(text, /^\| 4\.15\.18\+debug \| .* \*\*unavailable\*\*: kernel\.org cannot/m);
	t.regex(
		text,
		/^\| 4\.15\.11 \| .* \*\*failed\*\*: Linux 4\.15\.11 did not boot\\: triple fault [^|]*; 34 cells did not run \|$/m,
	);
	t.regex(text, /<summary><code>failed 4\.15\.11<\/code>[\s\S]*the last line <of> it/);
	t.is(text.match(/again: npx probe-matrix run/g)?.length, 7);
	const green = record.cells.filter(({verdict}) => verdict === 'pass');
	t.regex(formatMarkdown({record: {...record, cells: green, kernels: []}}), /^## probe-matrix: 66 pass$/m);
	t.regex(formatMarkdown({record: {...record, cells: [], kernels: []}}), /^## probe-matrix: nothing ran$/m);
});

test('all rows of a table have as many fields as its header', t => {
	const rows = formatMarkdown({
		record: {...record, kernels: record.kernels.map(kernel => ({...kernel, reason: 'a | b'}))},
	})
		.split('\n')
		.filter(line => line.startsWith('| '));
	for (const row of rows.slice(0, 6)) t.is(row.replaceAll(String.raw`\|`, '').split('|').length, 7, row);
});

test('text of a guest cannot close its fence', t => {
	const text = formatMarkdown({record});
	const [block] = /<details>(?:(?!<details>)[\s\S])*bad-infra[\s\S]*?\n<\/details>/.exec(text)!;
	const [fence] = /^`{4,}/m.exec(block)!;
	t.is(block.split('\n').filter(line => line.trim().startsWith(fence)).length, 2);
	t.false(text.replace(/^(`{3,})text$[\s\S]*?^\1$/gm, '').includes('<script'));
});

test('changes are listed, and so is their absence', t => {
	const cells = record.cells.filter(({verdict}) => verdict === 'pass' || verdict === 'skip');
	const before = {...record, cells: [...cells, {...cells[0]!, case: 'module/gone'}]};
	const text = formatMarkdown({record, comparison: compareRuns(before, record)});
	t.regex(text, /^\*\*New failures\*\* \(3\)$/m);
	t.notRegex(text, /of 1 passed/, 'each ran once');
	t.regex(text, /^\*\*No longer there\*\* \(1\)\n\n- 4\.15\.18 › module\/gone: pass$/m);
	t.regex(formatMarkdown({record, comparison: compareRuns(record, record)}), /Nothing has changed/);
});

test('a long summary is cut below the limit and tells how much is omitted', t => {
	const console = 'ü'.repeat(20_000);
	const cells = Array.from({length: 100}, () => ({...record.cells.find(({verdict}) => verdict === 'crash')!, console}));
	const text = formatMarkdown({record: {...record, cells}});
	t.true(Buffer.byteLength(text) <= 2 ** 20);
	t.true(Buffer.byteLength(text) > 800_000);
	const shown = text.match(/<details>/g)!.length;
	t.true(text.includes(`${102 - shown} more are omitted here`));
});

test('many short failures fill a summary up to the limit, not beyond', t => {
	const failure = record.cells.find(({verdict}) => verdict === 'crash')!;
	const cells = Array.from({length: 3000}, (_, number) => ({...failure, case: `race/${number}`}));
	const limitBytes = 1_000_000;
	const bytes = Buffer.byteLength(formatMarkdown({record: {...record, cells, kernels: []}}, {limitBytes}));
	t.true(bytes <= limitBytes && bytes > limitBytes - 5000, String(bytes));
});

test('a single failure that does not fit is told, too', t => {
	const cells = record.cells.filter(({verdict}) => verdict === 'crash' || verdict === 'hang');
	const bytesOf = (limitBytes: number) => formatMarkdown({record: {...record, cells, kernels: []}}, {limitBytes});
	const whole = bytesOf(1_000_000);
	t.false(whole.includes('omitted'));
	t.is(bytesOf(Buffer.byteLength(whole) + 300), whole);
	t.regex(bytesOf(Buffer.byteLength(whole)), /^1 more is omitted here; `probe-matrix report` shows all\.$/m);
});

test('of many changes fifty are named, and the others counted', t => {
	const finding = {kind: 'regression', kernel: 'k', words: 'fail'} as const;
	const linesOf = (count: number) => {
		const findings = Array.from({length: count}, (_, n) => ({...finding, cell: `entry/c${n}`}));
		const text = formatMarkdown({record: {...record, end: {...record.end!, findings}}});
		return text.split('\n').filter(line => line.startsWith('- '));
	};
	t.is(linesOf(50).at(-1), '- k › entry/c49: fail');
	t.deepEqual(linesOf(51).slice(49), ['- k › entry/c49: fail', '- and 1 more']);
});

test('a long line of a table or list is cut', t => {
	const finding = {kind: 'regression', kernel: 'k', cell: 'entry/a', words: 'x'.repeat(401)} as const;
	const text = formatMarkdown({record: {...record, end: {...record.end!, findings: [finding]}}});
	t.true(text.includes(`: ${'x'.repeat(400)}…\n`));
});

test('mechanisms side by side have one answer, or one for each group of kernels', t => {
	const cells = ['k', 'l'].flatMap(kernel =>
		['bprobe', 'kprobe'].map(mechanism => ({
			...record.cells[0]!,
			...{kernel, mechanism, case: 'entry/a', verdict: mechanism === 'kprobe' && kernel === 'l' ? 'fail' : 'pass'},
		})),
	) as typeof record.cells;
	t.true(
		formatMarkdown({record: {...record, cells}}).includes(
			'| property | bprobe | kprobe |\n| --- | --- | --- |\n| entry/a | yes | yes: k; no: l |\n',
		),
	);
});
