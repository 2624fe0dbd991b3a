// SPDX-License-Identifier: GPL-2.0
import {existsSync} from 'node:fs';
import {access, constants} from 'node:fs/promises';
import path from 'node:path';
import recipe from '../../images/host-qemu.json' with {type: 'json'};
import {cacheDirectory} from './cache.ts';
import type {Suite} from './debian/archive.ts';
import {obtainTree} from './debian/obtain-tree.ts';
import {compareVersions} from './debian/package-version.ts';
import {UsageError} from './errors.ts';
import {readCached, writeCached} from './json-cache.ts';
import {programs} from './programs.ts';
import {say} from './say.ts';

/** A QEMU that can be started: `command` comes first, then the arguments of qemu-system-x86_64. */
export type Qemu = {
	readonly command: readonly string[];
	readonly environment: Readonly<Record<string, string>>;
	readonly version: string;
	/** `single` where multi-threaded emulation is not to be trusted. */
	readonly tcgThread: 'multi' | 'single';
	readonly hasQboot: boolean;
	/** It can be kept from starting programs and raising its privileges, and needs neither (`sandbox`). */
	readonly canBeSandboxed: boolean;
};

/** The value of `-sandbox`: what an emulator that a guest has taken over could use against the host. */
export const sandbox = 'on,obsolete=deny,elevateprivileges=deny,spawn=deny,resourcecontrol=deny';

/** The oldest major version whose multi-threaded TCG survives code being patched while it runs. */
const firstGoodMajor = 10;

/**
 * The host's QEMU if it is new enough, else Debian's backport unpacked in the cache, else the host's with all vCPUs in
 * one thread. Throws UsageError where there is none at all.
 */
export async function findQemu({signal}: {signal?: AbortSignal} = {}): Promise<Qemu> {
	const host = await hostQemu();
	if (host?.tcgThread === 'multi') return host;
	try {
		return await cachedQemu({signal});
	} catch (error) {
		signal?.throwIfAborted();
		if (!(error instanceof UsageError)) throw error;
		if (!host)
			throw new UsageError(`qemu-system-x86_64 is not installed and could not be fetched: ${error.message}`, {
				cause: error,
			});
		say(
			`QEMU ${host.version} is older than ${firstGoodMajor} and no newer one could be fetched (${error.message}); its vCPUs share one thread.`,
		);
		return host;
	}
}

async function hostQemu(): Promise<Qemu | undefined> {
	const directory = await directoryOnPath('qemu-system-x86_64');
	if (!directory) return undefined;
	const command = [path.join(directory, 'qemu-system-x86_64')];
	const version = await versionOf(command, {});
	const hasQboot = existsSync('/usr/share/qemu/qboot.rom');
	const canBeSandboxed = await trySandbox(command, {}, version);
	return {command, environment: {}, version, tcgThread: threadFor(version), hasQboot, canBeSandboxed};
}

async function cachedQemu({signal}: {signal?: AbortSignal}): Promise<Qemu> {
	// JSON types widen `archive` to string; images/host-qemu.json holds nothing else.
	const suites = recipe.suites as readonly Suite[];
	const unneeded = /^usr\/share\/(?:doc|man|locale|info|lintian|bug)\//;
	const root = await obtainTree('qemu', {...recipe, suites}, {signal, keep: file => !unneeded.test(file), recipe: '1'});
	const qemu = inTree(root);
	const memo = path.join(cacheDirectory('kernels'), 'host-qemu.json');
	type Known = {readonly root: string; readonly version: string; readonly canBeSandboxed: boolean};
	const known = await readCached<Known>(memo, Number.POSITIVE_INFINITY, value => value.root === root);
	if (known) return {...qemu, ...known, tcgThread: threadFor(known.version)};
	const version = await versionOf(qemu.command, qemu.environment);
	const canBeSandboxed = await trySandbox(qemu.command, qemu.environment, version);
	await writeCached(memo, {root, version, canBeSandboxed});
	return {...qemu, version, tcgThread: threadFor(version), canBeSandboxed};
}

/** Started by its own loader with its own libraries, so that neither the host's age nor its distribution matters. */
function inTree(root: string): Omit<Qemu, 'version' | 'tcgThread' | 'canBeSandboxed'> {
	const libraries = ['lib', 'usr/lib'].map(directory => path.join(root, directory, 'x86_64-linux-gnu'));
	const loader = ['lib64', 'usr/lib64', 'lib/x86_64-linux-gnu', 'usr/lib/x86_64-linux-gnu']
		.map(directory => path.join(root, directory, 'ld-linux-x86-64.so.2'))
		.find(file => existsSync(file));
	if (!loader) throw new UsageError(`The unpacked QEMU in ${root} has no program loader.`);
	const firmware = path.join(root, 'usr/share/qemu');
	return {
		command: [
			loader,
			'--library-path',
			libraries.join(':'),
			path.join(root, 'usr/bin/qemu-system-x86_64'),
			'-L',
			firmware,
			'-L',
			path.join(root, 'usr/share/seabios'),
		],
		environment: {QEMU_MODULE_DIR: path.join(root, 'usr/lib/x86_64-linux-gnu/qemu')},
		hasQboot: existsSync(path.join(firmware, 'qboot.rom')),
	};
}

function threadFor(version: string): Qemu['tcgThread'] {
	return Number.parseInt(version, 10) >= firstGoodMajor ? 'multi' : 'single';
}

/** By experiment: it may be built without seccomp, or the host forbid it. Before 8.2 guests are saved by a program. */
async function trySandbox(
	[program, ...rest]: readonly string[],
	env: Readonly<Record<string, string>>,
	version: string,
): Promise<boolean> {
	if (compareVersions(version, '8.2') < 0) return false;
	const args = ['-M', 'none', '-nodefaults', '-display', 'none', '-sandbox', sandbox, '-monitor', 'stdio'];
	const result = await programs()(program!, [...rest, ...args], {env, input: 'quit\n', reject: false, timeout: 10_000});
	return result.exitCode === 0;
}

async function versionOf(
	[program, ...rest]: readonly string[],
	env: Readonly<Record<string, string>>,
): Promise<string> {
	const result = await programs()(program!, [...rest, '--version'], {env, reject: false});
	const version = /version (\d+(?:\.\d+)+)/.exec(result.stdout)?.[1];
	if (!version)
		throw new UsageError(
			`${program} does not print its version: ${result.stderr || result.stdout || result.shortMessage}`,
		);
	return version;
}

/** The directory of PATH that holds `program`. */
export async function directoryOnPath(program: string): Promise<string | undefined> {
	const directories = [...(process.env.PATH ?? '').split(':'), '/usr/sbin', '/sbin'].filter(Boolean);
	for (const directory of directories) {
		try {
			await access(path.join(directory, program), constants.X_OK);
			return directory;
		} catch {
			// Not in this one.
		}
	}
	return undefined;
}
