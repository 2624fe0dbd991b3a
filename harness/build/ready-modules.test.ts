// SPDX-License-Identifier: GPL-2.0
import {mkdir, mkdtempDisposable, readFile, writeFile} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import path from 'node:path';
import test, {type ExecutionContext} from 'ava';
import {execa} from 'execa';
import type {Kernel} from '../kernels/kernel.ts';
import {freshCache} from '../test/fresh-cache.ts';
import {buildModules} from './module-build.ts';

/** An object that says on which modules it depends, as modpost writes it. */
async function writeModule(file: string, depends: string): Promise<string> {
	await mkdir(path.dirname(file), {recursive: true});
	const words = `\\0name=x\\0depends=${depends}\\0`;
	const source = `__attribute__((section(".modinfo"), used)) static const char m[] = "${words}";`;
	await execa('gcc', ['-x', 'c', '-g', '-c', '-o', file, '-'], {input: source});
	return file;
}

/** A kernel with modules crc and net, of which net needs crc. */
async function openWorld(t: ExecutionContext) {
	const {path: directory, remove} = await mkdtempDisposable(path.join(tmpdir(), 'ready-'));
	t.teardown(remove);
	const cache = await freshCache();
	t.teardown(async () => cache[Symbol.asyncDispose]());
	await writeModule(path.join(directory, 'modules/kernel/crc.ko'), '');
	await writeModule(path.join(directory, 'modules/kernel/net.ko'), 'crc');
	await writeFile(path.join(directory, 'modules/modules.builtin'), '');
	await mkdir(path.join(directory, 'tree'));
	await writeFile(path.join(directory, 'config'), '');
	const empty = {bzImage: '', origin: '', flavour: '', config: path.join(directory, 'config')};
	const kernel: Kernel = {
		...empty,
		...{id: 'k', release: '1.2', modules: path.join(directory, 'modules'), buildTree: path.join(directory, 'tree')},
	};
	return {directory, kernel};
}

test.serial(
	'a module that is built already is kept with those of the kernel that it needs, which come first',
	async t => {
		const {directory, kernel} = await openWorld(t);
		const from = await writeModule(path.join(directory, 'my-own.ko'), 'net');
		const modules = await buildModules({from, parameters: 'a=1'}, kernel);
		t.deepEqual(
			modules.map(({name, isKernels, parameters}) => [name, isKernels, parameters]),
			[
				['crc', true, undefined],
				['net', true, undefined],
				['my_own', undefined, 'a=1'],
			],
		);
		const own = modules.at(-1)!;
		t.deepEqual(await readFile(own.file), await readFile(from));
		t.true((await readFile(own.bare)).length < (await readFile(own.file)).length);
		t.is((await buildModules({from}, kernel)).at(-1)!.file, own.file);

		await writeModule(from, '');
		const changed = await buildModules({from}, kernel);
		t.deepEqual(
			changed.map(({name}) => name),
			['my_own'],
		);
		t.deepEqual(await readFile(changed[0]!.file), await readFile(from));
	},
);

test.serial('a module that is built already is kept for each set of modules of the kernel', async t => {
	const {directory, kernel} = await openWorld(t);
	const from = await writeModule(path.join(directory, 'my-own.ko'), 'net');
	await buildModules({from}, kernel);
	await writeModule(path.join(directory, 'newer/kernel/net.ko'), '');
	await writeFile(path.join(directory, 'newer/modules.builtin'), '');
	const newer = await buildModules({from}, {...kernel, modules: path.join(directory, 'newer')});
	t.deepEqual(
		newer.map(({name}) => name),
		['net', 'my_own'],
	);
});

test.serial('modules of one directory come in the order of what they need of each other', async t => {
	const {directory, kernel} = await openWorld(t);
	const from = path.join(directory, 'several');
	await writeModule(path.join(from, 'a.built'), 'c,net');
	await writeModule(path.join(from, 'b.built'), '');
	await writeModule(path.join(from, 'c.built'), 'b');
	await writeFile(path.join(from, 'Kbuild'), '');
	await writeFile(
		path.join(directory, 'tree/Makefile'),
		'modules:\n\tfor each in a b c; do cp $(M)/$$each.built $(M)/$$each.ko; done\n',
	);
	const modules = await buildModules({from}, kernel);
	t.deepEqual(
		modules.map(({name}) => name),
		['crc', 'net', 'b', 'c', 'a'],
	);
});
