// SPDX-License-Identifier: GPL-2.0
import {mkdtempDisposable, readFile, writeFile} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import path from 'node:path';
import test, {type ExecutionContext} from 'ava';
import {UsageError} from '../host/errors.ts';
import {obtainKernel} from '../kernels/obtain.ts';
import type {MakeArguments} from './guest-content.ts';
import {buildModules} from './module-build.ts';

/** Builds a module that holds what make was told as KERNEL. */
async function build(t: ExecutionContext, make: MakeArguments): Promise<string> {
	const {path: directory, remove} = await mkdtempDisposable(path.join(tmpdir(), 'module-'));
	t.teardown(remove);
	await writeFile(path.join(directory, 'Kbuild'), 'obj-m := own.o\nccflags-y := -DKERNEL=$(KERNEL)\n');
	await writeFile(
		path.join(directory, 'own.c'),
		'#include <linux/module.h>\n#include <linux/stringify.h>\nMODULE_INFO(built_for, __stringify(KERNEL));\nMODULE_LICENSE("GPL");\n',
	);
	const kernel = await obtainKernel('debian-6.1');
	const [module] = await buildModules({from: directory, name: 'own', place: 'own', make}, kernel);
	return readFile(module!.file, 'latin1');
}

test('make gets the arguments of a module, or those that its function has for the kernel', async t => {
	t.timeout(300_000);
	t.regex(await build(t, ['KERNEL=any']), /built_for=any\0/);
	const each: MakeArguments = ({id, release}) => [`KERNEL=${id}/${release.split('.', 2).join('.')}`];
	t.regex(await build(t, each), /built_for=debian-6\.1\/6\.1\0/);
});

test('a function for make that fails, or gives no list, is a usage error', async t => {
	t.timeout(300_000);
	const none = (() => 'KERNEL=1') as unknown as MakeArguments;
	await t.throwsAsync(build(t, none), {instanceOf: UsageError, message: /list of arguments for debian-6\.1\.$/});
	const fails = () => {
		throw new Error('boo');
	};
	await t.throwsAsync(build(t, fails), {
		instanceOf: UsageError,
		message: 'own: its function `make` failed for debian-6.1: boo',
	});
});
