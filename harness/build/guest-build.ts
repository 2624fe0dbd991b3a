import {createHash} from 'node:crypto';
import {cp, mkdir, readdir, readFile, writeFile} from 'node:fs/promises';
import path from 'node:path';
import type {Kernel} from '../kernels/kernel.ts';
import {fileNameOf} from '../kernels/kernel-id.ts';
import {readBareModule} from './bare-module.ts';
import {assembleInitramfs} from './initramfs.ts';
import {kbuildCommands} from './kbuild-commands.ts';
import {buildOnce} from './make.ts';
import {toolchainOf} from './toolchain.ts';
import {obtainUserland} from './userland.ts';

/** What a guest of one kernel boots from; independent of the suite. */
export type BootFiles = {readonly kernel: Kernel; readonly initramfs: string};

/** A file to push into the guest: `path` in the guest without a leading slash, `source` on the host. */
export type PushedFile = {readonly path: string; readonly source: string; readonly mode: number};

/** Everything that a guest of one kernel needs: what it boots from, and what is pushed into it afterwards. */
export type GuestBuild = BootFiles & {
	readonly files: readonly PushedFile[];
	/** Hash of the files' names, modes and contents, and of the order in which modules are inserted. */
	readonly identity: string;
	/** The unstripped modules in the order of insertion, for gdb and for source lines in reports. */
	readonly modules: Readonly<Record<'fixtures' | 'bprobe', string>>;
};

export type PayloadOptions = {
	readonly signal?: AbortSignal | undefined;
	/** Sources of bprobe to build instead of the project's own. */
	readonly module?: string;
	/** Called when a module is not in the cache and must be compiled. */
	readonly onCompile?: () => void;
	/** Called once, if any pushed file must be built, as soon as the boot files are known. */
	readonly onBuild?: (files: BootFiles) => void;
};

/** Where the suite's files are in the guest; LIBRARY in guest/agent/agent.h must match. */
const library = 'usr/lib/probe-matrix';

/** The suite's agent in the guest. It replaces the one that the guest boots with. */
export const suiteAgent = `/${library}/agent`;

/** Builds what is not in the cache. Throws BuildError with the compiler's output. */
export async function buildGuest(kernel: Kernel, options: PayloadOptions = {}): Promise<GuestBuild> {
	const {signal} = options;
	const files = buildBootFiles(kernel, {signal});
	let isTold = false;
	const onBuild = () => {
		if (isTold) return;
		isTold = true;
		files.then(options.onBuild, () => {
			// The await below throws it.
		});
	};
	const [boot, programs, fixtures, bprobe] = await allOrFirstError([
		files,
		buildSuitePrograms({signal, onBuild}),
		buildModule('fixtures', kernel, {signal, onBuild}),
		buildModule('bprobe', kernel, {...options, onBuild}),
	]);
	const modules = {fixtures: path.join(fixtures, 'fixtures.ko'), bprobe: path.join(bprobe, 'bprobe.ko')};
	const pushed = await guestFiles(programs, Object.values(modules));
	return {...boot, files: pushed, modules, identity: await identityOf(pushed, Object.keys(modules))};
}

/** Builds what a guest of that kernel boots from. Throws like buildGuest. */
export async function buildBootFiles(
	kernel: Kernel,
	{signal}: Pick<PayloadOptions, 'signal'> = {},
): Promise<BootFiles> {
	const [userland, programs] = await allOrFirstError([obtainUserland({signal}), buildBasePrograms({signal})]);
	return {kernel, initramfs: await assembleInitramfs({kernel, userland, programs}, {signal})};
}

/** Builds what guests of all kernels share. Throws like buildGuest; a failure is then not due to a kernel. */
export async function buildShared({signal}: Pick<PayloadOptions, 'signal'>): Promise<void> {
	await allOrFirstError([obtainUserland({signal}), buildBasePrograms({signal}), buildSuitePrograms({signal})]);
}

