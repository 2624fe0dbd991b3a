// SPDX-License-Identifier: GPL-2.0
import {existsSync, statSync} from 'node:fs';
import path from 'node:path';
import type {GuestContent, ModuleSource, PushedFile} from '../../build/guest-content.ts';
import {requireModule} from '../../build/module-build.ts';
import type {Case} from '../../engine/case.ts';
import type {Suite} from '../../engine/suite.ts';
import {BuildError, UsageError} from '../../host/errors.ts';
import {programs} from '../../host/programs.ts';
import {quote} from '../../host/quote.ts';
import {fallbackKernel} from '../../kernels/default-kernels.ts';
import {filesBelow} from '../executables/find-tests.ts';
import {casesOf, testsInGuest} from '../executables/suite.ts';
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
	for (const {from} of modules) requireModule(from);
	const tests = given.tests ?? (definition.tests === undefined ? undefined : at(definition.tests));
	const cases = [...own, ...(tests === undefined ? [] : casesOf(tests, name))];
	requireDistinct(cases, file);
	const options = [
		...(path.basename(file) === 'probe-matrix.config.ts' ? [] : ['--suite', file]),
		...given.modules.flatMap(each => ['--module', each]),
		...(given.tests === undefined ? [] : ['--tests', given.tests]),
	];
	const contentOf = (of: readonly ModuleSource[]): GuestContent => ({
		modules: of,
		files: async ({signal}) => {
			if (definition.build) await runBuild(definition.build, {directory, file, signal});
			const files = (definition.files ?? []).flatMap(each => filesOf(each, {at, file}));
			return [...files, ...(tests === undefined ? [] : filesBelow(tests, testsInGuest))];
		},
	});
	const isDirectory = ({from}: ModuleSource) => !from.endsWith('.ko');
	return {
		name,
		...(options.length > 0 && {options: options.map(quote).join(' ')}),
		content: contentOf(modules),
		mechanisms: [{id: name, features: new Set()}],
		targets: definition.targets ?? [...new Set(cases.flatMap(({targets = []}) => targets))],
		kernels: {
			default: kernels?.default ?? fallbackKernel,
			...(kernels?.tested && {tested: kernels.tested}),
		},
		sources: [...sources, ...modules.map(({from}) => from), ...(tests === undefined ? [] : [tests])],
		modules: {
			directories: modules.filter(isDirectory).map(({from}) => from),
			at(directories) {
				const moved = [...directories];
				return contentOf(modules.map(module => (isDirectory(module) ? {...module, from: moved.shift()!} : module)));
			},
		},
		cases: async () => cases,
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
			`The build of ${file} failed: ${program} ended with ${exitCode ?? shortMessage}.\n${(all ?? '').split('\n').slice(-60).join('\n')}`,
		);
}

function filesOf(
	each: string | FileDefinition,
	{at, file}: {at: (path: string) => string; file: string},
): readonly PushedFile[] {
	const {from, to = path.basename(from)} = typeof each === 'string' ? {from: each} : each;
	const source = at(from);
	if (!existsSync(source)) throw new UsageError(`${file}: there is no file ${from}.`);
	const target = path.join('root', to.startsWith('/') ? path.relative('/root', to) : to);
	if (statSync(source).isDirectory()) return filesBelow(source, target);
	return [{path: target, source, mode: statSync(source).mode & 0o777}];
}
