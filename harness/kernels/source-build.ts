import {createHash} from 'node:crypto';
import {existsSync} from 'node:fs';
import {copyFile, mkdir, readFile, rename, rm, writeFile} from 'node:fs/promises';
import {availableParallelism} from 'node:os';
import path from 'node:path';
import {execa} from 'execa';
import {cacheDirectory, cacheRoot, immutableDirectory} from '../host/cache.ts';
import {UsageError} from '../host/errors.ts';
import {say} from '../host/say.ts';
import {kbuild} from './kbuild.ts';
import {formatOptions, lostOptions, parseOptions} from './kconfig.ts';
import type {Kernel} from './kernel.ts';
import {fileNameOf, type KernelId} from './kernel-id.ts';
import {assembleModuleTree, proveModuleTree} from './module-tree.ts';
import {type Recipe, recipeOf, toolsIdentity} from './recipe.ts';
import {applyReplacements, inspectTree} from './source-tree.ts';
import {isPvhKernel} from './vmlinux.ts';

export type Source = {
	readonly version: string;
	/** For people. */
	readonly origin: string;
	/** Stands for the content. */
	readonly identity: string;
	/** Puts the sources into a directory that may be written to. */
	readonly provide: (directory: string) => Promise<void>;
};

/** The kernel of those sources, built once for each recipe and compiler. Throws BuildError with the compiler's words. */
export async function buildKernel(
	id: KernelId,
	source: Source,
	{signal}: {signal?: AbortSignal} = {},
): Promise<Kernel> {
	// The kernel's own makefiles cannot.
	if (/[\s:]/.test(cacheRoot())) {
		throw new UsageError(
			`Linux cannot be built in ${cacheRoot()}, as its path has a space or colon; set PROBE_MATRIX_CACHE.`,
		);
	}
	const [recipe, tools] = await Promise.all([recipeOf(source.version, id.flavour), toolsIdentity()]);
	const identity = createHash('sha256').update([source.identity, recipe.identity, tools].join('\n')).digest('hex');
	const final = path.join(cacheDirectory('built'), `${fileNameOf(id)}-${identity.slice(0, 12)}`);
	await immutableDirectory(
		final,
		async temporary => {
			// Outside of `temporary`, so that what has been compiled outlives an interruption.
			const work = cacheDirectory('work', path.basename(final));
			const build = new Build(
				`Linux ${source.version}${id.flavour === 'base' ? '' : ` (${id.flavour})`}`,
				work,
				recipe,
				signal,
			);
			await build.unpack(source);
			await build.configure();
			await build.compile();
			await build.deliver(temporary);
			await rm(work, {recursive: true, force: true});
		},
		{signal},
	);
	return describe(id, final, source.origin, recipe);
}

class Build {
	readonly #name: string;
	readonly #work: string;
	readonly #recipe: Recipe;
	readonly #signal: AbortSignal | undefined;
	readonly #source: string;
	readonly #output: string;

	constructor(name: string, work: string, recipe: Recipe, signal: AbortSignal | undefined) {
		this.#name = name;
		this.#work = work;
		this.#recipe = recipe;
		this.#signal = signal;
		this.#source = path.join(work, 'source');
		this.#output = path.join(work, 'build');
	}

	async unpack({provide}: Source): Promise<void> {
		if (existsSync(this.#source)) {
			say(`${this.#name}: going on where an earlier build was interrupted.`);
			return;
		}
		const unfinished = `${this.#source}.tmp`;
		await rm(unfinished, {recursive: true, force: true});
		await provide(unfinished);
		await applyReplacements(unfinished, this.#recipe.quirks);
		if ((await inspectTree(unfinished)).state !== 'clean') await this.#make(['mrproper'], unfinished);
		await rename(unfinished, this.#source);
	}

	async configure(): Promise<void> {
		const config = path.join(this.#output, '.config');
		if (existsSync(config)) return;
		await mkdir(this.#output, {recursive: true});
		const wanted = path.join(this.#work, 'wanted.config');
		await writeFile(wanted, formatOptions(this.#recipe.options));
		try {
			await this.#make(['allnoconfig'], this.#source, {KCONFIG_ALLCONFIG: wanted});
			await this.#verify(config);
		} catch (error) {
			await rm(config, {force: true});
			throw error;
		}
	}

	async #verify(config: string): Promise<void> {
		const got = parseOptions(await readFile(config, 'utf8'), config);
		const known = await this.#knownOptions();
		const lost = lostOptions(this.#recipe.options, got, name => known.has(name));
		if (lost.length === 0) return;
		throw new UsageError(
			`${this.#name} does not take ${lost.join(', ')} from images/kconfig; see what they depend on.`,
		);
	}

	/** All that its Kconfig files declare. */
	async #knownOptions(): Promise<ReadonlySet<string>> {
		const args = ['-rhoE', '--include=Kconfig*', '--exclude-dir=.git', '^[[:space:]]*(menu)?config [A-Za-z0-9_]+', '.'];
		const {stdout} = await execa('grep', args, {cwd: this.#source, cancelSignal: this.#signal});
		return new Set(stdout.split('\n').map(line => `CONFIG_${line.trim().split(' ').at(-1)}`));
	}

	async compile(): Promise<void> {
		say(`building ${this.#name}; that takes minutes.`);
		const make = [`-j${availableParallelism()}`, ...this.#recipe.make];
		await this.#make([...make, 'bzImage'], this.#source);
		// Since 5.8 that comes from the modules' step. Earlier that step would only build what distributors add.
		if (existsSync(path.join(this.#output, 'Module.symvers'))) return;
		await this.#make([...make, 'modules'], this.#source);
	}

	async deliver(to: string): Promise<void> {
		const tree = path.join(to, 'tree');
		await assembleModuleTree(this.#source, this.#output, tree);
		await copyFile(path.join(this.#output, 'arch/x86/boot/bzImage'), path.join(to, 'bzImage'));
		await copyFile(path.join(this.#output, 'vmlinux'), path.join(to, 'vmlinux'));
		// Whatever of the tree a module needs is in it: the work directory is out of the way while that is proved.
		const hidden = `${this.#work}.away`;
		await rm(hidden, {recursive: true, force: true});
		await rename(this.#work, hidden);
		try {
			await proveModuleTree(tree, {scratch: to, args: this.#recipe.make, signal: this.#signal});
		} finally {
			await rename(hidden, this.#work);
		}
	}

	async #make(args: readonly string[], source: string, env: Readonly<Record<string, string>> = {}): Promise<void> {
		const output = args.includes('mrproper') ? source : this.#output;
		const log = path.join(this.#work, 'build.log');
		await kbuild({name: this.#name, source, output, args, log, env, signal: this.#signal});
	}
}

async function describe(id: KernelId, final: string, origin: string, recipe: Recipe): Promise<Kernel> {
	const tree = path.join(final, 'tree');
	const symbols = path.join(final, 'vmlinux');
	return {
		id: id.id,
		release: (await readFile(path.join(tree, 'include/config/kernel.release'), 'utf8')).trim(),
		bzImage: path.join(final, 'bzImage'),
		...((await isPvhKernel(symbols)) && {vmlinux: symbols}),
		symbols,
		buildTree: tree,
		kallsyms: path.join(tree, 'System.map'),
		origin,
		flavour: id.flavour,
		config: path.join(tree, '.config'),
		make: recipe.make,
	};
}
