// SPDX-License-Identifier: GPL-2.0
import {appendFile, cp, mkdir, mkdtempDisposable, readFile, symlink, writeFile} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import path from 'node:path';
import test from 'ava';
import {execa} from 'execa';
import type {Kernel} from '../kernels/kernel.ts';
import {obtainKernel} from '../kernels/obtain.ts';
import {bprobeContent} from '../suites/bprobe/guest-content.ts';
import {freshCache} from '../test/fresh-cache.ts';
import {buildGuest} from './guest-build.ts';
import {assembleInitramfs} from './initramfs.ts';
import {projectRoot} from './sources.ts';
import {obtainUserland} from './userland.ts';

test.serial('the initramfs holds no file of the suite; all of them are pushed', async t => {
	t.timeout(20 * 60_000);
	const {initramfs, files} = await buildGuest(await obtainKernel('debian-6.1'), bprobeContent());
	const busybox = path.join(await obtainUserland(), 'usr/bin/busybox');
	const {stdout} = await execa(busybox, ['cpio', '-t'], {input: await readFile(initramfs)});
	const names = stdout.split('\n');
	t.true(names.includes('init') && names.includes('usr/bin/agent') && names.includes('usr/sbin/dropbear'));
	t.deepEqual(
		names.filter(name => /bprobe|fixtures|probe-matrix|\.bpf\.o/.test(name)),
		[],
	);
	const archive = await readFile(initramfs);
	for (const word of ['/dev/bprobe', 'fx_asm', 'libbprobe']) t.false(archive.includes(word), word);
	t.deepEqual(
		files.map(file => path.basename(file.path)).filter(name => !name.endsWith('.bpf.o')),
		['agent', 'bprobectl', 'fixtures.ko', 'bprobe.ko'],
	);
});

test.serial('an initramfs is of the modules of one kernel, and of its programs', async t => {
	t.timeout(20 * 60_000);
	await using directory = await mkdtempDisposable(path.join(tmpdir(), 'initramfs-'));
	const kernel = await obtainKernel('debian-6.1');
	const userland = await obtainUserland();
	const modules = path.join(directory.path, 'modules');
	await symlink(kernel.modules!, modules);
	for (const name of ['init', 'agent-base']) await writeFile(path.join(directory.path, name), '');
	await using _ = await freshCache();
	const assemble = (of: Kernel) => assembleInitramfs({kernel: of, userland, programs: directory.path});
	const own = await assemble(kernel);
	t.not(await assemble({...kernel, modules}), own);
	// Other programs are in another directory.
	const programs = path.join(directory.path, 'programs');
	await mkdir(programs);
	for (const name of ['init', 'agent-base']) await writeFile(path.join(programs, name), 'another');
	t.not(await assembleInitramfs({kernel, userland, programs}), own);
	t.is(await assemble(kernel), own);
});

test.serial('an initramfs is made anew when a file changes that decides what it holds', async t => {
	t.timeout(20 * 60_000);
	await using directory = await mkdtempDisposable(path.join(tmpdir(), 'initramfs-'));
	const at = (name: string) => path.join(directory.path, name);
	for (const name of ['harness', 'images', 'package.json'])
		await cp(path.join(projectRoot, name), at(name), {recursive: true});
	await symlink(path.join(projectRoot, 'node_modules'), at('node_modules'));
	for (const name of ['init', 'agent-base']) await writeFile(at(name), '');
	const parts = {kernel: await obtainKernel('debian-6.1'), userland: await obtainUserland(), programs: directory.path};
	await using _ = await freshCache();
	const script = `import {assembleInitramfs} from ${JSON.stringify(at('harness/build/initramfs.ts'))};
		console.log(await assembleInitramfs(${JSON.stringify(parts)}));`;
	const assemble = async () => (await execa(process.execPath, ['--input-type=module', '-e', script])).stdout;
	const first = await assemble();
	t.is(await assemble(), first);
	const made = [first];
	const own = ['initramfs', 'cpio', 'kernel-modules', 'userland'].map(name => `harness/build/${name}.ts`);
	for (const name of [...own, 'images/guest.json', 'images/guest-packages.json']) {
		await appendFile(at(name), '\n');
		made.push(await assemble());
	}
	t.is(new Set(made).size, made.length, made.join('\n'));
});
