// SPDX-License-Identifier: GPL-2.0
/**
 * Installs bprobe as on a real machine, in an unpacked Debian 12: the module by Debian's dkms and by `make install`,
 * libbprobe and bprobectl by `make install`. Then it loads that module in a guest of Debian's kernel, attaches with that
 * bprobectl, and runs programs that were linked with the library by pkg-config. Exits with 1 at the first thing wrong.
 *
 *   npx node scripts/real-machine.ts
 */
import assert from 'node:assert/strict';
import {cp, mkdir, mkdtempDisposable, readdir, readFile, symlink} from 'node:fs/promises';
import path from 'node:path';
import {execa} from 'execa';
import {buildBootFiles} from '../harness/build/guest-build.ts';
import {copySources, projectRoot} from '../harness/build/sources.ts';
import {obtainBootableKernel} from '../harness/guest/bootable-kernel.ts';
import {findAccelerator} from '../harness/host/accelerator.ts';
import {cacheDirectory} from '../harness/host/cache.ts';
import {obtainTree} from '../harness/host/debian/obtain-tree.ts';
import {findQemu} from '../harness/host/qemu.ts';
import {push, type TransferFile} from '../harness/link/transfer.ts';
import {obtainBase} from '../harness/vm/base-snapshot.ts';
import {Instance} from '../harness/vm/instance.ts';

/** What of Debian 12 is unpacked; `skip` is what only installing packages takes. */
const packages = {
	suites: [
		{archive: 'debian', suite: 'bookworm'},
		{archive: 'debian-security', suite: 'bookworm-security'},
	],
	roots: [
		...['dkms', 'kmod', 'gcc', 'make', 'libc6-dev', 'pkgconf', 'libbpf1', 'bash', 'dash', 'coreutils', 'diffutils'],
		...['findutils', 'grep', 'sed', 'mawk', 'util-linux', 'base-files', 'tar', 'gzip', 'xz-utils'],
	],
	skip: [
		'debconf',
		'debconf-2.0',
		'dpkg',
		'dpkg-dev',
		'build-essential',
		'perl-base',
		'perl',
		'lsb-release',
		'install-info',
	],
} as const;

const id = 'debian-6.1';
const say = (text: string) => process.stdout.write(`real-machine: ${text}\n`);

await using scratch = await mkdtempDisposable(path.join(cacheDirectory('work'), 'real-machine-'));
const root = path.join(scratch.path, 'root');
const kernel = await obtainBootableKernel(id);
const modules = `/lib/modules/${kernel.release}`;
await unpack();
const version = /PACKAGE_VERSION="(.*)"/.exec(await readFile(path.join(projectRoot, 'kmod/dkms.conf'), 'utf8'))![1]!;
const module = await installModule();
await installUserSpace();
await useInGuest();
say('everything works.');

/** Debian with the kernel's headers where their package puts them. */
async function unpack(): Promise<void> {
	const debian = await obtainTree('real-machine', packages);
	await execa('cp', ['-a', debian, root]);
	const kernelRoot = path.resolve(kernel.buildTree, '../../..');
	for (const part of ['usr/src', 'usr/lib', 'lib/modules'])
		await execa('cp', ['-a', '--no-target-directory', path.join(kernelRoot, part), path.join(root, part)]);
	// What the packages' maintainer scripts would do.
	await symlink('mawk', path.join(root, 'usr/bin/awk')).catch(() => {});
	for (const directory of ['tmp', 'proc', 'dev', 'var/lib/dkms'])
		await mkdir(path.join(root, directory), {recursive: true});
}

/** Runs a command in the unpacked Debian as its root. */
async function inside(...command: readonly string[]): Promise<string> {
	const {stdout, all, failed} = await execa(
		'bwrap',
		[
			...['--die-with-parent', '--unshare-all', '--uid', '0', '--gid', '0', '--bind', root, '/', '--dev', '/dev'],
			...['--proc', '/proc', '--clearenv', '--setenv', 'PATH', '/usr/sbin:/usr/bin:/sbin:/bin', ...command],
		],
		{all: true, reject: false},
	);
	assert.ok(!failed, `${command.join(' ')}:\n${all}`);
	return stdout;
}

