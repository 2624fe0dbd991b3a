// SPDX-License-Identifier: GPL-2.0
import path from 'node:path';
import {type Case, defineCase} from '../../engine/case.ts';
import type {Suite} from '../../engine/suite.ts';
import {UsageError} from '../../host/errors.ts';
import {assembleSuite, optionsFor, testsInGuest} from './assemble-suite.ts';
import {findTests} from './find-tests.ts';
import {runTest} from './run-test.ts';
import {readSettings} from './settings.ts';

export type ExecutableSuiteOptions = {
	/** Directories of modules, or FILE.ko, in the order of insertion. */
	readonly modules: readonly string[];
	/** A directory whose executables are the cases; without it there are no cases. */
	readonly tests?: string | undefined;
};

/** Any modules, tested by any executables. Throws UsageError if there is no such module, or no test. */
export function executableSuite({modules, tests}: ExecutableSuiteOptions): Suite {
	return assembleSuite({
		name: path.basename(path.resolve(modules[0] ?? tests ?? '.')).replace(/\.ko$/, ''),
		options: optionsFor(modules, tests),
		modules: modules.map(from => ({from: path.resolve(from)})),
		tests: tests === undefined ? undefined : path.resolve(tests),
		cases: tests === undefined ? [] : casesOf(tests),
	});
}

/** One case for each executable, named `suite/file`; by default, the suite is the name of the directory. */
export function casesOf(directory: string, suite = path.basename(path.resolve(directory))): readonly Case[] {
	const {timeoutMs, isShared} = readSettings(directory);
	if (!/^[\w+][\w.+-]*$/.test(suite))
		throw new UsageError(`${directory} cannot be the name of a suite: use only letters, digits and ._+- in it.`);
	return findTests(directory).map(test =>
		defineCase({
			id: `${suite}/${test.name}`,
			deadlineMs: timeoutMs,
			isAlone: !isShared,
			run: context => runTest(test, `/${testsInGuest}`, context),
		}),
	);
}
