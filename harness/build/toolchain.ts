// SPDX-License-Identifier: GPL-2.0
import {readFile, symlink} from 'node:fs/promises';
import path from 'node:path';
import recipe from '../../images/toolchain.json' with {type: 'json'};
import {cacheDirectory} from '../host/cache.ts';
import {cacheRoot} from '../host/cache-root.js';
import {obtainTree} from '../host/debian/obtain-tree.ts';
import {UsageError} from '../host/errors.ts';
import {readCached, writeCached} from '../host/json-cache.ts';
import {programs} from '../host/programs.ts';
import {directoryOnPath} from '../host/qemu.ts';
import {say} from '../host/say.ts';
import {debianRow} from '../kernels/catalogue.ts';
import type {Kernel} from '../kernels/kernel.ts';
import {toolchainIdentity} from './sources.ts';

/** What builds the modules of a kernel. */
export type Toolchain = {
	/** Changes with the compiler. */
	readonly identity: string;
	readonly cc: string;
	/** The command that is make, for work in that directory. */
	readonly make: (directory: string) => readonly string[];
};

const host: Toolchain = {identity: 'host', cc: 'gcc', make: () => ['make']};

/** The host's, unless the kernel's compiler is newer: its headers then use what the host's does not know. */
export async function toolchainOf(
	kernel: Kernel,
	{signal}: {signal?: AbortSignal | undefined} = {},
): Promise<Toolchain> {
	const wanted = await compilerOf(kernel);
	const suites = debianRow(kernel.id)?.suites;
	if (wanted === undefined || suites === undefined || wanted <= (await hostCompiler())) return host;
	if (!(await directoryOnPath('bwrap'))) {
		throw new UsageError(
			`${kernel.id} needs gcc ${wanted}, which runs by bubblewrap only: run \`probe-matrix doctor --install\`.`,
		);
	}
	const root = await obtainRoot(kernel, wanted, {signal});
	return {identity: root, cc: `gcc-${wanted}`, make: directory => sandbox(root, directory)};
}

/** The major version of the gcc that built the kernel; `undefined` if its .config does not tell. */
async function compilerOf({config}: Kernel): Promise<number | undefined> {
	const version = /^CONFIG_GCC_VERSION=(\d+)$/m.exec(await readFile(config, 'utf8'))?.[1];
	return version === undefined || version === '0' ? undefined : Math.floor(Number(version) / 10_000);
}

/** The major version of the host's gcc, 0 without one; asked once for each gcc, as that takes a tenth of a second. */
async function hostCompiler(): Promise<number> {
	const memo = path.join(cacheDirectory('kernels'), 'host-gcc.json');
	const identity = await toolchainIdentity(['gcc']);
	const isSame = (memory: {identity: string}) => memory.identity === identity;
	const known = await readCached<{identity: string; version: number}>(memo, Number.POSITIVE_INFINITY, isSame);
	if (known) return known.version;
	const {stdout} = await programs()('gcc', ['-dumpversion'], {reject: false});
	const version = Number.parseInt(stdout ?? '', 10) || 0;
	await writeCached(memo, {identity, version});
	return version;
}

/** A system of the kernel's suite with nothing but the compiler and what make calls. */
async function obtainRoot(
	kernel: Kernel,
	version: number,
	{signal}: {signal?: AbortSignal | undefined},
): Promise<string> {
	const name = `gcc-${version}`;
	const {suites} = debianRow(kernel.id)!;
	const packages = {suites, roots: [name, ...recipe.roots], skip: recipe.skip};
	return obtainTree(name, packages, {
		note: `${kernel.id}-${name}`,
		signal,
		keep: file => !recipe.drop.some(prefix => path.matchesGlob(file, `${prefix}**`)),
		// What the packages' maintainer scripts would do.
		finish: directory => symlink('mawk', path.join(directory, 'usr/bin/awk')),
		recipe: JSON.stringify(recipe.drop),
		onFetch: async () =>
			say(`${kernel.id} was built by gcc ${version}; fetching it, because the host's gcc is ${await hostCompiler()}.`),
	});
}

/** A command for make with the programs of `root`, which sees the cache, and writes to `directory` alone. */
export function sandbox(root: string, directory: string): readonly string[] {
	const links = ['bin', 'sbin', 'lib', 'lib64'].flatMap(name => ['--symlink', `usr/${name}`, `/${name}`]);
	return [
		...['bwrap', '--die-with-parent', '--unshare-all', '--new-session', '--ro-bind', path.join(root, 'usr'), '/usr'],
		...[...links, '--dev', '/dev', '--proc', '/proc', '--tmpfs', '/tmp'],
		...['--ro-bind', cacheRoot(), cacheRoot(), '--bind', directory, directory, '--chdir', directory],
		...['--clearenv', '--setenv', 'PATH', '/usr/bin', '--setenv', 'LC_ALL', 'C', 'make'],
	];
}
