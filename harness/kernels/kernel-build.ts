// SPDX-License-Identifier: GPL-2.0
import {existsSync} from 'node:fs';
import {copyFile, mkdir, readFile, rm, writeFile} from 'node:fs/promises';
import {availableParallelism} from 'node:os';
import path from 'node:path';
import {UsageError} from '../host/errors.ts';
import {programs} from '../host/programs.ts';
import {say} from '../host/say.ts';
import {requireOptions} from './fragment.ts';
import {kbuild} from './kbuild.ts';
import {formatOptions, lostOptions, parseOptions} from './kconfig.ts';
import type {Kernel} from './kernel.ts';
import type {KernelId} from './kernel-id.ts';
import {assembleModuleTree} from './module-tree.ts';
import type {Recipe} from './recipe.ts';
import {isPvhKernel} from './vmlinux.ts';

export type KernelBuildOptions = {
	/** For display. */
	readonly name: string;
	/** Directory for the log and other files; kept until the build is done. */
	readonly work: string;
	/** Never written to. */
	readonly source: string;
	/** Build directory; existing objects in it are reused. */
	readonly output: string;
	readonly recipe: Recipe;
	readonly signal?: AbortSignal | undefined;
};

/** One kbuild build of a kernel: configure, compile, and collect what a guest and its modules need. */
export class KernelBuild {
	readonly #options: KernelBuildOptions;

	constructor(options: KernelBuildOptions) {
		this.#options = options;
	}

	/**
	 * Writes a new .config. Throws BuildError for options of the fragment that the kernel does not take; with `isStrict`,
	 * UsageError for others.
	 */
	async configure({isStrict}: {isStrict: boolean}): Promise<void> {
		const {name, work, output, recipe} = this.#options;
		const config = path.join(output, '.config');
		await mkdir(output, {recursive: true});
		const wanted = path.join(work, 'wanted.config');
		await writeFile(wanted, formatOptions(recipe.options));
		try {
			await this.make(['allnoconfig'], {env: {KCONFIG_ALLCONFIG: wanted}});
			if (recipe.fragment) await requireOptions(name, config, recipe.fragment);
			if (isStrict) await this.#verify();
		} catch (error) {
			await rm(config, {force: true});
			throw error;
		}
	}

	/** Options that the kernel did not take when it was configured, as `CONFIG_A=y (it is n)`; with those it does not know. */
	async allLost(): Promise<readonly string[]> {
		const config = path.join(this.#options.output, '.config');
		return lostOptions(this.#options.recipe.options, parseOptions(await readFile(config, 'utf8'), config), () => true);
	}

	/** Those of them that the kernel knows. */
	async lost(): Promise<readonly string[]> {
		const config = path.join(this.#options.output, '.config');
		const got = parseOptions(await readFile(config, 'utf8'), config);
		const known = await this.#knownOptions();
		return lostOptions(this.#options.recipe.options, got, name => known.has(name));
	}

	async #verify(): Promise<void> {
		const lost = await this.lost();
		if (lost.length === 0) return;
		throw new UsageError(
			`${this.#options.name} does not take ${lost.join(', ')} from images/kconfig; see what they depend on.`,
		);
	}

	/** All options that the Kconfig files declare. */
	async #knownOptions(): Promise<ReadonlySet<string>> {
		const args = ['-rhoE', '--include=Kconfig*', '--exclude-dir=.git', '^[[:space:]]*(menu)?config [A-Za-z0-9_]+', '.'];
		const {stdout} = await programs()('grep', args, {cwd: this.#options.source, cancelSignal: this.#options.signal});
		return new Set(stdout.split('\n').map(line => `CONFIG_${line.trim().split(' ').at(-1)}`));
	}

	async compile(): Promise<void> {
		const {name, recipe, output} = this.#options;
		say(`building ${name}; this takes minutes.`);
		const make = [`-j${availableParallelism()}`, ...recipe.make];
		await this.make([...make, 'bzImage']);
		// Since 5.8 only the modules target writes Module.symvers. Before, bzImage does, and the modules target would
		// only build what distributors add.
		if (existsSync(path.join(output, 'Module.symvers'))) return;
		await this.make([...make, 'modules']);
	}

	/** Rebuilds only what changed, in a directory with the build of another commit. */
	async compileAgain(): Promise<void> {
		const {recipe} = this.#options;
		await this.make([`-j${availableParallelism()}`, ...recipe.make, 'bzImage', 'modules']);
	}

	async deliver(to: string): Promise<void> {
		const {source, output} = this.#options;
		await assembleModuleTree(source, output, path.join(to, 'tree'));
		await copyFile(path.join(output, 'arch/x86/boot/bzImage'), path.join(to, 'bzImage'));
		await copyFile(path.join(output, 'vmlinux'), path.join(to, 'vmlinux'));
	}

	async make(
		args: readonly string[],
		{output, env = {}}: {output?: string; env?: Readonly<Record<string, string>>} = {},
	): Promise<void> {
		const {name, work, source, signal} = this.#options;
		const log = path.join(work, 'build.log');
		await kbuild({name, source, output: output ?? this.#options.output, args, log, env, signal});
	}
}

/** Describes what `deliver` wrote. */
export async function describeBuilt(
	id: Pick<KernelId, 'id' | 'flavour'>,
	final: string,
	origin: string,
	recipe: Pick<Recipe, 'make'>,
): Promise<Kernel> {
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
