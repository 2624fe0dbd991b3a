// SPDX-License-Identifier: GPL-2.0
import {mkdtempDisposable, writeFile} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import path from 'node:path';
import test from 'ava';
import {Command} from 'commander';
import type {GuestBuild} from '../build/guest-build.ts';
import {UsageError} from '../host/errors.ts';
import {bprobeSuite} from '../suites/bprobe/suite.ts';
import {addPredicate, type PredicateOptions, predicateOf} from './predicate-options.ts';

const {signal} = new AbortController();
const optionsOf = (...args: readonly string[]) =>
	addPredicate(new Command())
		.exitOverride()
		.configureOutput({writeErr() {}})
		.parse(args, {from: 'user'})
		.opts<PredicateOptions>();
const asked = async (...args: readonly string[]) => predicateOf(bprobeSuite, optionsOf(...args), signal);

/** The time limit of a program that is given so. */
async function deadlineOf(...args: readonly string[]): Promise<number | undefined> {
	const {open} = await asked(...args);
	const opened = await open({kernel: {id: 'k'}} as unknown as GuestBuild);
	return 'cells' in opened ? opened.cells(1)[0]?.definition.deadlineMs : undefined;
}

test('exactly one of cases, a program and a module is the test', async t => {
	for (const args of [
		[],
		['--match', 'entry/flags', '--script', 's'],
		['--match', 'entry/flags', '--build', 'b'],
		['--script', 's', '--build', 'b'],
	])
		await t.throwsAsync(asked(...args), {
			instanceOf: UsageError,
			message: 'Specify exactly one of --match, --script and --build.',
		});
});

test('several globs are one test, by the mechanisms that are given', async t => {
	const {title} = await asked('--match', 'entry/flags[c]', '--match', 'module/loads');
	t.regex(title, /^entry\/flags\[c\], module\/loads \(2 cells\)$/);
	t.regex((await asked('--match', 'entry/all-registers[c]', '--mechanism', 'kprobe')).title, / by kprobe \(1 cell\)$/);
	await t.throwsAsync(asked('--script', 's', '--mechanism', 'kprobe'), {message: '--mechanism needs --match.'});
});

test('a program has a minute, or the time that is given; cases and modules have their own', async t => {
	await using directory = await mkdtempDisposable(path.join(tmpdir(), 'predicate-'));
	const script = path.join(directory.path, 'ask.sh');
	await writeFile(script, 'true\n');
	t.is((await asked('--script', script)).title, 'the exit status of ask.sh');
	t.is(await deadlineOf('--script', script), 60_000);
	t.is(await deadlineOf('--script', script, '--deadline', '1.5'), 1500);
	for (const args of [
		['--match', 'entry/flags'],
		['--build', directory.path],
	])
		await t.throwsAsync(asked(...args, '--deadline', '5'), {
			instanceOf: UsageError,
			message: '--deadline needs --script; cases have their own deadlines.',
		});
	t.throws(() => optionsOf('--deadline', '0.5'), {message: /a number of seconds from 1 to 86400/});
});

test('a module that is given is what is built', async t => {
	await using directory = await mkdtempDisposable(path.join(tmpdir(), 'predicate-'));
	await t.throwsAsync(asked('--build', directory.path), {message: /holds no module/});
	await writeFile(path.join(directory.path, 'Kbuild'), 'obj-m := a.o\n');
	t.is((await asked('--build', directory.path)).title, `whether the module in ${directory.path} builds and loads`);
});
