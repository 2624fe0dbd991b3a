import {readdir, writeFile} from 'node:fs/promises';
import path from 'node:path';
import {DatabaseSync} from 'node:sqlite';
import test from 'ava';
import {probeMatrix, temporaryRuns} from '../test/fake-cli.ts';

const wrong: readonly (readonly [what: string, args: readonly string[], message: RegExp])[] = [
	['hours that are no number', ['--hours', 'long'], /must be a number of hours from 0 to 1000/],
	['hours below none', ['--hours=-1'], /must be a number of hours from 0 to 1000/],
	['a list of known failures that is not there', ['--known', '/nowhere'], /nowhere/],
	['a kernel of no kind', ['--kernel', 'windows'], /^probe-matrix: .*windows/],
	['cases that there are not', ['--kernel', 'debian-6.1', '--match', 'nope/*'], /^probe-matrix: .*nope/],
	['an option of another command', ['--shard', '1/2'], /unknown option '--shard'/],
];
for (const [what, args, message] of wrong) {
	test(`${what} end a night before it begins, with 2`, async t => {
		t.timeout(90_000);
		await using runs = await temporaryRuns();
		const {exitCode, stdout, stderr} = await probeMatrix('nightly', '--history', runs.history, ...args);
		t.is(exitCode, 2, stderr);
		t.regex(stderr, message);
		t.is(stdout, '');
		t.deepEqual(await readdir(runs.path), []);
	});
}

test('a list of known failures without a reason is refused, with the entry', async t => {
	t.timeout(90_000);
	await using runs = await temporaryRuns();
	const known = path.join(runs.path, 'known.json');
	await writeFile(known, JSON.stringify([{case: 'a/b', since: '2026-01-01'}]));
	const {exitCode, stderr} = await probeMatrix('nightly', '--history', runs.history, '--known', known);
	t.is(exitCode, 2);
	t.regex(stderr, /known\.json.*(?:reason|issue)/);
});

test('a night does not begin where a newer probe-matrix keeps its history', async t => {
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
