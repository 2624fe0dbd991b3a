// SPDX-License-Identifier: GPL-2.0
import {mkdir, mkdtempDisposable, writeFile} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import path from 'node:path';
import test, {type ExecutionContext} from 'ava';
import {BuildError} from '../host/errors.ts';
import type {Kernel} from '../kernels/kernel.ts';
import {compressions} from '../test/compressions.ts';
import {kernelModules} from './kernel-modules.ts';

async function kernelWith(t: ExecutionContext, modules: Record<string, string>): Promise<Kernel> {
	const directory = await mkdtempDisposable(path.join(tmpdir(), 'modules-'));
	t.teardown(() => directory.remove());
	await mkdir(path.join(directory.path, 'kernel/net'), {recursive: true});
	await writeFile(path.join(directory.path, 'modules.builtin'), 'kernel/lib/built-in-one.ko\n');
	for (const [file, depends] of Object.entries(modules)) {
		const elf = Buffer.from(`ELF\0depends=${depends}\0name=x\0`);
		const compress = compressions[path.extname(file)];
		await writeFile(path.join(directory.path, 'kernel/net', file), compress ? compress(elf) : elf);
	}
	const none = {bzImage: '', buildTree: '', origin: '', flavour: '', config: ''};
	return {...none, id: 'k', release: '1.2', modules: directory.path};
}

test('dependencies come before the module that needs them, once and uncompressed', async t => {
	const kernel = await kernelWith(t, {'a.ko': 'b,c', 'b.ko.gz': 'c-low', 'c.ko': '', 'c_low.ko': 'built_in_one'});
	const found = await kernelModules(kernel, ['a', 'b']);
	t.deepEqual(
		found.map(module => module.path),
		['c_low', 'b', 'c', 'a'].map(name => `usr/lib/modules/1.2/kernel/net/${name}.ko`),
	);
	t.is(found[1]!.data.toString('latin1', 0, 3), 'ELF');
});

test('a built-in module needs no file', async t => {
	t.deepEqual(await kernelModules(await kernelWith(t, {}), ['built_in_one']), []);
});

test('a missing module is named in the error', async t => {
	await t.throwsAsync(kernelModules(await kernelWith(t, {}), ['ghost']), {instanceOf: BuildError, message: /ghost/});
});

for (const extension of ['gz', 'zst', 'xz']) {
	test(`a module that is compressed by ${extension} is unpacked`, async t => {
		const kernel = await kernelWith(t, {'a.ko': '', [`b.ko.${extension}`]: 'a'});
		const found = await kernelModules(kernel, ['b']);
		t.deepEqual(
			found.map(({path: file, data}) => [path.basename(file), data.toString('latin1', 0, 3)]),
			[
				['a.ko', 'ELF'],
				['b.ko', 'ELF'],
			],
		);
	});
}

test('a module of an unknown compression is named', async t => {
	const kernel = await kernelWith(t, {'b.ko.lzma': ''});
	await t.throwsAsync(kernelModules(kernel, ['b']), {
		instanceOf: BuildError,
		message: /b\.ko\.lzma has an unknown comp/,
	});
});
