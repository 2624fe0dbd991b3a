// SPDX-License-Identifier: GPL-2.0
import {mkdtempDisposable, readdir, readFile, writeFile} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import path from 'node:path';
import {DatabaseSync} from 'node:sqlite';
import test from 'ava';
import {probeMatrix, temporaryRuns} from '../test/fake-cli.ts';
import {privateCache} from '../test/private-cache.ts';

const wrong: readonly (readonly [what: string, args: readonly string[], message: RegExp])[] = [
	['hours that are not a number', ['--hours', 'long'], /must be a number of hours from 0 to 1000/],
	['negative hours', ['--hours=-1'], /must be a number of hours from 0 to 1000/],
	['a missing list of known failures', ['--known', '/nowhere'], /nowhere/],
	['an unknown kernel', ['--kernel', 'windows'], /^probe-matrix: .*windows/],
	['a glob without a match', ['--kernel', 'debian-6.1', '--match', 'nope/*'], /^probe-matrix: .*nope/],
	['an option of another command', ['--shard', '1/2'], /unknown option '--shard'/],
];
for (const [what, args, message] of wrong) {
	test(`${what}: nightly exits with 2 before it starts`, async t => {
		t.timeout(90_000);
		await using runs = await temporaryRuns();
		const {exitCode, stdout, stderr} = await probeMatrix('nightly', '--history', runs.history, ...args);
		t.is(exitCode, 2, stderr);
		t.regex(stderr, message);
		t.is(stdout, '');
		t.deepEqual(await readdir(runs.path), []);
	});
}

test('a known failure without a reason is rejected and named', async t => {
	t.timeout(90_000);
	await using runs = await temporaryRuns();
	const known = path.join(runs.path, 'known.json');
	await writeFile(known, JSON.stringify([{case: 'a/b', since: '2026-01-01'}]));
	const {exitCode, stderr} = await probeMatrix('nightly', '--history', runs.history, '--known', known);
	t.is(exitCode, 2);
	t.regex(stderr, /known\.json.*(?:reason|issue)/);
});

test('nightly does not start on a history with a newer schema', async t => {
	t.timeout(90_000);
	await using runs = await temporaryRuns();
	runs.keep({id: 'r1', cells: {'debian-6.1 module/loads': 'pass'}});
	using database = new DatabaseSync(path.join(runs.history, 'index.sqlite'));
	database.exec('PRAGMA user_version = 99');
	const args = ['--kernel', 'debian-6.1', '--match', 'module/loads', '--history', runs.history];
	const {exitCode, stderr} = await probeMatrix('nightly', ...args);
	t.is(exitCode, 2);
	t.regex(stderr, /has schema 99/);
	t.deepEqual(await readdir(path.join(runs.history, 'runs')), ['r1.jsonl']);
});

test.serial(
	'a kernel that cannot be had is news if somebody asked for it, and else if it was there before',
	async t => {
		t.timeout(120_000);
		await using runs = await temporaryRuns();
		await using suite = await mkdtempDisposable(path.join(tmpdir(), 'suite-'));
		const file = path.join(suite.path, 'probe-matrix.config.mjs');
		await writeFile(
			file,
			"export default {name: 'x', kernels: {tested: ['4.17']}, cases: [{id: 'x/one', deadlineMs: 1000, async run() {}}]};",
		);
		const {PROBE_MATRIX_KERNEL_MIRROR: before} = process.env;
		const cache = await privateCache();
		t.teardown(async () => {
			if (before === undefined) delete process.env.PROBE_MATRIX_KERNEL_MIRROR;
			else process.env.PROBE_MATRIX_KERNEL_MIRROR = before;
			await cache.remove();
		});
		// Nothing listens there.
		process.env.PROBE_MATRIX_KERNEL_MIRROR = 'http://127.0.0.1:9';
		const night = async (...args: readonly string[]) =>
			probeMatrix('nightly', '--suite', file, '--history', runs.history, ...args);
		for (const [args, code] of [
			[[], 0],
			[['--kernel', '4.17'], 3],
		] as const) {
			const {exitCode, stdout, stderr} = await night(...args);
			t.is(exitCode, code, stderr);
			t.regex(stdout, /4\.17: unavailable; 1 cell did not run/);
		}
	},
);

test('a night is kept, and compared with the one before', async t => {
	t.timeout(600_000);
	await using runs = await temporaryRuns();
	const night = async (...args: readonly string[]) =>
		probeMatrix('nightly', '--kernel', 'debian-6.1', '--match', 'module/loads', '--history', runs.history, ...args);
	const events = path.join(runs.path, 'events');
	const first = await night('--json', events);
	t.is(first.exitCode, 0, first.stderr);
	t.notRegex(first.stdout, /compared with/);
	t.regex(first.stdout, /^consoles are in /m);
	const written = (await readFile(events, 'utf8')).trim().split('\n');
	t.like(JSON.parse(written[0]!), {type: 'run', command: 'nightly', cells: 1});
	t.like(JSON.parse(written.at(-1)!), {type: 'end', exitCode: 0, findings: []});
	const [kept] = await readdir(path.join(runs.history, 'runs'));
	t.is(await readFile(path.join(runs.history, 'runs', kept!), 'utf8'), `${written.join('\n')}\n`);

	const second = await night('--json', '-');
	t.is(second.exitCode, 0, second.stderr);
	t.like(JSON.parse(second.stdout.trim().split('\n').at(-1)!), {type: 'end', exitCode: 0});
	t.true(
		second.stderr.includes(`compared with the last night\nbefore  ${path.basename(kept!, '.jsonl')}  1 cell`),
		second.stderr,
	);
	t.notRegex(second.stderr, /the last green night/);
	t.is((await readdir(path.join(runs.history, 'runs'))).length, 2);
});
