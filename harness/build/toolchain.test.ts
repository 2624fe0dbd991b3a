// SPDX-License-Identifier: GPL-2.0
import {mkdir, mkdtempDisposable, writeFile} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import path from 'node:path';
import test from 'ava';
import {execa} from 'execa';
import type {Kernel} from '../kernels/kernel.ts';
import {freshCache} from '../test/fresh-cache.ts';
import {writeProgram} from '../test/write-program.ts';
import {sandbox, toolchainOf} from './toolchain.ts';

async function kernelBuiltBy(config: string, id = 'debian-6.1'): Promise<AsyncDisposable & Kernel> {
	const directory = await mkdtempDisposable(path.join(tmpdir(), 'toolchain-'));
	const file = path.join(directory.path, 'config');
	await writeFile(file, config);
	return {
		...{id, release: '6.1', bzImage: '', buildTree: '', origin: '', flavour: 'cloud', config: file},
		[Symbol.asyncDispose]: () => directory.remove(),
	};
}

for (const [what, config, id] of [
	['an older gcc', 'CONFIG_GCC_VERSION=70500\n', 'debian-6.1'],
	['clang', 'CONFIG_GCC_VERSION=0\nCONFIG_CLANG_VERSION=190000\n', 'debian-6.1'],
	['a compiler it does not name', 'CONFIG_64BIT=y\n', '4.15.18'],
	['a newer gcc, though not in a suite of Debian', 'CONFIG_GCC_VERSION=990000\n', '/home/me/linux'],
] as const) {
	test(`modules for a kernel built by ${what} are built by the host's compiler`, async t => {
		await using kernel = await kernelBuiltBy(config, id);
		const toolchain = await toolchainOf(kernel);
		t.deepEqual(toolchain.make('/tmp'), ['make']);
		t.is(toolchain.cc, 'gcc');
	});
}

test.serial("the version of the host's gcc is asked for again when it is another gcc", async t => {
	await using kernel = await kernelBuiltBy('CONFIG_GCC_VERSION=980000\n');
	await using cache = await freshCache();
	const {PATH, PROBE_MATRIX_MIRROR} = process.env;
	t.teardown(() => {
		process.env.PATH = PATH;
		if (PROBE_MATRIX_MIRROR === undefined) delete process.env.PROBE_MATRIX_MIRROR;
		else process.env.PROBE_MATRIX_MIRROR = PROBE_MATRIX_MIRROR;
	});
	const install = async (version: number) => {
		const directory = path.join(cache.path, `gcc-${version}`);
		await mkdir(directory);
		await writeProgram(path.join(directory, 'gcc'), `#!/bin/sh\necho ${version}\n`);
		process.env.PATH = `${directory}:${PATH}`;
	};
	await install(99);
	t.is((await toolchainOf(kernel)).identity, 'host');
	// An older one cannot build for this kernel, and no newer one can be had: nothing listens there.
	await install(97);
	process.env.PROBE_MATRIX_MIRROR = 'http://127.0.0.1:9';
	await t.throwsAsync(toolchainOf(kernel), {message: /127\.0\.0\.1:9/});
});

test.serial('a fetched compiler sees the cache, and writes to the directory of its build alone', async t => {
	await using cache = await freshCache();
	const [directory, other] = ['work', 'other'].map(name => path.join(cache.path, name)) as [string, string];
	await mkdir(directory);
	await mkdir(other);
	await writeFile(path.join(other, 'file'), 'seen\n');
	const tries = {
		'here/new': 'touch new',
		'the cache': `cat ${other}/file`,
		'the cache/new': `touch ${other}/new`,
		'/usr/new': 'touch /usr/new',
		'another directory': `ls ${import.meta.dirname}`,
		'the network': 'grep -v lo: /proc/net/dev | grep : ',
		'variables of the host': 'test "$$OF_THE_HOST"',
	};
	const rules = Object.entries(tries).map(
		([what, command]) => `\t@${command} >/dev/null 2>&1 && echo '${what}' || :\n`,
	);
	await writeFile(path.join(directory, 'Makefile'), `all:\n${rules.join('')}`);
	// With the programs of this host.
	const [program, ...args] = sandbox('/', directory);
	const {stdout} = await execa(program!, args, {env: {OF_THE_HOST: 'yes'}});
	t.deepEqual(stdout.split('\n'), ['here/new', 'the cache']);
});
