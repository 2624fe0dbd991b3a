// SPDX-License-Identifier: GPL-2.0
import {mkdir, mkdtempDisposable, writeFile} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import path from 'node:path';
import test, {type ExecutionContext} from 'ava';
import type {GuestBuild} from '../../build/guest-build.ts';
import {runCell} from '../../engine/run-cell.ts';
import type {GuestFile} from '../../guest/guest.ts';
import {bprobeSuite} from '../../suites/bprobe/suite.ts';
import {FakeGuest, fakeSuite} from '../../test/fake-guest.ts';
import {modulePredicate} from './module-predicate.ts';
import {casesPredicate, scriptPredicate} from './predicate.ts';

const {signal} = new AbortController();
// casesPredicate and scriptPredicate read only the kernel's id.
const guestBuild = {kernel: {id: 'k'}} as unknown as GuestBuild;

async function fileWith(t: ExecutionContext, text: string) {
	const {path: directory, remove} = await mkdtempDisposable(path.join(tmpdir(), 'predicate-'));
	t.teardown(remove);
	const file = path.join(directory, 'ask.sh');
	await writeFile(file, text);
	return file;
}

async function answer(file: string, code: number) {
	const predicate = await scriptPredicate(fakeSuite, file, {deadlineMs: 1000});
	const open = await predicate.open(guestBuild);
	if (!('cells' in open)) throw new Error('A script is asked in a guest.');
	const guest = new FakeGuest();
	const pushed: GuestFile[] = [];
	guest.push = async (given?: GuestFile) => void pushed.push(given!);
	guest.exec = async () => ({code, stdout: 'first\n', stderr: 'why not\n'});
	return {outcome: await runCell(open.cells(1)[0]!, guest, {signal}), pushed};
}

for (const [code, verdict] of [
	[0, 'pass'],
	[125, 'skip'],
	[1, 'fail'],
	[139, 'fail'],
] as const) {
	test(`a script that exits with ${code} gives ${verdict}`, async t => {
		const {outcome} = await answer(await fileWith(t, '#!/bin/sh\n'), code);
		t.is(outcome.verdict, verdict);
		if (code !== 0) t.regex(outcome.message ?? '', new RegExp(`^ask.sh ended with ${code}`));
	});
}

test('a script is pushed unchanged; one without a shebang gets /bin/sh', async t => {
	const {pushed} = await answer(await fileWith(t, '#!/bin/ash\ntrue\n'), 0);
	t.is(pushed[0]?.data.toString(), '#!/bin/ash\ntrue\n');
	t.is(pushed[0]?.mode, 0o755);
	const {pushed: bare} = await answer(await fileWith(t, 'true\n'), 0);
	t.is(bare[0]?.data.toString(), '#!/bin/sh\ntrue\n');
});

test('other cases and other mechanisms are other predicates', async t => {
	const identity = async (match: string, mechanisms: readonly string[]) =>
		(await casesPredicate(bprobeSuite, [match], mechanisms)).identity;
	const identities = [
		await identity('entry/all-registers[c]', ['kprobe']),
		await identity('entry/all-registers[c]', ['kprobe-multi']),
		await identity('entry/all-registers[asm]', ['kprobe']),
	];
	t.is(new Set(identities).size, identities.length);
	t.is(await identity('entry/all-registers[c]', ['kprobe']), identities[0]!);
});

test('the title names cases, mechanisms and the number of cells', async t => {
	const title = async (...mechanisms: readonly string[]) =>
		(await casesPredicate(bprobeSuite, ['entry/all-registers[c]'], mechanisms)).title;
	t.is(await title(), 'entry/all-registers[c] (1 cell)');
	t.is(await title('kprobe', 'ftrace'), 'entry/all-registers[c] by kprobe, ftrace (2 cells)');
});

test('a changed script is another predicate', async t => {
	const [one, two] = [await fileWith(t, 'true\n'), await fileWith(t, 'false\n')];
	const identity = async (file: string) => (await scriptPredicate(fakeSuite, file, {deadlineMs: 1000})).identity;
	t.is(await identity(one), await identity(one));
	t.not(await identity(one), await identity(two));
});

test('a module is another predicate after a change of any of its sources; of what is built from them it is not', async t => {
	const directory = path.dirname(await fileWith(t, ''));
	const inside = (name: string) => path.join(directory, name);
	await mkdir(inside('deep'));
	const sources = ['Kbuild', 'Makefile', 'deep/a.c', 'a.h', 'a.S'];
	for (const name of [...sources, 'a.o', 'a.ko']) await writeFile(inside(name), '');
	const identity = async () => (await modulePredicate(fakeSuite, directory, {signal})).identity;
	const seen = [await identity()];
	for (const name of sources) {
		await writeFile(inside(name), 'changed');
		seen.push(await identity());
	}
	t.is(new Set(seen).size, sources.length + 1);
	for (const name of ['a.o', 'a.ko']) await writeFile(inside(name), 'changed');
	t.is(await identity(), seen.at(-1)!);
});

test('each cell is planned once per repeat', async t => {
	const open = await (await casesPredicate(bprobeSuite, ['entry/flags', 'module/loads'])).open(guestBuild);
	if (!('cells' in open)) throw new Error('Cases are asked in a guest.');
	t.is(open.cells(3).length, 3 * open.cells(1).length);
	t.true(open.cells(1).length > 1);
});

test('a predicate that cannot run is a one-line error', async t => {
	await t.throwsAsync(casesPredicate(bprobeSuite, ['entry/flaks']), {
		name: 'UsageError',
		message: /did you mean entry\/flags/,
	});
	await t.throwsAsync(scriptPredicate(fakeSuite, '/nowhere/ask', {deadlineMs: 1}), {
		message: /\/nowhere\/ask cannot be read: ENOENT/,
	});
	const file = await fileWith(t, 'true\n');
	const nothing = path.join(path.dirname(file), 'nothing');
	await mkdir(nothing);
	await t.throwsAsync(modulePredicate(fakeSuite, nothing, {signal}), {
		message: /holds no module: it has neither a Kbuild/,
	});
});

test('modules are loaded one after the other, and unloaded in the opposite order', async t => {
	const directory = path.dirname(await fileWith(t, ''));
	const inside = (name: string) => path.join(directory, name);
	for (const name of ['module', 'tree']) await mkdir(inside(name));
	await writeFile(inside('module/Kbuild'), 'obj-m := first.o second.o\n');
	// As kbuild does; what is in an object does not matter here.
	await writeFile(
		inside('tree/Makefile'),
		'modules:\n\tfor name in first second; do echo | $(CC) -x c -c -o $(M)/$$name.ko -; done\n',
	);
	await writeFile(inside('config'), '');
	const kernel = {id: 'k', buildTree: inside('tree'), config: inside('config')};
	const predicate = await modulePredicate(fakeSuite, inside('module'), {signal});
	const open = await predicate.open({kernel} as unknown as GuestBuild);
	if (!('cells' in open)) throw new Error(open.message);
	const guest = new FakeGuest();
	const commands: string[] = [];
	guest.exec = async command => {
		commands.push(command);
		return {code: 0, stdout: '', stderr: ''};
	};
	t.is((await runCell(open.cells(1)[0]!, guest, {signal})).verdict, 'pass');
	t.deepEqual(commands, ['insmod /root/first.ko', 'insmod /root/second.ko', 'rmmod second', 'rmmod first']);
});
