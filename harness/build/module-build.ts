// SPDX-License-Identifier: GPL-2.0
import {createHash} from 'node:crypto';
import {existsSync, statSync} from 'node:fs';
import {copyFile, mkdir, readdir, readFile, writeFile} from 'node:fs/promises';
import path from 'node:path';
import {cacheDirectory, immutableDirectory} from '../host/cache.ts';
import {messageOf, UsageError} from '../host/errors.ts';
import type {Kernel} from '../kernels/kernel.ts';
import {fileNameOf} from '../kernels/kernel-id.ts';
import {NotMadeError, readBareModule} from './bare-module.ts';
import type {MakeArguments, ModuleSource} from './guest-content.ts';
import {kbuildCommands} from './kbuild-commands.ts';
import {dependenciesOf, kernelModules, moduleName} from './kernel-modules.ts';
import {buildOnce} from './make.ts';
import {toolchainOf} from './toolchain.ts';

/** A module for one kernel. */
export type GuestModule = {
	/** As lsmod prints it. */
	readonly name: string;
	/** With debug information, for gdb and for source lines in reports. */
	readonly file: string;
	/** What guests get; see readBareModule. */
	readonly bare: string;
	readonly parameters?: string;
	/** It is part of the kernel, and may be loaded already. */
	readonly isKernels?: true;
};

export type ModuleBuildOptions = {
	readonly signal?: AbortSignal | undefined;
	readonly onBuild?: () => void;
	/** Called when a module is not in the cache and must be compiled. */
	readonly onCompile?: () => void;
};

/**
 * The modules of one source, after those of the kernel that they need. Throws BuildError with the compiler's output, or
 * UsageError if the source is no module.
 */
export async function buildModules(
	source: ModuleSource,
	kernel: Kernel,
	options: ModuleBuildOptions = {},
): Promise<readonly GuestModule[]> {
	const directory = source.from.endsWith('.ko')
		? await keepModule(source.from, kernel)
		: await compile(source, kernel, options);
	const order: readonly Delivered[] = JSON.parse(await readFile(path.join(directory, orderFile), 'utf8'));
	return order.map(({file, isKernels}) => ({
		name: moduleName(file),
		file: path.join(directory, file),
		bare: path.join(directory, 'bare', file),
		...(isKernels && {isKernels}),
		...(!isKernels && source.parameters !== undefined && {parameters: source.parameters}),
	}));
}

/** In the directory with the results: the modules in the order of insertion. */
const orderFile = 'order.json';
type Delivered = {readonly file: string; readonly isKernels?: true};

/** Throws UsageError unless kbuild finds something to build in the directory. */
export function requireModuleSources(directory: string): void {
	if (!['Kbuild', 'Makefile'].some(file => existsSync(path.join(directory, file))))
		throw new UsageError(`${directory} holds no module: it has neither a Kbuild nor a Makefile.`);
}

/** Throws UsageError unless it is a directory with a module or a FILE.ko. */
export function requireModule(from: string): void {
	if (!existsSync(from)) throw new UsageError(`There is no module in ${from}: no such file or directory.`);
	if (statSync(from).isFile()) {
		if (!from.endsWith('.ko'))
			throw new UsageError(`${from} is no module: give a directory or a file that ends with .ko.`);
	} else {
		requireModuleSources(from);
	}
}

/** Make takes no names with spaces. */
function placeOf(from: string): string {
	const name = path.basename(path.resolve(from));
	return /^[\w.+-]+$/.test(name) ? name : 'module';
}

async function compile(
	{from, place = placeOf(from), name = place, make: more = [], isStrict = false}: ModuleSource,
	kernel: Kernel,
	{signal, onBuild, onCompile}: ModuleBuildOptions,
): Promise<string> {
	const toolchain = await toolchainOf(kernel, {signal});
	const extra = [...(kernel.make ?? []), ...argumentsFor(kernel, more, name)];
	const title = `${name}-${fileNameOf(kernel)}`;
	return buildOnce({
		name: title,
		sources: [place],
		elsewhere: {[place]: path.resolve(from)},
		tools: ['gcc', 'ld'],
		key: [kernel.buildTree, toolchain.identity, orderFile, ...extra].join('\n'),
		isStrict,
		commands: async (copy, {isRestart}) => {
			const make = toolchain.make(copy);
			// Debian's headers name the compiler of their own suite.
			const args = ['-C', kernel.buildTree, `M=${path.join(copy, place)}`, `CC=${toolchain.cc}`, ...extra, 'modules'];
			if (isStrict) return kbuildCommands({directory: copy, isRestart, make, args});
			return [[...make, '--no-print-directory', '-j2', ...args]];
		},
		async deliver(copy, to) {
			const found = (await readdir(path.join(copy, place), {recursive: true})).filter(file => file.endsWith('.ko'));
			if (found.length === 0) throw new NotMadeError('.ko: its Kbuild or Makefile has to name one in obj-m');
			await deliver(found.map(file => path.join(copy, place, file)).toSorted(), {to, kernel});
		},
		signal,
		onBuild() {
			onCompile?.();
			onBuild?.();
		},
	});
}

/** Throws UsageError if a function fails, or gives something else. */
function argumentsFor({id, release}: Kernel, make: MakeArguments, name: string): readonly string[] {
	if (typeof make !== 'function') return make;
	let given: unknown;
	try {
		given = make({id, release});
	} catch (error) {
		throw new UsageError(`${name}: its function \`make\` failed for ${id}: ${messageOf(error)}`, {cause: error});
	}
	if (Array.isArray(given) && given.every(each => typeof each === 'string')) return given;
	throw new UsageError(`${name}: its function \`make\` has to give a list of arguments for ${id}.`);
}

/** A module that somebody else has built. Whether it fits the kernel shows when it is inserted. */
async function keepModule(file: string, kernel: Kernel): Promise<string> {
	const hash = createHash('sha256')
		.update(await readFile(file))
		.update(kernel.modules ?? '');
	const name = `${path.basename(file, '.ko')}-${fileNameOf(kernel)}-${hash.digest('hex').slice(0, 16)}`;
	return immutableDirectory(path.join(cacheDirectory('build'), name), to => deliver([file], {to, kernel}));
}

/** Copies modules, and those of the kernel that they need, and writes their order. */
async function deliver(files: readonly string[], {to, kernel}: {to: string; kernel: Kernel}): Promise<void> {
	const data = new Map(await Promise.all(files.map(async file => [moduleName(file), await readFile(file)] as const)));
	const byName = new Map(files.map(file => [moduleName(file), file]));
	const needed = [...data.values()].flatMap(dependenciesOf).filter(name => !byName.has(name));
	const order: Delivered[] = [];
	await mkdir(path.join(to, 'bare'));
	for (const each of await kernelModules(kernel, needed)) {
		const file = path.basename(each.path);
		for (const place of ['', 'bare']) await writeFile(path.join(to, place, file), each.data);
		order.push({file, isKernels: true});
	}
	const visit = async (name: string): Promise<void> => {
		const file = path.basename(byName.get(name)!);
		if (order.some(each => each.file === file)) return;
		for (const before of dependenciesOf(data.get(name)!)) if (byName.has(before)) await visit(before);
		await copyFile(byName.get(name)!, path.join(to, file));
		await writeFile(path.join(to, 'bare', file), await readBareModule(byName.get(name)!));
		order.push({file});
	};
	for (const name of byName.keys()) await visit(name);
	await writeFile(path.join(to, orderFile), JSON.stringify(order));
}
