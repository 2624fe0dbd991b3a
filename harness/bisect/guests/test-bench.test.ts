// SPDX-License-Identifier: GPL-2.0
import {mkdir, mkdtempDisposable, writeFile} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import path from 'node:path';
import test, {type ExecutionContext} from 'ava';
import type {GuestBuild} from '../../build/guest-build.ts';
import {BuildError, UsageError} from '../../host/errors.ts';
import {KernelUnavailableError} from '../../kernels/unavailable.ts';
import type {CellEvent, Event} from '../../results/run/events.ts';
import {bprobeSuite} from '../../suites/bprobe/suite.ts';
import {fakeSuite} from '../../test/fake-guest.ts';
import {CandidateError, HostFaultError} from '../engine/candidate.ts';
import {modulePredicate} from './module-predicate.ts';
import {casesPredicate, type Predicate} from './predicate.ts';
import {GuestTestBench, type GuestTestBenchOptions} from './test-bench.ts';

const {signal} = new AbortController();

/** A module, and kernels that differ only in a header; `make` is the recipe of their `modules` target. */
async function openWorld(t: ExecutionContext, {make = '\t$(CC) -I. -c $(M)/m.c -o $(M)/m.ko\n'} = {}) {
	const {path: directory, remove} = await mkdtempDisposable(path.join(tmpdir(), 'test-bench-'));
	t.teardown(remove);
	const write = async (name: string, text: string) => {
		const file = path.join(directory, name);
		await mkdir(path.dirname(file), {recursive: true});
		await writeFile(file, text);
		return file;
	};
	await write('module/Kbuild', 'obj-m := m.o\n');
	await write('module/m.c', '#include "flag.h"\nint flag = FLAG;\n');
	const bzImage = await write('bzImage', 'an image');
	const config = await write('config', '');
	const payloadOf = async (id: string): Promise<GuestBuild> => {
		await write(`${id}/Makefile`, `modules:\n${make}`);
		await write(`${id}/flag.h`, id === 'without' ? '' : `#define FLAG ${id.length}\n`);
		// Nothing else of a kernel is read before it boots.
		const kernel = {id, bzImage, config, buildTree: path.join(directory, id)} as unknown as GuestBuild['kernel'];
		return {kernel, initramfs: '', content: fakeSuite.content, files: [], identity: '', modules: []};
	};
	const testBenchOf = (predicate: Predicate, more: Partial<GuestTestBenchOptions> = {}) =>
		new GuestTestBench({
			predicate,
			makeShared: async () => {},
			reference: {id: 'one', title: 'one'},
			make: async ({id}) => ({guestBuild: await payloadOf(id), isReused: false}),
			directory,
			signal,
			...more,
		});
	const fingerprint = async (predicate: Predicate, id: string) =>
		(await testBenchOf(predicate).prepare({id, title: id})).fingerprint;
	const open = async (predicate: Predicate, id: string) => predicate.open(await payloadOf(id));
	return {fingerprint, testBenchOf, open, module: path.join(directory, 'module')};
}

test('for a module, kernels that differ only in a header have different fingerprints', async t => {
	const {fingerprint, module} = await openWorld(t);
	const predicate = await modulePredicate(fakeSuite, module, {signal});
	const of = async (id: string) => fingerprint(predicate, id);
	t.is(await of('one'), await of('one'));
	t.not(await of('one'), await of('three'), 'it becomes another module');
	t.not(await of('one'), await of('without'), 'it does not build');
});

const faults: readonly (readonly [what: string, make: string, words: RegExp])[] = [
	['a full disk', '\t@echo "m.o: No space left on device" >&2; exit 1\n', /no space left/],
	['a compiler that is missing', '\t@no-such-compiler\n', /no-such-compiler/],
	['a compiler that is killed', '\t@echo "gcc: fatal error: Killed signal terminated program cc1"; exit 1\n', /Killed/],
	['no module at all', '\t@true\n', /produced no \.ko/],
];

for (const [what, make, words] of faults) {
	test(`${what} is not a verdict on a kernel`, async t => {
		const {fingerprint, module} = await openWorld(t, {make});
		const predicate = await modulePredicate(fakeSuite, module, {signal});
		await t.throwsAsync(fingerprint(predicate, 'one'), {instanceOf: UsageError, message: words});
	});
}

