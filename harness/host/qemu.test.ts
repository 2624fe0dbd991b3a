// SPDX-License-Identifier: GPL-2.0
import {mkdir, mkdtempDisposable} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import path from 'node:path';
import test, {type ExecutionContext} from 'ava';
import recipe from '../../images/host-qemu.json' with {type: 'json'};
import {writeProgram} from '../test/write-program.ts';
import {cacheDirectory} from './cache.ts';
import {UsageError} from './errors.ts';
import {writeCached} from './json-cache.ts';
import {findQemu} from './qemu.ts';

const {PATH} = process.env;

/** A host with this QEMU, or with none; its cache is empty, and Debian is out of reach. */
async function openHost(t: ExecutionContext, version?: string) {
	const directory = await mkdtempDisposable(path.join(tmpdir(), 'qemu-'));
	t.teardown(() => directory.remove());
	const program = path.join(directory.path, 'qemu-system-x86_64');
	if (version !== undefined)
		await writeProgram(program, `#!/bin/sh\necho "QEMU emulator version ${version} (Debian 1:${version}+dfsg)"\n`);
	process.env.PROBE_MATRIX_CACHE = path.join(directory.path, 'cache');
	process.env.PROBE_MATRIX_MIRROR = 'http://127.0.0.1:9';
	process.env.PATH = `${directory.path}:${PATH}`;
	return program;
}

for (const version of ['10.0.3', '11.1.0']) {
	test.serial(`QEMU ${version} of the host is used, a thread for each vCPU`, async t => {
		const program = await openHost(t, version);
		t.like(await findQemu(), {command: [program], version, tcgThread: 'multi'});
	});
}

for (const version of ['7.2.22', '9.2.4']) {
	test.serial(
		`QEMU ${version} of the host is used only if no newer one is to be had, its vCPUs in one thread`,
		async t => {
			const program = await openHost(t, version);
			t.like(await findQemu(), {command: [program], version, tcgThread: 'single'});
		},
	);
}

/** Puts a QEMU into the cache. Returns its loader. */
async function cacheQemu(version: string): Promise<string> {
	const root = path.join(cacheDirectory('trees'), 'qemu');
	const loader = path.join(root, 'lib64/ld-linux-x86-64.so.2');
	await mkdir(path.dirname(loader), {recursive: true});
	await writeProgram(loader, `#!/bin/sh\necho "QEMU emulator version ${version}"\n`);
	const {suites, roots, skip} = recipe;
	const note = path.join(cacheDirectory('kernels'), 'qemu.tree.json');
	await writeCached(note, {root, wanted: JSON.stringify({suites, roots, skip, recipe: '1'})});
	return loader;
}

test.serial('a newer QEMU in the cache is used instead of an old one of the host, by its own loader', async t => {
	await openHost(t, '7.2.22');
	const loader = await cacheQemu('10.0.11');
	const {command, version, tcgThread} = await findQemu();
	t.deepEqual([command[0], version, tcgThread], [loader, '10.0.11', 'multi']);
});

test.serial('a QEMU of the host that is new enough is used, whatever is in the cache', async t => {
	const program = await openHost(t, '10.0.3');
	await cacheQemu('10.0.11');
	t.like(await findQemu(), {command: [program], version: '10.0.3'});
});

test.serial('a QEMU that does not say its version is an error of the host', async t => {
	const program = await openHost(t, 'unknown');
	await t.throwsAsync(findQemu(), {
		instanceOf: UsageError,
		message: `${program} does not print its version: QEMU emulator version unknown (Debian 1:unknown+dfsg)`,
	});
});
