// SPDX-License-Identifier: GPL-2.0
import {randomUUID} from 'node:crypto';
import {cp, mkdtempDisposable, readdir, readFile, rm, stat, writeFile} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import path from 'node:path';
import test from 'ava';
import {execa} from 'execa';
import {cacheDirectory} from '../host/cache.ts';
import {BuildError} from '../host/errors.ts';
import {obtainKernel} from '../kernels/obtain.ts';
import {buildGuest, type GuestBuild} from './guest-build.ts';
import type {GuestContent, PushedFile} from './guest-content.ts';
import {projectRoot} from './sources.ts';

const sources = {
	Kbuild: 'obj-m := tiny.o\ntiny-y := main.o entry.o third.o\n',
	'main.c':
		'#include <linux/module.h>\nMODULE_LICENSE("GPL");\nint bp_entry(void);\nint init_module(void) { return bp_entry(); }\n',
	'entry.c': 'int bp_entry(void);\nint bp_entry(void) { return 0; }\n',
	'third.c': 'int bp_third(void);\nint bp_third(void) { return 0; }\n',
};

/** A module of three files, for a test to change: it is built as bprobe is, in less time; but only the harness fails its warnings. */
async function tinyModule() {
	const directory = await mkdtempDisposable(path.join(tmpdir(), 'tiny-'));
	for (const [name, text] of Object.entries(sources)) await writeFile(path.join(directory.path, name), text);
	const entry = path.join(directory.path, 'entry.c');
	const objects = async () => {
		const of = async (name: string) => ({name, at: await sourceOf(path.join(cacheDirectory('objects'), name))});
		const names = (await readdir(cacheDirectory('objects'))).filter(name => name.startsWith('tiny-debian-6.1-'));
		const newest = (await Promise.all(names.map(of))).toSorted((a, b) => b.at - a.at)[0]!;
		return path.join(cacheDirectory('objects'), newest.name, 'tiny');
	};
	return {path: directory.path, entry, objects, [Symbol.asyncDispose]: () => directory.remove()};
}

const contentOf = (from: string): GuestContent => ({
	modules: [{name: 'tiny', from, place: 'tiny', isStrict: true}],
	files: async () => [],
});

async function sourceOf(directory: string): Promise<number> {
	return (await stat(path.join(directory, '.sources.json')).catch(() => undefined))?.mtimeMs ?? 0;
}

/** The built module. */
const fileOf = ({modules}: GuestBuild) => modules.find(({name}) => name === 'tiny')!.file;

const timesOf = async (directory: string) => {
	const names = (await readdir(directory)).filter(name => /^[a-z]+\.o$/.test(name));
	return new Map(
		await Promise.all(names.map(async name => [name, (await stat(path.join(directory, name))).mtimeMs] as const)),
	);
};

test.serial('changing one file compiles one file, with the same result as a full build', async t => {
	t.timeout(20 * 60_000);
	const kernel = await obtainKernel('debian-6.1');
	await using module = await tinyModule();
	const text = `${await readFile(module.entry, 'utf8')}\n/* ${randomUUID()}: nothing like it was built before. */\n`;
	await writeFile(module.entry, text);
	await buildGuest(kernel, contentOf(module.path));
	const objects = await module.objects();
	const before = await timesOf(objects);

	await writeFile(module.entry, `${text}\nint bp_of_a_test(void);\nint bp_of_a_test(void) { return 42; }\n`);
	const changed = await buildGuest(kernel, contentOf(module.path));
	const after = await timesOf(objects);
	const compiled = [...after].filter(([name, time]) => time !== before.get(name)).map(([name]) => name);
	t.deepEqual(compiled.toSorted(), ['entry.o', 'tiny.o']);
	const incremental = await readFile(fileOf(changed));
	t.true(incremental.includes('bp_of_a_test'));

	await rm(path.dirname(objects), {recursive: true});
	await rm(path.dirname(fileOf(changed)), {recursive: true});
	const anew = await buildGuest(kernel, contentOf(module.path));
	t.true((await readFile(fileOf(anew))).equals(incremental), 'the same to the byte');

	// A warning must fail every build, not only the one that compiles its file.
	await writeFile(module.entry, `${text}\n#warning "of a test"\n`);
	for (const time of ['first', 'second'])
		await t.throwsAsync(
			buildGuest(kernel, contentOf(module.path)),
			{instanceOf: BuildError, message: /of a test/},
			time,
		);
	// Errors must name the original file, not the copy.
	await writeFile(module.entry, `${text}\nint x = nosuch;\n`);
	const error = await t.throwsAsync(buildGuest(kernel, contentOf(module.path)), {instanceOf: BuildError});
	t.regex(error?.message ?? '', /^tiny\/entry\.c:\d+:9: error: /m);
	await writeFile(module.entry, text);
	await t.notThrowsAsync(buildGuest(kernel, contentOf(module.path)));
});

test.serial('other parameters of a module make another guest of the same files', async t => {
	t.timeout(20 * 60_000);
	const kernel = await obtainKernel('debian-6.1');
	await using module = await tinyModule();
	const {modules, files} = contentOf(module.path);
	const guestOf = (parameters: string) =>
		buildGuest(kernel, {modules: modules.map(one => ({...one, parameters})), files});
	const [one, other, again] = [await guestOf('n=1'), await guestOf('n=2'), await guestOf('n=1')];
	t.is(fileOf(one), fileOf(other));
	t.not(one.identity, other.identity);
	t.is(one.identity, again.identity);
});

