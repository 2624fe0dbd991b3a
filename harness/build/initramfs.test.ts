// SPDX-License-Identifier: GPL-2.0
import {readFile} from 'node:fs/promises';
import path from 'node:path';
import test from 'ava';
import {execa} from 'execa';
import {obtainKernel} from '../kernels/obtain.ts';
import {bprobeContent} from '../suites/bprobe/guest-content.ts';
import {buildGuest} from './guest-build.ts';
import {obtainUserland} from './userland.ts';

test('the initramfs holds no file of the suite; all of them are pushed', async t => {
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
