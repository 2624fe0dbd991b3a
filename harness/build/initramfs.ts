import {createHash} from 'node:crypto';
import {existsSync} from 'node:fs';
import {readdir, readFile, writeFile} from 'node:fs/promises';
import path from 'node:path';
import guest from '../../images/guest.json' with {type: 'json'};
import {cacheDirectory, immutableDirectory} from '../host/cache.ts';
import type {Kernel} from '../kernels/kernel.ts';
import {fileNameOf} from '../kernels/kernel-id.ts';
import {readBareModule} from './bare-module.ts';
import {type CpioEntry, writeCpio} from './cpio.ts';
import {kernelModules} from './kernel-modules.ts';
import {hashSources} from './sources.ts';
import {userlandEntries} from './userland.ts';

export type Parts = {
	readonly kernel: Kernel;
	/** Debian's programs, unpacked. */
	readonly userland: string;
	/** init, agent, bprobectl, programs/*.bpf.o. */
	readonly programs: string;
	/** The .ko files of ours. */
	readonly modules: readonly string[];
};

/** The initramfs of those parts: the same parts give the same file. */
export async function assembleInitramfs(
	parts: Parts,
	{signal}: {signal?: AbortSignal | undefined} = {},
): Promise<string> {
	const recipe = await hashSources(['harness/build', 'images']);
	const identity = createHash('sha256')
		.update([recipe, parts.kernel.modules, parts.userland, parts.programs, ...parts.modules].join('\n'))
		.digest('hex')
		.slice(0, 16);
	const directory = await immutableDirectory(
		path.join(cacheDirectory('build'), `initramfs-${fileNameOf(parts.kernel)}-${identity}`),
		async temporary => {
			await writeFile(path.join(temporary, 'initramfs.cpio'), writeCpio(await entriesOf(parts)));
		},
		{signal},
	);
	return path.join(directory, 'initramfs.cpio');
}

async function entriesOf({kernel, userland, programs, modules}: Parts): Promise<readonly CpioEntry[]> {
	const drivers = await kernelModules(kernel, guest.modules);
	const load = [
		...drivers.map(driver => driver.path),
		...guest.ownModules.map(name => `usr/lib/probe-matrix/${name}.ko`),
	];
	return [
		...['dev', 'etc', 'proc', 'sys', 'tmp', 'run', 'root', 'var/run', 'var/log'].map(directory),
		...['bin', 'sbin', 'lib', 'lib64'].map(name => ({path: name, linkTo: `usr/${name}`})),
		...(await userlandEntries(userland)),
		...drivers,
		...(await Promise.all(modules.map(moduleEntry))),
		...(await programEntries(programs)),
		text('etc/modules.load', load.map(file => `/${file.replace(/^usr\//, '')}\n`).join('')),
		text('etc/passwd', 'root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/:/bin/false\n'),
		text('etc/group', 'root:x:0:\nnogroup:x:65534:\n'),
		text('etc/shells', '/bin/sh\n'),
		text('etc/profile', "export PATH=/usr/sbin:/usr/bin:/sbin:/bin\nexport PS1='\\h:\\w# '\n"),
		text('etc/hostname', `${kernel.id.replaceAll(/[^\w.-]/g, '-')}\n`),
	];
}

async function programEntries(directory: string): Promise<readonly CpioEntry[]> {
	const objects = path.join(directory, 'programs');
	const names = existsSync(objects) ? (await readdir(objects)).filter(name => name.endsWith('.o')).toSorted() : [];
	return Promise.all([
		fileEntry(path.join(directory, 'init'), 'init', 0o755),
		fileEntry(path.join(directory, 'agent'), 'usr/bin/agent', 0o755),
		fileEntry(path.join(directory, 'bprobectl'), 'usr/bin/bprobectl', 0o755),
		...names.map(name => fileEntry(path.join(objects, name), `usr/lib/probe-matrix/programs/${name}`)),
	]);
}

async function moduleEntry(file: string): Promise<CpioEntry> {
	return {path: `usr/lib/probe-matrix/${path.basename(file)}`, data: await readBareModule(file), mode: 0o644};
}

async function fileEntry(source: string, target: string, mode = 0o644): Promise<CpioEntry> {
	return {path: target, data: await readFile(source), mode};
}

function text(file: string, content: string): CpioEntry {
	return {path: file, data: Buffer.from(content)};
}

function directory(name: string): CpioEntry {
	return {path: name, directory: true, ...(name === 'tmp' && {mode: 0o1777}), ...(name === 'root' && {mode: 0o700})};
}
