// SPDX-License-Identifier: GPL-2.0
import {existsSync} from 'node:fs';
import path from 'node:path';
import type {Suite} from '../engine/suite.ts';
import {configName} from './configured/config-name.ts';

export {configName};

export type SuiteChoice = {
	/** A file that exports a suite; default: `probe-matrix.config.ts` here or in a directory above. */
	readonly suite?: string | undefined;
	/** Modules to test, as directories or FILE.ko. */
	readonly modules?: readonly string[] | undefined;
	/** A directory whose executables are the cases. */
	readonly tests?: string | undefined;
};

/** The suite that a command is about; bprobe if nothing else is named or found. Throws UsageError. */
export async function chooseSuite({suite, modules = [], tests}: SuiteChoice = {}): Promise<Suite> {
	if (suite === undefined && (modules.length > 0 || tests !== undefined))
		return (await import('./executables/suite.ts')).executableSuite({modules, tests});
	const file = suite ?? findUpward(process.cwd());
	if (file !== undefined) return (await import('./configured/load-suite.ts')).loadSuiteFile(file, {modules, tests});
	return (await import('./project-suite.ts')).projectSuite;
}

function findUpward(directory: string): string | undefined {
	const file = path.join(directory, configName);
	if (existsSync(file)) return file;
	const above = path.dirname(directory);
	return above === directory ? undefined : findUpward(above);
}