test('the first compiler error is the symptom', async t => {
	const make =
		'\t@echo "m.c:1: error: no such thing"; for n in `seq 100`; do echo "m.c:2: error: another"; done; exit 1\n';
	const {open, module} = await openWorld(t, {make});
	const answer = await open(await modulePredicate(fakeSuite, module, {signal}), 'one');
	t.is('message' in answer && answer.message, 'the module does not build: m.c:1: error: no such thing');
});

test('a module that builds with warnings passes the build', async t => {
	const make = '\t@echo "WARNING: modpost: missing MODULE_LICENSE()"\n\t$(CC) -I. -c $(M)/m.c -o $(M)/m.ko\n';
	const {open, module} = await openWorld(t, {make});
	t.true('cells' in (await open(await modulePredicate(fakeSuite, module, {signal}), 'one')));
});

test('a failed build of shared parts is not a CandidateError', async t => {
	const {testBenchOf} = await openWorld(t);
	const ours = new BuildError('guest does not build: error: no');
	const testBench = testBenchOf(await casesPredicate(bprobeSuite, ['entry/flags']), {
		async makeShared() {
			throw ours;
		},
	});
	t.is(await t.throwsAsync(testBench.prepare({id: 'one', title: 'one'})), ours);
});

test('a kernel that does not build is a CandidateError', async t => {
	const {testBenchOf} = await openWorld(t);
	const testBench = testBenchOf(await casesPredicate(bprobeSuite, ['entry/flags']), {
		async make() {
			throw new BuildError('commit 1 does not build: make ended with 2.\nm.c:1: error: no');
		},
	});
	const words = 'does not build: m.c:1: error: no';
	await t.throwsAsync(testBench.prepare({id: 'one', title: 'one'}), {instanceOf: CandidateError, message: words});
});

test('a kernel that cannot be had is a CandidateError, and any other error is not', async t => {
	const {testBenchOf} = await openWorld(t);
	const predicate = await casesPredicate(bprobeSuite, ['entry/flags']);
	const failing = (error: Error) =>
		testBenchOf(predicate, {
			async make() {
				throw error;
			},
		}).prepare({id: 'one', title: 'one'});
	const unavailable = new KernelUnavailableError('debian-6.1', {reason: 'no mirror', advice: 'Set a mirror.'});
	await t.throwsAsync(failing(unavailable), {instanceOf: CandidateError, message: /no mirror/});
	const other = new UsageError('a wrong option');
	t.is(await t.throwsAsync(failing(other)), other);
});

test('a kernel for which a module does not build fails each attempt, without a guest', async t => {
	const {testBenchOf, module} = await openWorld(t);
	const testBench = testBenchOf(await modulePredicate(fakeSuite, module, {signal}), {
		async run() {
			throw new Error('No guest is needed.');
		},
	});
	const attempts = await testBench.ask({id: 'without', title: 'without'}, 3);
	t.is(attempts.length, 3);
	for (const {end, symptoms, message} of attempts) {
		t.is(end, 'fail');
		t.regex(symptoms.join(), /^build: .*FLAG/);
		t.regex(message!, /^the module does not build: m\.c:2:\d+: error: .*FLAG/);
	}
});

/** How the guests of a kernel end: they do not boot, or each cell gets this verdict. */
type Boots = 'no' | CellEvent['verdict'];

/**
 * Asks about `one` on a host whose guests end like this, by kernel and time; the good end is `good`. `asked` tells which
 * kernels were booted, and for how many cells.
 */
async function askAbout(
	t: ExecutionContext,
	id: string,
	boots: (kernel: string, n: number) => Boots,
	{besides = []}: {besides?: readonly Pick<CellEvent, 'case' | 'verdict'>[]} = {},
) {
	const {testBenchOf} = await openWorld(t);
	const asked: string[] = [];
	const testBench = testBenchOf(await casesPredicate(bprobeSuite, ['entry/flags[asm]']), {
		reference: {id: 'good', title: 'good'},
		async run({cells, emit}) {
			const [{kernel}] = cells as [(typeof cells)[number]];
			const end = boots(kernel, asked.filter(each => each.startsWith(kernel)).length);
			asked.push(`${kernel} ${cells.length}`);
			const events: readonly Event[] =
				end === 'no'
					? [{type: 'kernel', kernel, state: 'failed', reason: 'panic\nits console', notRun: cells.length}]
					: cells.map(({mechanism, case: caseId, target, repeat}) => ({
							...{type: 'cell', kernel, mechanism, case: caseId, repeat, verdict: end, durationMs: 1},
							...(target !== undefined && {target}),
						}));
			for (const event of events) emit(event);
			for (const each of besides)
				emit({...{type: 'cell', kernel, mechanism: 'bprobe', repeat: 0, durationMs: 1}, ...each});
			return {end: {type: 'end', counts: {} as never, durationMs: 1, exitCode: 0}, consoles: ''};
		},
	});
	const asking = testBench.ask({id, title: `Linux ${id}`}, 3);
	const [settled] = await Promise.allSettled([asking]);
	return {settled, asked, testBench};
}

