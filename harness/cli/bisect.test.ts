import test from 'ava';
import {probeMatrix} from './fake-cli.ts';

const rows: readonly (readonly [command: string, code: number, words: RegExp])[] = [
	['bisect --good 4.15.18 --bad debian-6.1', 2, /What is to be asked of each kernel\? Give one of/],
	['bisect --bad debian-6.1 --match entry/flags', 2, /Two ends are needed/],
	['bisect --good debian-6.12 --bad debian-6.1 --match entry/flags', 2, /is not older than debian-6\.1/],
	['bisect --good debian-6.1 --bad debian-6.1 --match entry/flags', 2, /cannot be good and bad at once/],
	['bisect --good 4.15.18 --bad nonsense --match entry/flags', 2, /There is no kernel "nonsense"/],
	['bisect --good a --bad b --linux /nowhere --match entry/flags', 2, /\/nowhere is no git repository/],
	['bisect --good-config a --match entry/flags', 2, /needs both --good-config and --bad-config/],
	['bisect --good a --bad b --confidence 2 --match entry/flags', 2, /a number between 0 and 1 is needed/],
	['bisect --good a --bad b --config c --match entry/flags', 2, /--config is for the commits of --linux/],
	['bisect --linux / --good-config a --bad-config b --config c --match entry/flags', 2, /Give no --config/],
	['bisect --good a --bad b --kernel debian-6.1 --match entry/flags', 2, /--kernel is for --module/],
	['bisect --linux / --good-config a --bad-config b --source c --match entry/flags', 2, /--source is for releases/],
	['bisect --good a --bad b --deadline 5 --match entry/flags', 2, /--deadline is for --script/],
	['bisect --good 4.15.18 --bad debian-6.1 --report /nowhere/a --match entry/flags', 2, /report cannot be written/],
	['bisect --good 4.15.18 --bad debian-6.1 --json /nowhere/a --match entry/flags', 2, /report cannot be written/],
	// Not 1 to 127: git bisect run would take those for an answer.
	['bisect-step', 128, /What is to be asked/],
	['bisect-step --linux / --match entry/flags', 128, /is not a Linux source tree/],
	['bisect-step --match nonsense/nonsense', 128, /No case matches/],
	['bisect-step --nonsense', 128, /unknown option/],
];

for (const [command, code, words] of rows) {
	// One after the other: each is a whole process.
	test.serial(`probe-matrix ${command} ends with ${code} and says why`, async t => {
		const {exitCode, stderr, stdout} = await probeMatrix(...command.split(' '));
		t.is(exitCode, code, stderr);
		t.regex(stderr, words);
		t.notRegex(stderr, /^ +at /m);
		t.is(stdout, '');
	});
}

test.serial('--dry-run says what there is to do, and does nothing', async t => {
	const {exitCode, stdout} = await probeMatrix(
		...['bisect', '--good', '4.15.18', '--bad', 'debian-7.2', '--match', 'entry/flags', '--dry-run'],
	);
	t.is(exitCode, 0);
	t.regex(stdout, /^\d kernels, both ends and about \d steps, at most .*:\n {2}4\.15\.18.*\n(.*\n)* {2}debian-7\.2/);
});
