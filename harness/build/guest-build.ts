// SPDX-License-Identifier: GPL-2.0
import {createHash} from 'node:crypto';
import {cp, readFile} from 'node:fs/promises';
import path from 'node:path';
import type {Kernel} from '../kernels/kernel.ts';
import {type ContentOptions, type GuestContent, library, type PushedFile} from './guest-content.ts';
import {assembleInitramfs} from './initramfs.ts';
import {buildOnce} from './make.ts';
import {buildModules, type GuestModule} from './module-build.ts';
import {obtainUserland} from './userland.ts';

/** What a guest of one kernel boots from; independent of what is tested. */
export type BootFiles = {readonly kernel: Kernel; readonly initramfs: string};

/** Everything that a guest of one kernel needs: what it boots from, and what is pushed into it afterwards. */
export type GuestBuild = BootFiles & {
	readonly content: GuestContent;
	/** The content's files, and the modules. */
	readonly files: readonly PushedFile[];
	/** In the order of insertion. */
	readonly modules: readonly GuestModule[];
	/** Hash of the files' names, modes and contents, and of how modules are inserted. */
	readonly identity: string;
};

export type GuestBuildOptions = {
	readonly signal?: AbortSignal | undefined;
	/** Called when a module is not in the cache and must be compiled. */
	readonly onCompile?: () => void;
	/** Called once, if any pushed file must be built, as soon as the boot files are known. */
	readonly onBuild?: (files: BootFiles) => void;
};

/** Builds what is not in the cache. Throws BuildError with the compiler's output. */
export async function buildGuest(
	kernel: Kernel,
	content: GuestContent,
	options: GuestBuildOptions = {},
): Promise<GuestBuild> {
	const {signal, onCompile} = options;
	const boot = buildBootFiles(kernel, {signal});
	let isTold = false;
	const onBuild = () => {
		if (isTold) return;
		isTold = true;
		boot.then(options.onBuild, () => {
			// The await below throws it.
		});
	};
	const [files, own, ...built] = await allOrFirstError([
		boot,
		content.files({signal, onBuild}),
		...content.modules.map(source => buildModules(source, kernel, {signal, onBuild, ...(onCompile && {onCompile})})),
	]);
	const modules = onlyFirst(built.flat());
	const pushed = [
		...own,
		...modules.map(({file, bare}) => ({path: `${library}/${path.basename(file)}`, source: bare, mode: 0o644})),
	];
	return {...files, content, files: pushed, modules, identity: await identityOf(pushed, modules)};
}

/** Two modules may need the same one of the kernel. */
function onlyFirst(modules: readonly GuestModule[]): readonly GuestModule[] {
	return [...Map.groupBy(modules, ({name}) => name).values()].map(([first]) => first!);
}

/** Builds what a guest of that kernel boots from. Throws like buildGuest. */
export async function buildBootFiles(
	kernel: Kernel,
	{signal}: Pick<ContentOptions, 'signal'> = {},
): Promise<BootFiles> {
	const [userland, programs] = await allOrFirstError([obtainUserland({signal}), buildBasePrograms({signal})]);
	return {kernel, initramfs: await assembleInitramfs({kernel, userland, programs}, {signal})};
}

/** Builds what guests of all kernels share. Throws like buildGuest; a failure is then not due to a kernel. */
export async function buildShared(content: GuestContent, {signal}: Pick<ContentOptions, 'signal'>): Promise<void> {
	await allOrFirstError([obtainUserland({signal}), buildBasePrograms({signal}), content.files({signal})]);
}

/** init, and the agent without a suite. */
async function buildBasePrograms({signal}: Pick<ContentOptions, 'signal'>): Promise<string> {
	return buildOnce({
		name: 'guest-base',
		sources: ['guest/Makefile', 'guest/init', 'guest/agent/core'],
		tools: ['gcc', 'ld'],
		key: '',
		commands: async copy => [programsCommand(copy, 'base')],
		deliver: async (copy, to) => {
			for (const name of ['init', 'agent-base']) await cp(path.join(copy, 'out', name), path.join(to, name));
		},
		signal,
	});
}

/** The command that builds programs of the guest from a copy of guest/, into `out`. */
export function programsCommand(copy: string, target: string): readonly string[] {
	return ['make', '--no-print-directory', '-j2', '-C', 'guest', `OUT=${path.join(copy, 'out')}`, target];
}

async function identityOf(files: readonly PushedFile[], modules: readonly GuestModule[]): Promise<string> {
	const order = modules.map(({name, parameters = ''}) => `${name} ${parameters}`);
	const hash = createHash('sha256').update(order.join());
	for (const file of files) hash.update(`\0${file.path}\0${file.mode}\0`).update(await readFile(file.source));
	return hash.digest('hex');
}

/** All results, or the first error. Waits until all have settled, so that nothing runs on after an error. */
async function allOrFirstError<const T extends readonly Promise<unknown>[]>(
	work: T,
): Promise<{-readonly [K in keyof T]: Awaited<T[K]>}> {
	await Promise.allSettled(work);
	return Promise.all(work);
}
