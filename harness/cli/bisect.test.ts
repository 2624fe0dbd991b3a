// SPDX-License-Identifier: GPL-2.0
import {readFile, writeFile} from 'node:fs/promises';
import path from 'node:path';
import test from 'ava';
import {probeMatrix, temporaryRuns} from '../test/fake-cli.ts';

const rows: readonly (readonly [command: string, code: number, words: RegExp])[] = [
	['bisect --good 4.15.18 --bad debian-6.1', 2, /Specify exactly one of --match, --script and --build/],
	['bisect --bad debian-6.1 --match entry/flags', 2, /--good and --bad are required/],
	['bisect --good debian-6.12 --bad debian-6.1 --match entry/flags', 2, /is not older than debian-6\.1/],
	['bisect --good debian-6.1 --bad debian-6.1 --match entry/flags', 2, /cannot be both good and bad/],
	['bisect --good 4.15.18 --bad nonsense --match entry/flags', 2, /Unknown kernel "nonsense"/],
	['bisect --good a --bad b --linux /nowhere --match entry/flags', 2, /\/nowhere is not a git repository/],
	['bisect --good-config a --match entry/flags', 2, /--good-config and --bad-config need each other/],
	['bisect --good-config a --bad-config b --match entry/flags', 2, /--good-config and --bad-config need --linux/],
	['bisect --linux / --good-config a --bad-config b --good c --match entry/flags', 2, /and exclude --good, --bad/],
	['bisect --linux / --good-config a --bad-config b --match entry/flags', 2, /\/ is not a Linux source tree/],
	['bisect --good 4.15.18 --bad debian-6.1 --mechanism kprobe --script a', 2, /--mechanism needs --match/],
	['bisect --good 4.15.18 --bad debian-6.1 --script /nowhere/a', 2, /script \/nowhere\/a cannot be read/],
	['bisect --good a --bad b --confidence 2 --match entry/flags', 2, /must be a number between 0 and 1/],
	['bisect --good a --bad b --config c --match entry/flags', 2, /--config needs --linux/],
	['bisect --linux / --good-config a --bad-config b --config c --match entry/flags', 2, /--config cannot be used with/],
	['bisect --good a --bad b --kernel debian-6.1 --match entry/flags', 2, /--kernel needs --module/],
	[
		'bisect --linux / --good-config a --bad-config b --source c --match entry/flags',
		2,
		/--source builds releases only/,
	],
	['bisect --good a --bad b --deadline 5 --match entry/flags', 2, /--deadline needs --script/],
	['bisect --good 4.15.18 --bad debian-6.1 --report /nowhere/a --match entry/flags', 2, /report cannot be written/],
	['bisect --good 4.15.18 --bad debian-6.1 --json /nowhere/a --match entry/flags', 2, /report cannot be written/],
	// Statuses from 1 to 127 would be verdicts for git bisect run.
	['bisect-step', 128, /Specify exactly one of/],
	['bisect-step --linux / --match entry/flags', 128, /is not a Linux source tree/],
	['bisect-step --match nonsense/nonsense', 128, /No case matches/],
	['bisect-step --nonsense', 128, /unknown option/],
];

for (const [command, code, words] of rows) {
	// Serial, because each starts a process.
	test.serial(`probe-matrix ${command} exits with ${code} and a reason`, async t => {
		const {exitCode, stderr, stdout} = await probeMatrix(...command.split(' '));
		t.is(exitCode, code, stderr);
		t.regex(stderr, words);
		t.notRegex(stderr, /^ +at /m);
		t.is(stdout, '');
	});
}

test.serial('a report that is there stays until there is another one', async t => {
	await using runs = await temporaryRuns();
	const reports = ['report.md', 'bisect.json'].map(name => path.join(runs.path, name));
	for (const file of reports) await writeFile(file, 'of last time');
	const ends = ['--linux', '/', '--good', 'a', '--bad', 'b', '--match', 'entry/flags'];
	const {exitCode, stderr} = await probeMatrix('bisect', ...ends, '--report', reports[0]!, '--json', reports[1]!);
	t.is(exitCode, 2);
	t.regex(stderr, /is not a git repository/);
	t.deepEqual(await Promise.all(reports.map(file => readFile(file, 'utf8'))), ['of last time', 'of last time']);
});

test.serial('--dry-run prints the plan and does nothing else', async t => {
	const {exitCode, stdout} = await probeMatrix(
		...['bisect', '--good', '4.15.18', '--bad', 'debian-7.2', '--match', 'entry/flags', '--dry-run'],
	);
	t.is(exitCode, 0);
	t.regex(stdout, /^\d kernels, both ends and about \d steps, at most .*:\n {2}4\.15\.18.*\n(.*\n)* {2}debian-7\.2/);
});
