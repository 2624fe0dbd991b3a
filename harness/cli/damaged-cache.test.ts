// SPDX-License-Identifier: GPL-2.0
import {cp, mkdtempDisposable, readdir, readFile, rm, writeFile} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import path from 'node:path';
import test, {type ExecutionContext} from 'ava';
import {Journal} from '../bisect/engine/journal.ts';
import {describePlan} from '../bisect/kinds/plan-bisect.ts';
import {cacheDirectory, isWhole, locked} from '../host/cache.ts';
import {writeCached} from '../host/json-cache.ts';
import {findQemu} from '../host/qemu.ts';
import {quote} from '../host/quote.ts';
import {listKernels, pruneCache} from '../kernels/inventory.ts';
import {cacheKernel} from '../test/cached-kernel.ts';
import {damages} from '../test/damage.ts';
import {probeMatrix} from '../test/fake-cli.ts';
import {writeProgram} from '../test/write-program.ts';

let removeBin: (() => Promise<void>) | undefined;
test.after.always(() => removeBin?.());

test.serial.before('put the QEMU of the shared cache on PATH, so that it is not part of what is damaged', async t => {
	t.timeout(10 * 60_000);
	const {path: bin, remove} = await mkdtempDisposable(path.join(tmpdir(), 'bin-'));
	removeBin = remove;
	const {command, environment} = await findQemu();
	const variables = Object.entries(environment).map(([name, value]) => `${name}=${value}`);
	const start = ['env', ...variables, ...command].map(quote).join(' ');
	await writeProgram(path.join(bin, 'qemu-system-x86_64'), `#!/bin/sh\nexec ${start} "$@"\n`);
	process.env.PATH = `${bin}:${process.env.PATH}`;
});

/** A cache with one file of each kind that commands read without being asked for a guest. */
async function openCache(t: ExecutionContext) {
	const directory = await mkdtempDisposable(path.join(tmpdir(), 'damaged-'));
	t.teardown(() => directory.remove());
	process.env.PROBE_MATRIX_CACHE = directory.path;
	// Nothing is fetched to replace what is damaged.
	process.env.PROBE_MATRIX_MIRROR = 'http://127.0.0.1:9';
	process.env.PROBE_MATRIX_SECURITY_MIRROR = 'http://127.0.0.1:9';
	const origin = 'Debian linux 6.1.192';
	const kernel = await cacheKernel({id: 'debian-6.1', release: '6.1.0', origin, flavour: 'cloud'});
	const tree = path.dirname(kernel.bzImage);
	await writeCached(path.join(cacheDirectory('kernels'), '6.6.1.source.json'), {
		kernel: {...kernel, id: '6.6.1', release: '6.6.1'},
		recipe: 'r',
		source: '/nowhere',
	});
	await writeCached(path.join(cacheDirectory('kernels'), 'qemu.tree.json'), {root: tree, wanted: 'w'});
	await writeCached(path.join(cacheDirectory('kernels'), 'host-qemu.json'), {root: tree, version: '10.0.0'});
	const measured = {bootId: 'b', command: ['qemu'], end: {ran: true, speed: 1}};
	await writeCached(path.join(cacheDirectory('kernels'), 'accelerator-tcg.json'), measured);
	await writeFile(path.join(cacheDirectory(), 'durations.json'), '{"k return/value": [1, 2]}');
	const journal = new Journal(path.join(cacheDirectory('bisect', 'releases-0123456789ab'), 'journal.jsonl'));
	const name = {stage: 'releases', role: 'step', candidate: {id: '1', title: '1'}} as const;
	journal.addAttempts(name, [{end: 'pass', symptoms: []}], 1);
	journal.addStep({...name, type: 'step', verdict: 'good', failed: 0, asked: 1, prepareMs: 1, ms: 1});
	journal[Symbol.dispose]();
	await locked('a lock', {}, async () => {});
	// This writes the size of the kernel, too.
	t.is((await listKernels()).filter(({cached}) => cached).length, 2);
	const found = await readdir(directory.path, {recursive: true, withFileTypes: true});
	const files = found.filter(entry => entry.isFile() && !/\bcompiled\b/.test(entry.parentPath));
	return {
		directory: directory.path,
		tree,
		journal: path.join(cacheDirectory('bisect', 'releases-0123456789ab'), 'journal.jsonl'),
		files: files.map(({parentPath, name: file}) => path.join(parentPath, file)),
	};
}

const ends = {good: '4.15.18', bad: 'debian-6.12', linux: undefined, module: undefined};

/** A run ends with 3 because the kernel cannot be fetched again; `doctor` with 2 on a host that lacks something. */
const statuses: Readonly<Record<string, readonly number[]>> = {kernels: [0], bisect: [0], run: [3], doctor: [0, 2]};

for (const [what, damage] of Object.entries(damages)) {
	test.serial(`no file of the cache that is ${what} stops a command`, async t => {
		const {directory, tree, files, journal} = await openCache(t);
		t.true(files.length >= 11, files.join(' '));
		const copy = `${directory}.copy`;
		await cp(directory, copy, {recursive: true, preserveTimestamps: true});
		t.teardown(() => rm(copy, {recursive: true, force: true}));
		for (const file of files) {
			await writeFile(file, damage(await readFile(file)));
			t.true((await listKernels()).length > 3, file);
			t.regex(await describePlan(ends), /kernels, both ends/, file);
			const known = new Journal(journal);
			t.true(known.size <= 1);
			known[Symbol.dispose]();
			await isWhole(tree);
			await locked('a lock', {}, async () => {});
			await t.notThrowsAsync(pruneCache(), file);
			await rm(directory, {recursive: true});
			await cp(copy, directory, {recursive: true, preserveTimestamps: true});
		}
		for (const file of files) await writeFile(file, damage(await readFile(file)));
		const commands = [
			['kernels', 'list'],
			['bisect', '--good', ends.good, '--bad', ends.bad, '--match', 'entry/flags', '--dry-run'],
			['run', '--kernel', 'debian-6.1', '--match', 'entry/flags'],
			['doctor'],
		] as const;
		for (const args of commands) {
			const [name] = args;
			const {exitCode, stderr, stdout} = await probeMatrix(...args);
			t.notRegex(`${stdout}\n${stderr}`, /^ +at |Error:/m, name);
			t.true(statuses[name]!.includes(exitCode ?? -1), `${name} ended with ${exitCode}: ${stdout}\n${stderr}`);
			if (name === 'doctor') continue;
			t.regex(stdout, /debian-6\.1\b/);
			if (what === 'zero-filled') t.regex(stderr, /debian-6\.1\.json is damaged and counts as missing: it is not JSON/);
		}
	});
}
