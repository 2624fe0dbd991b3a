// SPDX-License-Identifier: GPL-2.0
import {readFile} from 'node:fs/promises';
import path from 'node:path';
import test, {type ExecutionContext} from 'ava';
import {BuildError} from '../../host/errors.ts';
import type {Options} from '../../kernels/kconfig.ts';
import {captureStderr} from '../../test/capture-stderr.ts';
import {freshCache} from '../../test/fresh-cache.ts';
import {type Files, makeTinyLinux} from '../../test/tiny-linux.ts';
import {Checkout} from '../repository/checkout.ts';
import {SourceRepository} from '../repository/source-repository.ts';
import {CommitKernels, type CommitKernelsOptions} from './commit-kernels.ts';

/** A repository with one commit for each of `changes`, which go on top of a first tree. Tests with it are serial. */
async function openHistory(t: ExecutionContext, ...changes: readonly Files[]) {
	const cache = await freshCache();
	t.teardown(async () => cache[Symbol.asyncDispose]());
	const tree = path.join(cache.path, 'history');
	const hashes = await makeTinyLinux(tree, changes);
	const repository = await SourceRepository.open(tree);
	const commits = await Promise.all(hashes.map(hash => repository.commit(hash)));
	const checkout = await Checkout.open(repository, path.join(cache.path, 'checkout'));
	const work = path.join(cache.path, 'work');
	const open = (options: Partial<CommitKernelsOptions> = {}) =>
		new CommitKernels({checkout, work, signal: new AbortController().signal, ...options});
	return {commits, checkout, work, open};
}

/** Its first line. */
const imageOf = async ({kernel}: {kernel: {bzImage: string}}) =>
	(await readFile(kernel.bzImage, 'utf8')).split('\n', 1)[0];

test.serial('each commit is built from its own files, once', async t => {
	const {commits, open} = await openHistory(t, {image: 'the second\n'}, {image: 'the third\n'});
	const kernels = open();
	for (const [number, image] of [
		[0, 'the first'],
		[2, 'the third'],
		[1, 'the second'],
	] as const) {
		const built = await kernels.kernelOf(commits[number]!);
		t.like(built, {isReused: false, kernel: {release: '5.10.0', flavour: 'base'}}, image);
		t.is(await imageOf(built), image);
	}
	const again = await open().kernelOf(commits[2]!);
	t.true(again.isReused);
	t.is(await imageOf(again), 'the third');
	// What the recipe adds to make belongs to the modules of a kernel that is reused, too.
	t.deepEqual(again.kernel.make, ['WERROR=0']);
});

test.serial('a file that a quirk changes is compiled again only where a commit changes it', async t => {
	const {commits, open, work} = await openHistory(
		t,
		{image: 'the second\n'},
		{'kernel/elfcore.c': 'size_t __weak elf_core_extra_data_size(void);\n'},
	);
	const kernels = open();
	const compilations = async () =>
		(await readFile(path.join(work, 'build/compilations'), 'utf8')).split('\n').length - 1;
	const counts = [];
	for (const commit of commits) {
		await kernels.kernelOf(commit);
		counts.push(await compilations());
	}
	t.deepEqual(counts, [1, 1, 2]);
	t.regex(await readFile(path.join(work, 'build/elfcore.o'), 'utf8'), /__weak notrace elf_core_extra_data_size/);
});

test.serial('options go by the names of each commit; those that a commit does not take are said once', async t => {
	const {commits, open} = await openHistory(
		t,
		{Kconfig: 'config NEW\n\tbool "an option"\nmenuconfig REFUSED\n'},
		{image: 'the third\n'},
	);
	const options: Options = new Map([
		['CONFIG_NEW', 'y'],
		['CONFIG_NEVER', 'y'],
		['CONFIG_REFUSED', 'y'],
	]);
	const configs: string[] = [];
	const lost: (readonly string[])[] = [];
	const kernels = open({options, configMap: new Map([['CONFIG_OLD', 'CONFIG_NEW']])});
	const said = await captureStderr(async () => {
		for (const commit of commits) {
			const built = await kernels.kernelOf(commit);
			configs.push(await readFile(built.kernel.config!, 'utf8'));
			lost.push(built.lost);
		}
	});
	t.deepEqual(configs, ['CONFIG_OLD=y\n', 'CONFIG_NEW=y\n', 'CONFIG_NEW=y\n']);
	t.deepEqual(lost, Array(3).fill(['CONFIG_NEVER=y (it is n)', 'CONFIG_REFUSED=y (it is n)']));
	t.is(said.split('CONFIG_NEVER=y').length - 1, 1);
	t.deepEqual((await open({options}).kernelOf(commits[1]!)).lost, lost[1]);

	// What a suite needs does not hide that the options are others.
	const fragment = {file: 'own.config', options: new Map([['CONFIG_OLD', 'y']])};
	const [asked, none] = [
		await open({options, fragment}).kernelOf(commits[1]!),
		await open({options: new Map(), fragment}).kernelOf(commits[1]!),
	];
	t.not(none.kernel.bzImage, asked.kernel.bzImage);
	t.is(await readFile(none.kernel.config!, 'utf8'), '');

	// Without the map, a commit with another name for it does not take the option.
	t.is(await readFile((await open({options}).kernelOf(commits[0]!)).kernel.config!, 'utf8'), '');
});

test.serial('each suite has a kernel of its own with the options that it needs', async t => {
	const {commits, open} = await openHistory(t);
	const fragments = ['none', 'y', 'm'].map(value =>
		value === 'none' ? undefined : {file: 'own.config', options: new Map([['CONFIG_OLD', value]])},
	);
	for (const isReused of [false, true]) {
		const configs: string[] = [];
		for (const fragment of fragments) {
			const built = await open(fragment && {fragment}).kernelOf(commits[0]!);
			t.is(built.isReused, isReused);
			configs.push(await readFile(built.kernel.config!, 'utf8'));
		}
		t.deepEqual(configs, ['', 'CONFIG_OLD=y\n', 'CONFIG_OLD=m\n']);
	}
});

test.serial('a commit that does not take what a suite needs does not build', async t => {
	const {commits, open} = await openHistory(t);
	const fragment = {file: 'own.config', options: new Map([['CONFIG_REFUSED', 'y']])};
	for (const attempt of ['first', 'second'])
		await t.throwsAsync(
			open({fragment}).kernelOf(commits[0]!),
			{instanceOf: BuildError, message: /does not have CONFIG_REFUSED=y \(it is n\), as own\.config asks\.$/},
			attempt,
		);
});

test.serial('a commit that does not build says so without the path of the checkout, and leaves no kernel', async t => {
	const {commits, open} = await openHistory(t, {'broken.c': '#error it is broken\n'});
	for (const attempt of [1, 2]) {
		const error = await t.throwsAsync(open().kernelOf(commits[1]!), {instanceOf: BuildError}, `attempt ${attempt}`);
		t.regex(error!.message, /^broken\.c:1:2: error: it is broken$/m);
	}
});

test.serial('a commit without a Linux tree cannot be built, and says where the tree was looked for', async t => {
	const {commits, open, checkout} = await openHistory(t, {Makefile: 'all:\n'});
	t.is(checkout.source.replace(/\/$/, ''), checkout.directory);
	await t.throwsAsync(open().kernelOf(commits[1]!), {
		instanceOf: BuildError,
		message: /change 1.* does not build: error: it has no Linux tree at its top\.$/,
	});
});