test.serial('a guest is of the paths, modes and contents of its files', async t => {
	t.timeout(20 * 60_000);
	const kernel = await obtainKernel('debian-6.1');
	await using directory = await mkdtempDisposable(path.join(tmpdir(), 'files-'));
	const source = path.join(directory.path, 'one');
	const same = path.join(directory.path, 'same');
	const other = path.join(directory.path, 'other');
	for (const [file, text] of [
		[source, '1'],
		[same, '1'],
		[other, '2'],
	] as const)
		await writeFile(file, text);
	const identityOf = async (file: Partial<PushedFile>) =>
		(await buildGuest(kernel, {modules: [], files: async () => [{path: 'root/a', source, mode: 0o644, ...file}]}))
			.identity;
	const first = await identityOf({});
	t.is(await identityOf({source: same}), first);
	for (const file of [{mode: 0o755}, {path: 'root/b'}, {source: other}])
		t.not(await identityOf(file), first, JSON.stringify(file));
});

test.serial('after a failed first build, the module is built in full', async t => {
	t.timeout(20 * 60_000);
	const kernel = await obtainKernel('debian-6.1');
	await using module = await tinyModule();
	const text = await readFile(module.entry, 'utf8');
	// A new source file forces a build from scratch.
	await writeFile(path.join(path.dirname(module.entry), 'of_a_test.h'), `/* ${randomUUID()} */\n`);
	await writeFile(module.entry, `${text}\nint x = nosuch;\n`);
	await t.throwsAsync(buildGuest(kernel, contentOf(module.path)), {instanceOf: BuildError});
	await writeFile(module.entry, `${text}\n/* ${randomUUID()} */\n`);
	const built = await buildGuest(kernel, contentOf(module.path));
	t.true((await readFile(fileOf(built))).length > 0);
});

test.serial('concurrent builds of one module from different sources do not mix', async t => {
	t.timeout(20 * 60_000);
	const kernel = await obtainKernel('debian-6.1');
	await using module = await tinyModule();
	const text = `${await readFile(module.entry, 'utf8')}\n/* ${randomUUID()} */\n`;
	const script = `import {buildGuest} from ${JSON.stringify(path.join(import.meta.dirname, 'guest-build.ts'))};
		const content = {modules: [{name: 'tiny', from: process.argv[2], place: 'tiny', isStrict: true}], files: async () => []};
		const {modules} = await buildGuest(JSON.parse(process.argv[1]), content);
		console.log(modules[0].file);`;
	const build = (directory: string) =>
		execa(process.execPath, ['--input-type=module', '-e', script, JSON.stringify(kernel), directory]);
	await using other = await tinyModule();
	const functionOf = (name: string) => `${text}\nint ${name}(void);\nint ${name}(void) { return 1; }\n`;
	await writeFile(module.entry, functionOf('bp_one'));
	await writeFile(other.entry, functionOf('bp_other'));
	const files = (await Promise.all([build(module.path), build(other.path), build(module.path)])).map(
		({stdout}) => stdout,
	);
	t.is(files[0], files[2]);
	const [one, two] = await Promise.all(files.slice(0, 2).map(file => readFile(file)));
	t.true(one!.includes('bp_one') && !one!.includes('bp_other'));
	t.true(two!.includes('bp_other') && !two!.includes('bp_one'));
});

test.serial('an incremental build of guest programs equals a full one', async t => {
	t.timeout(10 * 60_000);
	await using directory = await mkdtempDisposable(path.join(tmpdir(), 'guest-'));
	for (const name of ['guest', 'kmod', 'fixtures'])
		await cp(path.join(projectRoot, name), path.join(directory.path, name), {recursive: true});
	const out = path.join(directory.path, 'out');
	const programs = ['init', 'agent-base', 'agent', 'bprobectl', 'libbprobe.a', 'programs/record.bpf.o'];
	const targets = programs.map(name => path.join(out, name));
	const make = async () =>
		(await execa('make', ['-C', path.join(directory.path, 'guest'), '-j2', `OUT=${out}`, ...targets])).stdout;
	await make();
	const header = path.join(directory.path, 'guest/libbprobe/libbprobe.h');
	await writeFile(header, (await readFile(header, 'utf8')).replace('#ifndef', '#define OF_A_TEST 1\n#ifndef'));
	const source = path.join(directory.path, 'guest/agent/core/mark.c');
	await writeFile(source, (await readFile(source, 'utf8')).replace('probe-matrix: %s', 'probe-matrix! %s'));
	const words = await make();
	t.regex(words, /agent\/core\/mark\.o/);
	t.notRegex(words, /-o \S+init\/main\.o|-o \S+core\/json\.o/, 'what includes neither is left alone');
	const contents = async () => Promise.all(programs.map(name => readFile(path.join(out, name))));
	const incremental = await contents();
	t.true(incremental[2]!.includes('probe-matrix! %s'));
	await rm(out, {recursive: true});
	await make();
	const anew = await contents();
	t.deepEqual(
		programs.filter((_, index) => !anew[index]!.equals(incremental[index]!)),
		[],
	);
});
