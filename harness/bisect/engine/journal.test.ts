// SPDX-License-Identifier: GPL-2.0
import {appendFile, mkdtempDisposable, readFile, writeFile} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import path from 'node:path';
import test from 'ava';
import {traceSyncs} from '../../test/trace-syncs.ts';
import {Journal, type Step} from './journal.ts';

const step = (id: string, verdict: Step['verdict'] = 'good'): Step => ({
	...{type: 'step', stage: 'commits', role: 'step', candidate: {id, title: id}, verdict},
	...{failed: 0, asked: 3, prepareMs: 1, ms: 1},
});

test('each step is on the disk before the next one begins', async t => {
	await using work = await mkdtempDisposable(path.join(tmpdir(), 'journal-'));
	const file = path.join(work.path, 'journal.jsonl');
	const script = `import {Journal} from ${JSON.stringify(path.join(import.meta.dirname, 'journal.ts'))};
		using journal = new Journal(process.argv[1]);
		for (const step of JSON.parse(process.argv[2])) journal.addStep(step);`;
	const steps = [step('1'), step('2')];
	t.deepEqual(await traceSyncs(script, [file, JSON.stringify(steps)]), [`sync ${file}`, `sync ${file}`]);
});

for (const [what, line] of [
	['no verdict', JSON.stringify(step('2', 'maybe' as Step['verdict']))],
	['no end of an attempt', '{"type":"attempts","key":"x","attempts":[{"end":"so"}],"ms":1}'],
	['no JSON', '{"type":"st'],
] as const)
	test(`a line with ${what} is dropped with what was learnt after it`, async t => {
		await using work = await mkdtempDisposable(path.join(tmpdir(), 'journal-'));
		const file = path.join(work.path, 'journal.jsonl');
		{
			using journal = new Journal(file);
			journal.addStep(step('1'));
		}
		const whole = await readFile(file, 'utf8');
		await appendFile(file, `${line}\n${JSON.stringify(step('3'))}\n`);
		{
			using journal = new Journal(file);
			t.is(journal.size, 1);
			t.is(journal.step(step('1'))?.verdict, 'good');
		}
		t.is(await readFile(file, 'utf8'), whole);
	});

test('a journal with letters beyond ASCII is whole when it is opened again', async t => {
	await using work = await mkdtempDisposable(path.join(tmpdir(), 'journal-'));
	const file = path.join(work.path, 'journal.jsonl');
	const named = {...step('1'), candidate: {id: '1', title: 'änderung für größere Tabellen'}};
	for (const id of ['1', '2', '3']) {
		using journal = new Journal(file);
		journal.addStep({...named, candidate: {...named.candidate, id}});
	}
	using journal = new Journal(file);
	t.is(journal.size, 3);
});

test('attempts and their time add up, the first preparation stays, also when the journal is opened again', async t => {
	await using work = await mkdtempDisposable(path.join(tmpdir(), 'journal-'));
	const file = path.join(work.path, 'journal.jsonl');
	const known = (journal: Journal) =>
		['1', '2'].map(id => [
			journal.attempts(step(id)).map(({end}) => end),
			journal.askedMs(step(id)),
			journal.prepared(step(id))?.ms,
		]);
	const pass = {end: 'pass', symptoms: []} as const;
	const whole = [
		[['pass', 'fail', 'pass'], 12, 7],
		[[], 0, undefined],
	];
	{
		using journal = new Journal(file);
		journal.addPrepared(step('1'), {ms: 7, isReused: false});
		journal.addPrepared(step('1'), {ms: 0, isReused: true});
		journal.addAttempts(step('1'), [pass, {end: 'fail', symptoms: ['x']}], 5);
		journal.addAttempts(step('1'), [pass], 7);
		t.deepEqual(known(journal), whole);
	}
	{
		using journal = new Journal(file);
		t.deepEqual(known(journal), whole);
	}
	await writeFile(file, `x${await readFile(file, 'utf8')}`);
	using journal = new Journal(file);
	t.deepEqual(known(journal), [whole[1], whole[1]], 'after a damaged first line, nothing is known');
	t.is(await readFile(file, 'utf8'), '');
});
