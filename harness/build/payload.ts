import path from 'node:path';
import type {Kernel} from '../kernels/kernel.ts';
import {fileNameOf} from '../kernels/kernel-id.ts';
import {assembleInitramfs} from './initramfs.ts';
import {buildOnce} from './make.ts';
import {toolchainOf} from './toolchain.ts';
import {obtainUserland} from './userland.ts';

/** All that a guest needs to run one kernel's part of the matrix. */
export type Payload = {
	readonly kernel: Kernel;
	readonly initramfs: string;
	/** bprobe.ko with its symbols, for gdb. */
	readonly bprobe: string;
	readonly fixtures: string;
};

export type PayloadOptions = {
	readonly signal?: AbortSignal | undefined;
	/** Sources of the module bprobe to take instead of the project's own. */
	readonly module?: string;
	/** Called where a module has to be compiled, as it does not lie in the cache. */
	readonly onCompile?: () => void;
};

/** Builds what changed since the last time. Throws BuildError with the compiler's words when ours does not build. */
export async function buildPayload(kernel: Kernel, options: PayloadOptions = {}): Promise<Payload> {
	const {signal, module} = options;
	const [{userland, programs}, modules, other] = await allOrFirstError([
		buildShared({signal}),
		buildModules(kernel, {signal}),
		module === undefined ? Promise.resolve(undefined) : buildModules(kernel, options),
	]);
	const bprobe = path.join(other ?? modules, 'kmod/bprobe.ko');
	const fixtures = path.join(modules, 'fixtures/fixtures.ko');
	const initramfs = await assembleInitramfs({kernel, userland, programs, modules: [bprobe, fixtures]}, {signal});
	return {kernel, initramfs, bprobe, fixtures};
}

/** What guests of all kernels have in common. Throws as buildPayload does, and then no kernel is at fault. */
export async function buildShared({
	signal,
}: Pick<PayloadOptions, 'signal'>): Promise<{userland: string; programs: string}> {
	const [userland, programs] = await allOrFirstError([obtainUserland({signal}), buildGuestPrograms({signal})]);
	return {userland, programs};
}

async function buildGuestPrograms({signal}: {signal?: AbortSignal | undefined}): Promise<string> {
	const directory = await buildOnce({
		name: 'guest',
		sources: ['guest', 'kmod', 'fixtures'],
		tools: ['gcc', 'clang', 'ld'],
		key: '',
		runs: copy => [['-C', 'guest', `OUT=${path.join(copy, 'out')}`]],
		signal,
	});
	return path.join(directory, 'out');
}

async function buildModules(kernel: Kernel, {signal, module, onCompile}: PayloadOptions): Promise<string> {
	const toolchain = await toolchainOf(kernel, {signal});
	const more = kernel.make ?? [];
	return buildOnce({
		name: `modules-${fileNameOf(kernel)}`,
		sources: ['kmod', 'fixtures'],
		elsewhere: module === undefined ? undefined : {kmod: module},
		tools: ['gcc', 'ld'],
		key: [kernel.buildTree, toolchain.identity, ...more].join('\n'),
		make: toolchain.make,
		runs: copy =>
			// Fixtures do not depend on the module.
			(module === undefined ? ['fixtures', 'kmod'] : ['kmod']).map(name => [
				...['-C', kernel.buildTree, `M=${path.join(copy, name)}`],
				// Debian's headers ask for the very compiler of their suite.
				...[`CC=${toolchain.cc}`, ...more, 'modules'],
			]),
		signal,
		...(onCompile && {onBuild: onCompile}),
	});
}

/** All results, or the first error once everything has ended: nothing is left running behind it. */
async function allOrFirstError<const T extends readonly Promise<unknown>[]>(
	work: T,
): Promise<{-readonly [K in keyof T]: Awaited<T[K]>}> {
	await Promise.allSettled(work);
	return Promise.all(work);
}
