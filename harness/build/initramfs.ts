// SPDX-License-Identifier: GPL-2.0
import {createHash} from 'node:crypto';
import {readFile, writeFile} from 'node:fs/promises';
import path from 'node:path';
import guest from '../../images/guest.json' with {type: 'json'};
import {cacheDirectory, immutableDirectory} from '../host/cache.ts';
import type {Kernel} from '../kernels/kernel.ts';
import {fileNameOf} from '../kernels/kernel-id.ts';
import {type CpioEntry, writeCpio} from './cpio.ts';
import {kernelModules} from './kernel-modules.ts';
import {hashSources} from './sources.ts';
import {userlandEntries} from './userland.ts';

export type Parts = {
	readonly kernel: Kernel;
	/** Directory with Debian's programs, unpacked. */
	readonly userland: string;
	/** Directory with init and agent-base. */
	readonly programs: string;
};

/** Besides the parts, these files decide what the archive holds. */
const recipeFiles = [
	...['initramfs', 'cpio', 'kernel-modules', 'userland'].map(name => `harness/build/${name}.ts`),
	...['images/guest.json', 'images/guest-packages.json'],
];

/** Path of the initramfs of these parts. The same parts give the same bytes. */
export async function assembleInitramfs(
	parts: Parts,
	{signal}: {signal?: AbortSignal | undefined} = {},
): Promise<string> {
	const recipe = hashSources(recipeFiles);
	const identity = createHash('sha256')
		.update([recipe, parts.kernel.modules, parts.userland, parts.programs].join('\n'))
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

async function entriesOf({kernel, userland, programs}: Parts): Promise<readonly CpioEntry[]> {
	const drivers = await kernelModules(kernel, guest.modules);
	return [
		...['dev', 'etc', 'proc', 'sys', 'tmp', 'run', 'root', 'var/run', 'var/log'].map(directory),
		...['bin', 'sbin', 'lib', 'lib64'].map(name => ({path: name, linkTo: `usr/${name}`})),
		...(await userlandEntries(userland)),
		...drivers,
		await fileEntry(path.join(programs, 'init'), 'init', 0o755),
		await fileEntry(path.join(programs, 'agent-base'), 'usr/bin/agent', 0o755),
		text('etc/modules.load', drivers.map(driver => `/${driver.path.replace(/^usr\//, '')}\n`).join('')),
		text('etc/passwd', 'root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/:/bin/false\n'),
		text('etc/group', 'root:x:0:\nnogroup:x:65534:\n'),
		text('etc/shells', '/bin/sh\n'),
		text('etc/profile', "export PATH=/usr/sbin:/usr/bin:/sbin:/bin\nexport PS1='\\h:\\w# '\n"),
		text('etc/hostname', `${kernel.id.replaceAll(/[^\w.-]/g, '-')}\n`),
	];
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
