// SPDX-License-Identifier: GPL-2.0
import {type Command, Option} from 'commander';
import type {Case} from '../engine/case.ts';
import type {Suite} from '../engine/suite.ts';
import {isolations} from '../guest/isolation.ts';
import {acceleratorNames} from '../host/accelerator.ts';
import {UsageError} from '../host/errors.ts';
import {defaultKernel, fallbackKernel} from '../kernels/default-kernels.ts';
import {chooseSuite, configName} from '../suites/choose-suite.ts';
import {repeatable} from './option-values.ts';

/** How --help names the default kernel. */
export const defaultKernelText = `${defaultKernel}, or ${fallbackKernel} if that is unavailable`;

export function matchOption(none = 'all cases'): Option {
	return repeatable('--match <glob>', "cases, as 'suite/name' or 'suite/name[target]'", none);
}

/** Adds the options that choose what is tested. */
export function addSuiteOptions(command: Command): Command {
	return addModuleOptions(command).addOption(testsOption());
}

/** Adds the options that choose what is in the guests. */
export function addModuleOptions(command: Command): Command {
	return command
		.addOption(repeatable('--module <path>', 'module to test, as a directory or a FILE.ko', 'those of the suite'))
		.addOption(suiteOption());
}

export function mechanismOption(): Option {
	return repeatable('--mechanism <name>', "mechanism of the suite to test, or 'all'", 'the first one');
}

export function testsOption(): Option {
	return new Option('--tests <dir>', 'directory whose executables are the cases');
}

export function suiteOption(): Option {
	return new Option(
		'--suite <file>',
		`suite to test (default: ${configName} here or above, else that of this project)`,
	);
}

export type SuiteOptions = {
	readonly module: readonly string[];
	readonly tests?: string;
	readonly suite?: string;
};

export async function suiteOf({module: modules, tests, suite}: SuiteOptions): Promise<Suite> {
	return chooseSuite({modules, tests, suite});
}

/** The cases of a suite. Throws UsageError if it has none. */
export async function casesOf(suite: Suite): Promise<readonly Case[]> {
	const cases = await suite.cases();
	if (cases.length === 0) throw new UsageError(`${suite.name} has no cases: name a directory of tests by --tests.`);
	return cases;
}

export function sourceOption(): Option {
	return new Option('--source <dir>', 'build kernel.org releases from this tree, which is only read');
}

/** `what` may share a guest: cells or repeats. */
export function isolationOption(what: string): Option {
	return new Option('--isolation <level>', `what ${what} share: a guest while it is clean, a snapshot, or nothing`)
		.choices(isolations)
		.default('reuse');
}

export function saveMemoryOption(): Option {
	return new Option('--save-memory', 'save what a guest that crashed or hung had in memory, for crash and drgn');
}

export function acceleratorOption(): Option {
	return new Option('--accel <name>', 'how guests run (default: kvm if a test guest runs with it)').choices(
		acceleratorNames,
	);
}

export function historyOption(): Option {
	return new Option('--history <dir>', 'directory of past runs, kept by run and nightly --history');
}
