// SPDX-License-Identifier: GPL-2.0
import path from 'node:path';
import type {GuestContent, ModuleSource} from '../../build/guest-content.ts';
import {requireModule} from '../../build/module-build.ts';
import {type Case, defineCase} from '../../engine/case.ts';
import type {Suite} from '../../engine/suite.ts';
import {UsageError} from '../../host/errors.ts';
import {quote} from '../../host/quote.ts';
import {fallbackKernel} from '../../kernels/default-kernels.ts';
import {filesBelow, findTests} from './find-tests.ts';
import {runTest} from './run-test.ts';
import {readSettings} from './settings.ts';

export type ExecutableSuiteOptions = {
	/** Directories of modules, or FILE.ko, in the order of insertion. */
	readonly modules: readonly string[];
	/** A directory whose executables are the cases; without it there are no cases. */
	readonly tests?: string | undefined;
};

/** Where the directory of the tests is in the guest. */
export const testsInGuest = 'root/tests';

/** Any modules, tested by any executables. Throws UsageError if there is no such module, or no test. */
export function executableSuite({modules, tests}: ExecutableSuiteOptions): Suite {
	for (const each of modules) requireModule(each);
	const cases = tests === undefined ? [] : casesOf(tests);
	const sources = modules.map((from): ModuleSource => ({from: path.resolve(from)}));
	const name = path.basename(path.resolve(modules[0] ?? tests ?? '.')).replace(/\.ko$/, '');
	const options = [...modules.flatMap(each => ['--module', each]), ...(tests === undefined ? [] : ['--tests', tests])];
	return {
		name,
		options: options.map(quote).join(' '),
		content: contentOf(sources, tests),
		mechanisms: [{id: name, features: new Set()}],
		targets: [],
		kernels: {default: fallbackKernel},
		sources: [...sources.map(({from}) => from), ...(tests === undefined ? [] : [path.resolve(tests)])],
		modules: {
			directories: sources.map(({from}) => from).filter(isDirectory),
			at(directories) {
				const moved = [...directories];
				return contentOf(
					sources.map(source => (isDirectory(source.from) ? {...source, from: moved.shift()!} : source)),
					tests,
				);
			},
		},
		cases: async () => cases,
	};
}

function isDirectory(from: string): boolean {
	return !from.endsWith('.ko');
}

function contentOf(modules: readonly ModuleSource[], tests: string | undefined): GuestContent {
	return {
		modules,
		files: async () => (tests === undefined ? [] : filesBelow(path.resolve(tests), testsInGuest)),
	};
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