/** init, and the agent without a suite. */
async function buildBasePrograms({signal}: Pick<PayloadOptions, 'signal'>): Promise<string> {
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

type BuildOptions = Pick<PayloadOptions, 'signal'> & {readonly onBuild?: () => void};

/** The agent with the suite's operations, bprobectl, the eBPF objects, and libbprobe as a library. */
async function buildSuitePrograms({signal, onBuild}: BuildOptions): Promise<string> {
	return buildOnce({
		name: 'guest-suite',
		sources: ['guest', 'kmod/bprobe.h', 'fixtures/fixtures.h'],
		tools: ['gcc', 'clang', 'ld'],
		key: '',
		commands: async copy => [programsCommand(copy, 'suite')],
		deliver: async (copy, to) => {
			for (const name of ['agent', 'bprobectl', 'libbprobe.a', 'include'])
				await cp(path.join(copy, 'out', name), path.join(to, name), {recursive: true});
			await mkdir(path.join(to, 'programs'));
			for (const name of await readdir(path.join(copy, 'out/programs'))) {
				if (name.endsWith('.o')) await cp(path.join(copy, 'out/programs', name), path.join(to, 'programs', name));
			}
		},
		signal,
		...(onBuild && {onBuild}),
	});
}

function programsCommand(copy: string, target: string): readonly string[] {
	return ['make', '--no-print-directory', '-j2', '-C', 'guest', `OUT=${path.join(copy, 'out')}`, target];
}

/** Source directories, in the order in which the modules are inserted. */
const moduleDirectories = {fixtures: 'fixtures', bprobe: 'kmod'};

/** Builds one module for one kernel: NAME.ko with debug information, and `bare/NAME.ko` for guests. */
async function buildModule(
	name: 'fixtures' | 'bprobe',
	kernel: Kernel,
	{signal, module, onCompile, onBuild}: BuildOptions & Pick<PayloadOptions, 'module' | 'onCompile'>,
): Promise<string> {
	const toolchain = await toolchainOf(kernel, {signal});
	const more = kernel.make ?? [];
	const source = moduleDirectories[name];
	return buildOnce({
		name: `${name}-${fileNameOf(kernel)}`,
		sources: [source],
		elsewhere: module === undefined ? undefined : {[source]: module},
		tools: ['gcc', 'ld'],
		key: [kernel.buildTree, toolchain.identity, ...more].join('\n'),
		commands: (copy, {isRestart}) =>
			kbuildCommands({
				directory: copy,
				isRestart,
				make: toolchain.make(copy),
				args: [
					...['-C', kernel.buildTree, `M=${path.join(copy, source)}`],
					// Debian's headers name the compiler of their own suite.
					...[`CC=${toolchain.cc}`, ...more, 'modules'],
				],
			}),
		deliver: async (copy, to) => {
			const built = path.join(copy, source, `${name}.ko`);
			await mkdir(path.join(to, 'bare'));
			await writeFile(path.join(to, 'bare', `${name}.ko`), await readBareModule(built));
			await cp(built, path.join(to, `${name}.ko`));
		},
		signal,
		onBuild() {
			onCompile?.();
			onBuild?.();
		},
	});
}

async function guestFiles(programs: string, modules: readonly string[]): Promise<readonly PushedFile[]> {
	const objects = (await readdir(path.join(programs, 'programs'))).toSorted();
	return [
		{path: `${library}/agent`, source: path.join(programs, 'agent'), mode: 0o755},
		{path: 'usr/bin/bprobectl', source: path.join(programs, 'bprobectl'), mode: 0o755},
		...objects.map(name => ({
			path: `${library}/programs/${name}`,
			source: path.join(programs, 'programs', name),
			mode: 0o644,
		})),
		...modules.map(file => ({
			path: `${library}/${path.basename(file)}`,
			source: path.join(path.dirname(file), 'bare', path.basename(file)),
			mode: 0o644,
		})),
	];
}

async function identityOf(files: readonly PushedFile[], modules: readonly string[]): Promise<string> {
	const hash = createHash('sha256').update(modules.join());
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
