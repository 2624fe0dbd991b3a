// SPDX-License-Identifier: GPL-2.0
import {createHash} from 'node:crypto';
import {mkdir, readFile, stat, utimes, writeFile} from 'node:fs/promises';
import path from 'node:path';
import quirks from '../../../images/quirks.json' with {type: 'json'};
import {hashSources} from '../../build/sources.ts';
import {cacheDirectory, immutableDirectory, isWhole} from '../../host/cache.ts';
import {BuildError, UsageError} from '../../host/errors.ts';
import {readRecord} from '../../host/json-cache.ts';
import {say} from '../../host/say.ts';
import type {Fragment} from '../../kernels/fragment.ts';
import {formatOptions, mergeOptions, type Options, parseOptions} from '../../kernels/kconfig.ts';
import type {Kernel} from '../../kernels/kernel.ts';
import {describeBuilt, KernelBuild} from '../../kernels/kernel-build.ts';
import {type Recipe, recipeOf, toolsIdentity} from '../../kernels/recipe.ts';
import {applyReplacements, inspectTree} from '../../kernels/source-tree.ts';
import type {Candidate} from '../engine/candidate.ts';
import {type Checkout, knownOptions} from '../repository/checkout.ts';
import {git} from '../repository/git.ts';
import {type ConfigMap, underKnownNames, withoutTools, wordsOfLost} from './config-changes.ts';

export type CommitKernelsOptions = {
	readonly checkout: Checkout;
	/** Directory in which all kernels are compiled, one after the other. */
	readonly work: string;
	/** Replaces the options of images/kconfig. */
	readonly options?: Options | undefined;
	/** What a suite needs in its kernels; of no effect with `options`. */
	readonly fragment?: Fragment | undefined;
	/** Options that other commits call otherwise. */
	readonly configMap?: ConfigMap | undefined;
	readonly signal: AbortSignal;
};

/** In the directory of a kernel: what was asked of its configuration in vain. */
const lostFile = 'lost.json';

/** Builds kernels of commits in one build directory that is kept, so that each step compiles only what changed. */
export class CommitKernels {
	readonly #options: CommitKernelsOptions;
	#lastLost: string | undefined;

	constructor(options: CommitKernelsOptions) {
		this.#options = options;
	}

	/** Builds a commit's kernel, or takes it from the cache. `options` are part of its cache key. Throws BuildError. */
	async kernelOf(
		commit: Candidate,
		wanted: Options | undefined = this.#options.options,
	): Promise<{kernel: Kernel; isReused: boolean; lost: readonly string[]}> {
		const {signal, work, fragment} = this.#options;
		const options = wanted && (await this.#underNamesOf(commit, wanted));
		const parts = [
			commit.id,
			hashSources(['images/kconfig']),
			JSON.stringify(quirks),
			formatOptions(options ?? fragment?.options ?? new Map()),
			lostFile,
			await toolsIdentity(),
		];
		const identity = createHash('sha256').update(parts.join('\n')).digest('hex').slice(0, 12);
		const final = path.join(cacheDirectory('built'), `linux-${commit.id.slice(0, 12)}-${identity}`);
		const isReused = await isWhole(final);
		let make: Recipe['make'] | undefined;
		await immutableDirectory(
			final,
			async temporary => {
				await mkdir(work, {recursive: true});
				const recipe = await this.#checkOut(commit, options);
				make = recipe.make;
				const build = new KernelBuild({
					name: commit.title,
					work,
					source: this.#options.checkout.source,
					output: path.join(work, 'build'),
					recipe,
					signal,
				});
				say(`building ${commit.title}.`);
				await build.configure({isStrict: false});
				const lost = withoutTools(await build.allLost());
				await writeFile(path.join(temporary, lostFile), JSON.stringify({lost}));
				await this.#compile(build);
				await build.deliver(temporary);
			},
			{signal},
		);
		make ??= (await recipeOf((await inspectTree(path.join(final, 'tree'))).version, 'base')).make;
		// All have the same id, so that guests differ only in kernel and modules.
		const kernel = await describeBuilt({id: 'bisected', flavour: 'base'}, final, `commit ${commit.id}`, {make});
		const {lost = []} = ((await readRecord(path.join(final, lostFile))) ?? {}) as {lost?: readonly string[]};
		if (options) this.#sayLost(wordsOfLost(lost));
		return {kernel, isReused, lost};
	}

	/** The options as this commit calls them. */
	async #underNamesOf(commit: Candidate, options: Options): Promise<Options> {
		const {configMap, checkout} = this.#options;
		if (!configMap || configMap.size === 0) return options;
		const known = await knownOptions(checkout.directory, commit.id);
		return underKnownNames(options, configMap, name => known.has(name));
	}

	/** Reports lost options once for consecutive commits that lose the same ones. */
	#sayLost(words: string | undefined): void {
		if (words !== undefined && words !== this.#lastLost) say(words);
		this.#lastLost = words;
	}

	async #compile(build: KernelBuild): Promise<void> {
		try {
			await build.compileAgain();
		} catch (error) {
			if (!(error instanceof BuildError)) throw error;
			// The checkout's path says nothing to the user.
			throw new BuildError(error.message.replaceAll(`${this.#options.checkout.source}/`, ''), {cause: error});
		}
	}

	/** Throws BuildError where the commit has no Linux tree: it may be older than the tree, or have it elsewhere. */
	async #inspect(commit: Candidate): ReturnType<typeof inspectTree> {
		const {checkout} = this.#options;
		try {
			return await inspectTree(checkout.source);
		} catch (error) {
			if (!(error instanceof UsageError)) throw error;
			const place = path.relative(checkout.directory, checkout.source) || 'its top';
			throw new BuildError(`${commit.title} does not build: error: it has no Linux tree at ${place}.`, {cause: error});
		}
	}

	/**
	 * Checks the commit out and applies quirks. Files with unchanged content keep their mtimes, so make does not
	 * rebuild them.
	 */
	async #checkOut(commit: Candidate, options: Options | undefined): Promise<Recipe> {
		const {checkout} = this.#options;
		const before = await repairedFiles(checkout.directory);
		await checkout.at(commit.id);
		const {version} = await this.#inspect(commit);
		const recipe = await recipeOf(version, 'base', options ? undefined : this.#options.fragment);
		await applyReplacements(checkout.source, recipe.quirks);
		for (const [file, {text, mtime}] of before) {
			const now = await readFile(file, 'utf8').catch(() => undefined);
			if (now === text) await utimes(file, mtime, mtime);
		}
		if (!options) return recipe;
		const own = recipe.quirks.map(({config = [], reason}) => parseOptions(config.join('\n'), `The quirk «${reason}»`));
		return {...recipe, options: mergeOptions(options, ...own)};
	}
}

/**
 * Files that the quirks of the previous step changed: checking out restores them, which would rebuild all that includes
 * them.
 */
async function repairedFiles(directory: string): Promise<ReadonlyMap<string, {text: string; mtime: Date}>> {
	const names = await git(directory, ['diff', '--name-only', '--diff-filter=M']);
	const files = names
		.split('\n')
		.filter(Boolean)
		.map(name => path.join(directory, name));
	const entries = files.map(
		async file => [file, {text: await readFile(file, 'utf8'), mtime: (await stat(file)).mtime}] as const,
	);
	return new Map(await Promise.all(entries));
}
