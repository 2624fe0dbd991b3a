// SPDX-License-Identifier: GPL-2.0
import {existsSync} from 'node:fs';
import {appendFile, mkdir, mkdtempDisposable, readFile, stat, utimes, writeFile} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import path from 'node:path';
import test from 'ava';
import {BuildError, UsageError} from '../host/errors.ts';
import {obtainKernel} from './obtain.ts';
import {applyReplacements, cloneTree, identityOfTree, inspectTree} from './source-tree.ts';

const makefile = 'VERSION = 4\nPATCHLEVEL = 15\nSUBLEVEL = 18\nEXTRAVERSION =\nNAME = Fearless\n';

async function fakeTree(files: Readonly<Record<string, string>> = {}): Promise<AsyncDisposable & {path: string}> {
	const directory = await mkdtempDisposable(path.join(tmpdir(), 'tree-'));
	for (const [file, text] of Object.entries({Makefile: makefile, 'arch/x86/Makefile': '', ...files})) {
		await mkdir(path.dirname(path.join(directory.path, file)), {recursive: true});
		await writeFile(path.join(directory.path, file), text);
	}
	return {path: directory.path, [Symbol.asyncDispose]: () => directory.remove()};
}

const files = ['.config', 'vmlinux', 'System.map', 'Module.symvers', 'arch/x86/boot/bzImage'];
const built = Object.fromEntries([...files, 'include/config/kernel.release'].map(file => [file, '']));

test('inspectTree finds version and state of a tree', async t => {
	await using clean = await fakeTree();
	t.like(await inspectTree(clean.path), {version: '4.15.18', state: 'clean'});
	await using half = await fakeTree({'.config': ''});
	t.is((await inspectTree(half.path)).state, 'half-built');
	await using whole = await fakeTree(built);
	t.is((await inspectTree(whole.path)).state, 'built');
	await using candidate = await fakeTree({
		Makefile: 'VERSION = 5\nPATCHLEVEL = 0\nSUBLEVEL = 0\nEXTRAVERSION = -rc1\n',
	});
	t.is((await inspectTree(candidate.path)).version, '5.0-rc1');
});

test('a directory that is not a Linux tree is rejected with a reason', async t => {
	await t.throwsAsync(inspectTree('/no/such/tree'), {instanceOf: UsageError, message: /There is no directory/});
	await using empty = await mkdtempDisposable(path.join(tmpdir(), 'tree-'));
	await t.throwsAsync(inspectTree(empty.path), {instanceOf: UsageError, message: /it has no Makefile/});
	await using other = await fakeTree({Makefile: 'all:\n\ttrue\n'});
	await t.throwsAsync(inspectTree(other.path), {instanceOf: UsageError, message: /names no version/});
});

test.serial('a tree of another version is rejected before anything is built', async t => {
	await using cache = await mkdtempDisposable(path.join(tmpdir(), 'cache-'));
	process.env.PROBE_MATRIX_CACHE = cache.path;
	await using tree = await fakeTree();
	const asked = obtainKernel('4.15.17', {source: tree.path});
	await t.throwsAsync(asked, {
		instanceOf: UsageError,
		message: /is Linux 4\.15\.18, but Linux 4\.15\.17 was requested/,
	});
	t.false(existsSync(path.join(cache.path, 'built')));
});

test.serial('a half-built tree is rejected with what it lacks, and a built one in a flavour, too', async t => {
	await using half = await fakeTree({'.config': '', vmlinux: ''});
	await t.throwsAsync(obtainKernel(half.path), {
		instanceOf: UsageError,
		message: /is half built: it has no System\.map, Module\.symvers, arch\/x86\/boot\/bzImage/,
	});
	await using whole = await fakeTree(built);
	await t.throwsAsync(obtainKernel(`${whole.path}+debug`), {instanceOf: UsageError, message: /is built already/});
});