test('a kernel that boots is asked once, and gives as many answers as were asked for', async t => {
	const {settled, asked} = await askAbout(t, 'one', () => 'crash');
	t.deepEqual(asked, ['one 3']);
	t.is(settled.status === 'fulfilled' && settled.value.filter(({end}) => end === 'fail').length, 3);
});

test('a failed attempt names the console of the guest that it failed in, any other that of the last guest', async t => {
	const {testBenchOf} = await openWorld(t);
	const opened: string[] = [];
	const testBench = testBenchOf(await casesPredicate(bprobeSuite, ['entry/flags[asm]']), {
		async run({cells, consoles, emit}) {
			const ends = ['pass', 'crash', 'crash', 'fail'] as const;
			for (const [n, {kernel, mechanism, case: caseId, target, repeat}] of cells.entries()) {
				const verdict = ends[n]!;
				// Each crash costs a guest.
				if (n === 0 || ends[n - 1] === 'crash') opened.push(consoles!.consolePath(kernel));
				emit({
					...{type: 'cell', kernel, mechanism, case: caseId, repeat, verdict, durationMs: 1},
					...(target !== undefined && {target}),
					...(verdict === 'crash' && {consolePath: opened.at(-1)!}),
				});
			}
			return {end: {type: 'end', counts: {} as never, durationMs: 1, exitCode: 1}, consoles: ''};
		},
	});
	const attempts = await testBench.ask({id: 'one', title: 'one'}, 4);
	t.is(new Set(opened).size, 3, 'each guest has a file of its own');
	t.deepEqual(
		attempts.map(({end, consolePath}) => `${end} ${opened.indexOf(consolePath!)}`),
		['pass 2', 'fail 0', 'fail 1', 'fail 2'],
	);
});

test('cells that were not asked for, as the leak scan, decide nothing', async t => {
	const besides = [{case: 'entry/leak-scan', verdict: 'fail'}] as const;
	const {settled} = await askAbout(t, 'one', () => 'pass', {besides});
	t.is(settled.status === 'fulfilled' && settled.value.filter(({end}) => end === 'pass').length, 3);
});

test('a kernel that boots only when it is tried again is not at fault', async t => {
	const {settled, asked} = await askAbout(t, 'one', (_, n) => (n === 0 ? 'no' : 'pass'));
	t.deepEqual(asked, ['one 3', 'one 3']);
	t.is(settled.status === 'fulfilled' && settled.value.filter(({end}) => end === 'pass').length, 3);
});

test('a kernel that does not boot on a host on which another one does is a CandidateError', async t => {
	const {settled, asked} = await askAbout(t, 'one', kernel => (kernel === 'one' ? 'no' : 'pass'));
	t.deepEqual(asked, ['one 3', 'one 3', 'good 1']);
	t.like(settled, {status: 'rejected', reason: {message: 'does not boot: panic'}});
	t.true(settled.status === 'rejected' && settled.reason instanceof CandidateError);
});

for (const [what, others] of [
	['boots no other kernel', 'no'],
	['gives no answer in the guest of another kernel', 'infra'],
] as const) {
	test(`a host that ${what} is at fault, not the kernel that does not boot on it`, async t => {
		const {settled} = await askAbout(t, 'one', kernel => (kernel === 'one' ? 'no' : others));
		t.true(settled.status === 'rejected' && settled.reason instanceof HostFaultError, String(settled.status));
		t.like(settled, {reason: {message: 'Linux one does not boot: panic'}});
	});
}

test('a good end that never booted says nothing about itself: the host is at fault', async t => {
	const {settled, asked} = await askAbout(t, 'good', () => 'no');
	t.deepEqual(asked, ['good 3', 'good 3']);
	t.true(settled.status === 'rejected' && settled.reason instanceof HostFaultError);
});

test('a good end that no longer boots on a host on which it did is a CandidateError', async t => {
	const {settled, testBench} = await askAbout(t, 'good', (_, n) => (n === 0 ? 'pass' : 'no'));
	t.is(settled.status, 'fulfilled');
	await t.throwsAsync(testBench.ask({id: 'good', title: 'good'}, 1), {instanceOf: CandidateError});
});
