// SPDX-License-Identifier: GPL-2.0
import {mkdir, mkdtempDisposable, writeFile} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import path from 'node:path';
import test, {type ExecutionContext} from 'ava';
import type {GuestBuild} from '../../build/guest-build.ts';
import {BuildError, UsageError} from '../../host/errors.ts';
import {bprobeSuite} from '../../suites/bprobe/suite.ts';
import {fakeSuite} from '../../test/fake-guest.ts';
import {CandidateError} from '../engine/candidate.ts';
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