/** By dkms, and by make into a directory of its own. Returns where dkms put the module. */
async function installModule(): Promise<string> {
	const source = '/tmp/kmod';
	copySources(['kmod'], path.join(scratch.path, 'sources'));
	await cp(path.join(scratch.path, 'sources/kmod'), path.join(root, source), {recursive: true});
	await inside('dkms', 'add', source);
	for (const step of ['build', 'install']) await inside('dkms', step, `bprobe/${version}`, '-k', kernel.release);
	const status = await inside('dkms', 'status');
	say(`dkms status: ${status}`);
	assert.match(status, new RegExp(`^bprobe/${version}, ${RegExp.escape(kernel.release)}, x86_64: installed`));
	const {filename, of} = await information();
	assert.deepEqual({of, place: path.dirname(filename)}, {of: version, place: `${modules}/updates/dkms`});

	await inside('mkdir', '-p', `/made${modules}`);
	await inside('make', '-C', source, 'install', `KERNELRELEASE=${kernel.release}`, 'DESTDIR=/made');
	assert.match(await inside('cat', `/made${modules}/modules.dep`), /\/bprobe\.ko:/);
	say('make -C kmod install: done');
	return filename;
}

/** What modprobe would load. */
async function information(): Promise<{filename: string; of: string}> {
	const lines = await inside('modinfo', '-k', kernel.release, 'bprobe');
	const value = (name: string) => new RegExp(`^${name}: +(.*)$`, 'm').exec(lines)?.[1] ?? '';
	return {filename: value('filename'), of: value('version')};
}

async function installUserSpace(): Promise<void> {
	const out = path.join(scratch.path, 'out');
	const args = ['-C', path.join(projectRoot, 'guest'), `OUT=${out}`, 'PREFIX=/usr', `DESTDIR=${root}`];
	await execa('make', ['-s', '-j2', ...args, 'install']);
	await cp(path.join(import.meta.dirname, 'uses-libbprobe.c'), path.join(root, 'tmp/uses-libbprobe.c'));
	const compile = (name: string, how: string) =>
		inside(
			'sh',
			'-c',
			`gcc -Wall -Werror ${how} -o /tmp/${name} /tmp/uses-libbprobe.c $(pkg-config --cflags --libs libbprobe)`,
		);
	await compile('shared', '');
	await compile('static', '-static');
	assert.equal(await inside('pkg-config', '--modversion', 'libbprobe'), version);
	const needed = await inside('sh', '-c', 'readelf -d /tmp/shared | grep NEEDED');
	assert.match(needed, /\[libbprobe\.so\.0\]/);
	say('make -C guest install, and two programs linked with it: done');
}

/** The guest has a C library, but neither libbpf nor bprobe. */
async function useInGuest(): Promise<void> {
	const {name: accelerator} = await findAccelerator(await findQemu());
	const base = await obtainBase(await buildBootFiles(kernel), {accelerator});
	await using guest = await Instance.restore(base);
	const link = await guest.link();
	const libraries = await inside('sh', '-c', 'ls /usr/lib/x86_64-linux-gnu/libbpf.so.1 /usr/lib/libbprobe.so.0');
	const indices = (await readdir(path.join(root, modules))).filter(file => file.startsWith('modules.'));
	const names = [
		...[module, ...indices.map(file => `${modules}/${file}`), ...libraries.split('\n')],
		...['/usr/sbin/bprobectl', '/usr/lib/bprobe/trace.bpf.o', '/tmp/shared', '/tmp/static'],
	];
	await push(link, '/', await Promise.all(names.map(fileOf)));
	const run = async (command: string) => {
		const {stdout} = await link.exec(command);
		say(`${command}\n${stdout.trimEnd()}`);
		return stdout;
	};
	await run(`modprobe bprobe && modinfo bprobe | head -1 && cat /sys/module/bprobe/version`);
	const traced = await run('(sleep 1; mkdir /tmp/made) & bprobectl trace do_mkdirat --return --count 1 2>&1');
	assert.match(traced, /mkdir {2}do_mkdirat\(.*= 0x0\n/);
	for (const program of ['/tmp/shared', '/tmp/static'])
		assert.equal(await run(program), 'return of do_mkdirat: 3 hits\n');
	await run('rmmod bprobe && ! bprobectl list');
}

async function fileOf(name: string): Promise<TransferFile> {
	return {path: name.slice(1), data: await readFile(path.join(root, name)), mode: 0o755};
}
