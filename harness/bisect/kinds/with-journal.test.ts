// SPDX-License-Identifier: GPL-2.0
import {appendFile, cp, mkdir, mkdtempDisposable, symlink, writeFile} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import path from 'node:path';
import test from 'ava';
import {execa} from 'execa';
import {projectRoot} from '../../build/sources.ts';
import {fakeSuite} from '../../test/fake-guest.ts';
import type {Journal, Step} from '../engine/journal.ts';
import {type CommonOptions, Stages, withJournal} from './with-journal.ts';

const cache = await mkdtempDisposable(path.join(tmpdir(), 'run-bisect-'));
process.env.PROBE_MATRIX_CACHE = cache.path;
test.after.always(() => cache.remove());

const {signal} = new AbortController();
const predicate = {suite: fakeSuite, title: 'q', identity: 'q', open: async () => ({fingerprint: '', cells: () => []})};
const optionsOf = (stages: Stages): CommonOptions => ({
	...{predicate, confidence: 0.95, isAnyFailure: false, isolation: 'reuse', signal, isRestart: false},
	...{command: 'bisect', stages},
});
const step: Step = {
	...{type: 'step', stage: 'releases', role: 'step', candidate: {id: '1', title: '1'}, verdict: 'bad'},
	...{failed: 1, asked: 1, prepareMs: 1, ms: 1},
};

/**
 * Runs two stages, of which the first adds a step. Returns the number of steps that the first one found in its journal.
 */
async function run(name: string, second: () => Promise<void>): Promise<number> {
	const stages = new Stages();
	const options = optionsOf(stages);
	const known = await withJournal(['releases', name], options, async (_, journal) => {
		const {size} = journal;
		if (size === 0) journal.addStep(step);
		return size;
	});
	await withJournal(['commits', name], options, second);
	await stages.retire();
	return known;
}

test.serial('a bisect that ends between two stages does not repeat the first', async t => {
	const killed = run('killed', async () => {
		throw new Error('killed');
	});
	await t.throwsAsync(killed, {message: 'killed'});
	t.is(await run('killed', async () => {}), 1);
});

test.serial('a journal made with other sources is not resumed', async t => {
	const known = async (sources: string) =>
		withJournal(['releases', 'sources'], optionsOf(new Stages()), async (_, {size}) => size, {sources});
	const learn = async (_: string, journal: Journal) => journal.addStep(step);
	await withJournal(['releases', 'sources'], optionsOf(new Stages()), learn, {sources: 'today'});
	t.is(await known('today'), 1);
	t.is(await known('tomorrow'), 0);
});

/** Sources, and whether the answers that an unfinished bisect has got depend on them. */
const sources = {
	'guest/agent.c': true,
	'images/kernels.json': true,
	'harness/link/agent.ts': true,
	'harness/qemu/console.ts': true,
	'harness/crash/crash-signatures.ts': true,
	'harness/vm/clock.ts': true,
	'harness/guest/guest-watch.ts': true,
	'harness/engine/judge.ts': true,
	'harness/suites/executables/ktap.ts': true,
	'harness/engine/judge.test.ts': false,
	'harness/bisect/report/bisect-report.ts': false,
	'harness/cli/bisect.ts': false,
};

/** Opens a journal before and after a change of each, by the harness of the copy that it is in. */
const script = `
import {appendFileSync} from 'node:fs';
import {Stages, withJournal} from './harness/bisect/kinds/with-journal.ts';
const predicate = {suite: {name: 'fake'}, title: 'q', identity: 'q', open() {}};
const {signal} = new AbortController();
const options = {predicate, confidence: 0.95, isAnyFailure: false, isRestart: false, signal, stages: new Stages()};
const isKnown = async () =>
	withJournal(['releases', 'copy'], options, async (_, journal) => {
		const {size} = journal;
		if (size === 0) journal.addStep(${JSON.stringify(step)});
		return size > 0;
	});
const known = [await isKnown(), await isKnown()];
for (const file of ${JSON.stringify(Object.keys(sources))}) {
	appendFileSync(file, '\\n');
	known.push(await isKnown());
}
console.log(JSON.stringify(known));
`;

test.serial(
	'a journal is not resumed after a change of a source that decides the answers, but after any other',
	async t => {
		const copy = await mkdtempDisposable(path.join(tmpdir(), 'journal-'));
		t.teardown(() => copy.remove());
		for (const place of ['harness', 'images', 'package.json'])
			await cp(path.join(projectRoot, place), path.join(copy.path, place), {recursive: true});
		await symlink(path.join(projectRoot, 'node_modules'), path.join(copy.path, 'node_modules'));
		for (const file of Object.keys(sources)) {
			await mkdir(path.join(copy.path, path.dirname(file)), {recursive: true});
			await appendFile(path.join(copy.path, file), '');
		}
		await writeFile(path.join(copy.path, 'open.ts'), script);
		const {stdout} = await execa(process.execPath, ['open.ts'], {cwd: copy.path});
		const [first, again, ...known] = JSON.parse(stdout) as readonly boolean[];
		t.deepEqual([first, again], [false, true]);
		for (const [n, [file, decides]] of Object.entries(sources).entries()) t.is(known[n], !decides, file);
	},
);

test.serial('a journal is of one predicate, one direction, and one way to judge', async t => {
	const known = async (what: string, more: Partial<CommonOptions>) =>
		withJournal(['releases', what], {...optionsOf(new Stages()), ...more}, async (_, journal) => {
			const {size} = journal;
			if (size === 0) journal.addStep(step);
			return size;
		});
	t.is(await known('ways', {}), 0);
	const ways: readonly Partial<CommonOptions>[] = [
		{isAnyFailure: true},
		{isFixed: true},
		{confidence: 0.99},
		{predicate: {...predicate, identity: 'r'}},
	];
	for (const way of ways) t.is(await known('ways', way), 0, JSON.stringify(way));
	t.is(await known('other ways', {}), 0);
	for (const way of [{}, ...ways]) t.is(await known('ways', way), 1, JSON.stringify(way));
});

test.serial('--restart forgets what an interrupted bisect has learnt', async t => {
	const known = async (isRestart: boolean) =>
		withJournal(['releases', 'restart'], {...optionsOf(new Stages()), isRestart}, async (_, journal) => {
			const {size} = journal;
			journal.addStep(step);
			return size;
		});
	t.deepEqual([await known(false), await known(false), await known(true), await known(false)], [0, 1, 0, 1]);
});

test.serial('a finished bisect starts over the next time', async t => {
	t.is(await run('done', async () => {}), 0);
	t.is(await run('done', async () => {}), 0);
});
