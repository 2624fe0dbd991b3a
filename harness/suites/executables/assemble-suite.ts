// SPDX-License-Identifier: GPL-2.0
import type {GuestContent, ModuleSource, PushedFile} from '../../build/guest-content.ts';
import {requireModule} from '../../build/module-build.ts';
import {pushedFiles} from '../../build/pushed-files.ts';
import type {Case} from '../../engine/case.ts';
import type {Suite} from '../../engine/suite.ts';
import {quote} from '../../host/quote.ts';
import {fallbackKernel} from '../../kernels/default-kernels.ts';

/** Where the directory of the tests is in the guest. */
export const testsInGuest = 'root/tests';

export type SuiteParts = {
	readonly name: string;
	/** The options that choose the suite. */
	readonly options: readonly string[];
	/** Their paths are absolute. */
	readonly modules: readonly ModuleSource[];
	/** A directory to push, as an absolute path. */
	readonly tests: string | undefined;
	readonly cases: readonly Case[];
	readonly fragment?: GuestContent['fragment'];
	/** Builds and finds the files beside modules and tests. */
	readonly files?: GuestContent['files'];
	/** Files that define the suite, beside modules and tests. */
	readonly sources?: readonly string[];
};

/** A suite of any modules. Throws UsageError if one of them is none. */
export function assembleSuite(parts: SuiteParts): Suite {
	const {name, options, modules, tests, cases, files = async () => [], sources = [], fragment} = parts;
	for (const {from} of modules) requireModule(from);
	const contentOf = (of: readonly ModuleSource[]): GuestContent => ({
		...(fragment && {fragment}),
		modules: of,
		files: async given => [...(await files(given)), ...(tests === undefined ? [] : filesOfTests(tests))],
	});
	const isDirectory = ({from}: ModuleSource) => !from.endsWith('.ko');
	return {
		name,
		...(options.length > 0 && {options: options.map(quote).join(' ')}),
		content: contentOf(modules),
		mechanisms: [{id: name, features: new Set()}],
		targets: [...new Set(cases.flatMap(({targets = []}) => targets))],
		kernels: {default: fallbackKernel},
		sources: [...sources, ...modules.map(({from}) => from), ...(tests === undefined ? [] : [tests])],
		modules: {
			directories: modules.filter(isDirectory).map(({from}) => from),
			at(directories) {
				const moved = [...directories];
				return contentOf(modules.map(module => (isDirectory(module) ? {...module, from: moved.shift()!} : module)));
			},
		},
		cases: async () => cases,
	};
}

/** The options of a command that names modules and tests. */
export function optionsFor(modules: readonly string[], tests: string | undefined): readonly string[] {
	return [...modules.flatMap(each => ['--module', each]), ...(tests === undefined ? [] : ['--tests', tests])];
}

function filesOfTests(directory: string): readonly PushedFile[] {
	return pushedFiles(directory, testsInGuest).filter(({path: file}) => !file.split('/').includes('.git'));
}
