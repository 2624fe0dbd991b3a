import test from 'ava';
import {sampleRun} from '../../test/sample-run.ts';
import {formatTap} from './tap.ts';

const linesOf = (text: string) => text.trimEnd().split('\n');

/** Lines of the tests of one level, without the blocks of YAML that follow them. */
function pointsOf(lines: readonly string[], indent: string): string[] {
	return lines.filter(line => line.startsWith(indent) && /^(?:not )?ok \d/.test(line.slice(indent.length)));
}

test('each kernel is a subtest that ends with its plan, and is numbered without gaps', t => {
	const lines = linesOf(formatTap(sampleRun()));
	t.is(lines[0], 'TAP version 14');
	t.is(lines.at(-1), '1..4');
	t.deepEqual(pointsOf(lines, ''), [
		'not ok 1 - 4.15.18+debug',
		'not ok 2 - 4.15.11',
		'ok 3 - 4.15.18',
		'not ok 4 - debian-6.1',
	]);
	const start = lines.indexOf('# Subtest: 4.15.18');
	const subtest = lines.slice(start, lines.indexOf('ok 3 - 4.15.18'));
	const points = pointsOf(subtest, '    ');
	t.is(subtest.at(-1), `    1..${points.length}`);
	points.forEach((line, index) => {
		t.true(line.startsWith(`    ok ${index + 1} - `), line);
	});
});

test('a skip says why, and no text becomes a directive', t => {
	const text = formatTap(sampleRun());
	t.true(text.includes(String.raw`bprobe tooling/bpftool # SKIP bpftool \# is not \\ in this guest's <image>`));
	t.false(text.includes('# TODO\n    ok'));
});

test('what a guest says stays inside its block', t => {
	const lines = linesOf(formatTap(sampleRun()));
	const mine = lines.filter(line => line.includes('not ok 1 - not mine') && !line.includes('"'));
	t.true(mine.length > 0);
	// Blocks of kernels are less far in than those of cells.
	for (const line of mine) t.regex(line, /^ {4,}/);
	// A block ends at the first line of dots that is indented as it is.
	const [opened, closed] = ['      ---', '      ...'].map(mark => lines.filter(line => line === mark).length);
	t.is(opened, closed);
	t.false(/[^\P{C}\n\t]/u.test(lines.join('\n')));
});

test('a kernel that could not be used is said once, and what is known of it stands below', t => {
	const lines = linesOf(formatTap(sampleRun()));
	const at = lines.indexOf('not ok 2 - 4.15.11');
	const block = lines.slice(at + 1, lines.indexOf('  ...', at));
	t.deepEqual(block.slice(0, 4), [
		'  ---',
		'  state: "failed"',
		'  reason: |2-',
		'    Linux 4.15.11 did not boot: triple fault at secondary_startup_64+0x5d',
	]);
	t.true(block.includes('  not_run: 34'));
	t.true(block.includes('    the last line <of> it'));
});

test('a run that was interrupted bails out', t => {
	t.regex(linesOf(formatTap(sampleRun({isInterrupted: true}))).at(-1)!, /^Bail out! .*interrupted.* 73 of 115 cells/);
});
