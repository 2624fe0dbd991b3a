// SPDX-License-Identifier: GPL-2.0
import {createHash} from 'node:crypto';
import {existsSync, statSync} from 'node:fs';
import {readFile, rename, rm, writeFile} from 'node:fs/promises';
import path from 'node:path';
import {errorCode, UsageError} from '../host/errors.ts';
import {programs} from '../host/programs.ts';
import {compareReleases, releaseName} from './kernel-version.ts';
import type {Quirk} from './quirks.ts';

export type SourceTree = {
	readonly directory: string;
	/** As kernel.org names it. */
	readonly version: string;
	/**
	 * `clean`: as unpacked. `built`: with bzImage, symbols and everything else. `half-built`: in between, and unusable
	 * as it is.
	 */
	readonly state: 'clean' | 'half-built' | 'built';
};

/** Inspects a tree without changing it. Throws UsageError when it is not a Linux tree. */
export async function inspectTree(directory: string): Promise<SourceTree> {
	const text = await makefileOf(directory);
	const value = (name: string) => new RegExp(`^${name} *= *(\\S*)`, 'm').exec(text)?.[1];
	const [major, minor, patch] = ['VERSION', 'PATCHLEVEL', 'SUBLEVEL'].map(value);
	if (!major || !minor || !existsSync(path.join(directory, 'arch/x86/Makefile'))) {
		throw new UsageError(
			`${directory} is not a Linux source tree: its Makefile names no version, or arch/x86 is missing.`,
		);
	}
	const version = releaseName(`${major}.${minor}.${patch || 0}${value('EXTRAVERSION') ?? ''}`);
	return {directory, version, state: stateOf(directory)};
}

/** Throws UsageError if the tree has another version. */
export function requireVersion({directory, version}: SourceTree, wanted: string): void {
	if (compareReleases(version, wanted) === 0) return;
	throw new UsageError(`${directory} is Linux ${version}, but Linux ${wanted} was requested.`);
}

const proofs = [
	...['.config', 'vmlinux', 'System.map', 'Module.symvers', 'arch/x86/boot/bzImage'],
	'include/config/kernel.release',
] as const;

/** The files that a tree lacks to be used as built. */
export function missingIn(directory: string): readonly string[] {
	return proofs.filter(file => !existsSync(path.join(directory, file)));
}

function stateOf(directory: string): SourceTree['state'] {
	if (missingIn(directory).length === 0) return 'built';
	const traces = ['.config', 'include/config', 'include/generated', 'arch/x86/include/generated', 'vmlinux'];
	return traces.some(file => existsSync(path.join(directory, file))) ? 'half-built' : 'clean';
}

async function makefileOf(directory: string): Promise<string> {
	if (!statSync(directory, {throwIfNoEntry: false})?.isDirectory()) {
		throw new UsageError(`There is no directory ${directory}.`);
	}
	try {
		return await readFile(path.join(directory, 'Makefile'), 'utf8');
	} catch (error) {
		if (errorCode(error) !== 'ENOENT') throw error;
		throw new UsageError(`${directory} is not a Linux source tree: it has no Makefile.`, {cause: error});
	}
}

/** Identifies the content of a tree by names, sizes and mtimes, like make. */
export async function identityOfTree(directory: string, {signal}: {signal?: AbortSignal} = {}): Promise<string> {
	const {stdout} = await programs()(
		'find',
		['.', '-name', '.git', '-prune', '-o', '-type', 'f', '-printf', '%P %s %T@\\n'],
		{cwd: directory, maxBuffer: 1 << 28, cancelSignal: signal},
	);
	return createHash('sha256').update(stdout.split('\n').toSorted().join('\n')).digest('hex');
}

/** Copies a tree to build in. Uses hard links where possible, because a build does not write to its sources. */
export async function cloneTree(from: string, to: string, {signal}: {signal?: AbortSignal} = {}): Promise<void> {
	for (const how of ['--link', '--reflink=auto']) {
		await rm(to, {recursive: true, force: true});
		const {failed, stderr} = await programs()('cp', ['-a', how, '--no-target-directory', '--', from, to], {
			reject: false,
			cancelSignal: signal,
		});
		signal?.throwIfAborted();
		if (!failed) break;
		if (how !== '--link') throw new UsageError(`${from} could not be copied: ${stderr.trim().split('\n').at(-1)}`);
	}
	// setlocalversion asks git, and the copy is not a checkout.
	await rm(path.join(to, '.git'), {recursive: true, force: true});
}

/** Applies replacements of quirks. Files are replaced, not written to: they may be hard links into the user's tree. */
export async function applyReplacements(directory: string, quirks: readonly Quirk[]): Promise<void> {
	for (const {file, old, new: text} of quirks.flatMap(quirk => quirk.replace ?? [])) {
		const target = path.join(directory, file);
		if (!existsSync(target)) continue;
		const before = await readFile(target, 'utf8');
		if (!before.includes(old)) continue;
		const {mode} = statSync(target);
		await writeFile(
			`${target}.new`,
			before.replaceAll(old, () => text),
			{mode},
		);
		await rename(`${target}.new`, target);
	}
}