test.serial('a built tree given by path is used as it is', async t => {
	await using tree = await fakeTree({...built, 'include/config/kernel.release': '4.15.18-mine\n'});
	const kernel = await obtainKernel(tree.path);
	const inside = (file: string) => path.join(tree.path, file);
	t.deepEqual(kernel, {
		...{id: tree.path, release: '4.15.18-mine', origin: `built tree ${tree.path}`, flavour: 'as built'},
		...{bzImage: inside('arch/x86/boot/bzImage'), symbols: inside('vmlinux'), kallsyms: inside('System.map')},
		...{buildTree: tree.path, config: inside('.config')},
	});
});

test.serial('a built tree in whose path make cannot build is rejected', async t => {
	await using directory = await fakeTree(
		Object.fromEntries(
			Object.entries({Makefile: makefile, 'arch/x86/Makefile': '', ...built}).map(([file, text]) => [
				`a tree/${file}`,
				text,
			]),
		),
	);
	const tree = path.join(directory.path, 'a tree');
	await t.throwsAsync(obtainKernel(tree), {
		instanceOf: UsageError,
		message: `The built kernel ${tree} has a space in its path, and make cannot build there; move it.`,
	});
});

test.serial('a kernel that is not built here must have the options of a fragment', async t => {
	await using tree = await fakeTree({...built, '.config': 'CONFIG_A=y\nCONFIG_B=m\n'});
	const obtain = async (options: Readonly<Record<string, string>>) =>
		obtainKernel(tree.path, {fragment: {file: 'own.config', options: new Map(Object.entries(options))}});
	t.is((await obtain({CONFIG_A: 'y', CONFIG_C: 'n'})).id, tree.path);
	await t.throwsAsync(obtain({CONFIG_A: 'n', CONFIG_B: 'y', CONFIG_C: 'y'}), {
		instanceOf: BuildError,
		message: `${tree.path} does not have CONFIG_A=n (it is y), CONFIG_B=y (it is m), CONFIG_C=y (it is n), as own.config asks.`,
	});
});

test('repairing a clone does not change the original tree', async t => {
	const old = "printf '\\# cannot'";
	await using tree = await fakeTree({'tools/a': old, '.git/HEAD': 'ref'});
	await using clone = await mkdtempDisposable(path.join(tmpdir(), 'tree-'));
	const copy = path.join(clone.path, 'copy');
	await cloneTree(tree.path, copy);
	const replace = [
		{file: 'tools/a', old: '\\#', new: '\\043$&'},
		{file: 'tools/none', old: 'x', new: 'y'},
		{file: 'tools/a', old: 'repaired before', new: 'z'},
	];
	await applyReplacements(copy, [{from: '4.15', before: '5.0', reason: 'test', replace}]);
	t.is(await readFile(path.join(copy, 'tools/a'), 'utf8'), "printf '\\043$& cannot'");
	t.is(await readFile(path.join(tree.path, 'tools/a'), 'utf8'), old);
	t.false(existsSync(path.join(copy, '.git')));
});

test('the identity of a tree changes when a file is changed or added', async t => {
	await using tree = await fakeTree({'kernel/a.c': 'a'});
	const first = await identityOfTree(tree.path);
	t.is(await identityOfTree(tree.path), first);
	await appendFile(path.join(tree.path, 'kernel/a.c'), 'b');
	const second = await identityOfTree(tree.path);
	t.not(second, first);
	await writeFile(path.join(tree.path, 'kernel/b.c'), '');
	t.not(await identityOfTree(tree.path), second);
	t.true((await stat(tree.path)).isDirectory());
	// An edit that keeps the size.
	const last = await identityOfTree(tree.path);
	const file = path.join(tree.path, 'Makefile');
	await writeFile(file, (await readFile(file, 'utf8')).replace('18', '19'));
	await utimes(file, new Date(), new Date(Date.now() + 5000));
	t.not(await identityOfTree(tree.path), last);
});
