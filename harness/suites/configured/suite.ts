// SPDX-License-Identifier: GPL-2.0
import {existsSync} from 'node:fs';
import path from 'node:path';
import type {ModuleSource, PushedFile} from '../../build/guest-content.ts';
import {pushedFiles} from '../../build/pushed-files.ts';
import type {Case} from '../../engine/case.ts';
import type {Suite} from '../../engine/suite.ts';
import {BuildError, UsageError} from '../../host/errors.ts';
import {programs} from '../../host/programs.ts';
import {readFragment} from '../../kernels/fragment.ts';
import {assembleSuite, optionsFor} from '../executables/assemble-suite.ts';
import {casesOf} from '../executables/suite.ts';
import {configName} from './config-name.ts';
import type {FileDefinition, SuiteDefinition} from './definition.ts';

type Loaded = {
	/** As it was named. */
	readonly file: string;
	readonly directory: string;
	readonly cases: readonly Case[];
	/** The files that define the suite and its cases. */
	readonly sources: readonly string[];
	/** Replace those of the definition. */
	readonly modules: readonly string[];
	readonly tests: string | undefined;
};

/** The suite of a definition. Throws UsageError if a path of it is wrong, or a case is there twice. */
export function suiteFrom(
	definition: SuiteDefinition,
	{file, directory, cases: own, sources, ...given}: Loaded,
): Suite {
	const {name, kernels, open, beforeCell, leftovers} = definition;
	const at = (each: string) => path.resolve(directory, each);
	const modules =
		given.modules.length > 0
			? given.modules.map((from): ModuleSource => ({from: path.resolve(from)}))
			: (definition.modules ?? []).map((each): ModuleSource => {
					const more = typeof each === 'string' ? {from: each} : each;
					return {...more, from: at(more.from)};
				});
	const ownTests = definition.tests === undefined ? undefined : at(definition.tests);
	const tests = given.tests === undefined ? ownTests : path.resolve(given.tests);
	const cases = [...own, ...(tests === undefined ? [] : casesOf(tests, name))];
	requireDistinct(cases, file);
	const fragment = definition.kconfig === undefined ? undefined : readFragment(at(definition.kconfig));
	const named = path.basename(file) === configName ? [] : ['--suite', file];
	const assembled = assembleSuite({
		...{name, modules, tests, cases},
		sources: [...sources, ...(fragment ? [fragment.file] : [])],
		...(fragment && {fragment}),
		options: [...named, ...optionsFor(given.modules, given.tests)],
		async files({signal}) {
			if (definition.build) await runBuild(definition.build, {directory, file, signal});
			return (definition.files ?? []).flatMap(each => filesOf(each, {at, file}));
		},
	});
	return {
		...assembled,
		...(definition.targets && {targets: definition.targets}),
		kernels: {
			default: kernels?.default ?? assembled.kernels.default,
			...(kernels?.tested && {tested: kernels.tested}),
		},
		...(open && {open}),
		...(beforeCell && {beforeCell}),
		...(leftovers && {leftovers}),
	};
}

function requireDistinct(cases: readonly Case[], file: string): void {
	const seen = new Set<string>();
	for (const {id} of cases) {
		if (seen.has(id)) throw new UsageError(`${file}: the case ${id} is there twice.`);
		seen.add(id);
	}
}

async function runBuild(
	[program, ...args]: readonly string[],
	{directory, file, signal}: {directory: string; file: string; signal: AbortSignal | undefined},
): Promise<void> {
	const {failed, all, exitCode, shortMessage} = await programs()(program!, args, {
		cwd: directory,
		all: true,
		reject: false,
		cancelSignal: signal,
	});
	signal?.throwIfAborted();
	if (failed)
		throw new BuildError(
			`The build of ${file} failed: ${exitCode === undefined ? shortMessage : `${program} ended with ${exitCode}`}.\n${(all ?? '').split('\n').slice(-60).join('\n')}`,
		);
}

function filesOf(
	each: string | FileDefinition,
	{at, file}: {at: (path: string) => string; file: string},
): readonly PushedFile[] {
	const {from, to = path.basename(from)} = typeof each === 'string' ? {from: each} : each;
	const source = at(from);
	if (!existsSync(source)) throw new UsageError(`${file}: there is no file ${from}.`);
	const target = path.join('root', path.relative('/root', path.resolve('/root', to)));
	return pushedFiles(source, target);
}
