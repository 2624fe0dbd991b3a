// SPDX-License-Identifier: GPL-2.0
import {mkdtempDisposable} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import path from 'node:path';
import test from 'ava';
import type {Case} from '../engine/case.ts';
import {type Cell, planCells} from '../engine/plan.ts';
import {type Comparison, compareRuns} from '../results/compare/compare-runs.ts';
import {HistoryLog} from '../results/history/history-log.ts';
import {HistoryStore} from '../results/history/store.ts';
import {cellTitle} from '../results/run/cell-name.ts';
import type {CellEvent, Event} from '../results/run/events.ts';
import type {Verdict} from '../results/run/verdict.ts';
import {fakeSuite} from '../test/fake-guest.ts';
import {fakeRun} from '../test/fake-run.ts';
import type {JudgedCell} from './judge-night.ts';
import type {KnownFailure} from './known-failures.ts';
import {type FinishedNight, type NightOptions, pastRuns, runNight} from './run-night.ts';

type End = Verdict | Partial<CellEvent>;
/** How a cell ends in a night when it runs for the n-th time. */
type Module = (title: string, n: number) => End;

const ids = ['module/loads', 'entry/flags', 'return/value', 'race/storm', 'tooling/list'];
const cases = ids.map((id): Case => ({id, needs: [], deadlineMs: 1000, async run() {}}));
const suite = {...fakeSuite, mechanisms: [{id: 'bprobe', features: new Set<string>()}]};
const plan = (kernels: readonly string[]) => planCells({kernels, suite, cases});

type Day = {
	readonly module?: Module;
	readonly kernels?: readonly string[];
	readonly gone?: Readonly<Record<string, 'unavailable' | 'failed'>>;
	readonly known?: readonly KnownFailure[];
	/** Kernels that stop booting, and how many of their cells are left then. */
	readonly dies?: Readonly<Record<string, number>>;
	/** The stage from which they do. */
	readonly diesFrom?: number;
	/** The night is killed after this many cells. */
	readonly diesAfter?: number;
	readonly hours?: number;
};

/** A fake machine that runs nights and keeps their history. */
async function openMachine() {
	const directory = await mkdtempDisposable(path.join(tmpdir(), 'night-'));
	let nights = 0;
	new HistoryLog(directory.path, {onTrouble() {}}).close();
	return {
		async night({
			module = () => 'pass',
			kernels = ['k', 'l'],
			gone = {},
			dies = {},
			known = [],
			diesAfter,
			diesFrom = 0,
			hours = 0,
		}: Day) {
			const id = `night-${String(++nights).padStart(2, '0')}`;
			using store = await HistoryStore.open(directory.path);
			const log = new HistoryLog(directory.path, {
				onTrouble(sentence) {
					throw new Error(sentence);
				},
			});
			let clock = 0;
			let ran = 0;
			const stages: string[][] = [];
			const isolations: string[] = [];
			const runCells: NightOptions['runCells'] = async (cells, {emit, isolation}) => {
				stages.push(cells.map(cellTitle));
				isolations.push(isolation);
				for (const event of stageEvents(cells, {id, module, gone, dies: stages.length > diesFrom ? dies : {}})) {
					if (event.type === 'cell' && ran++ === diesAfter) throw new Error('killed');
					clock += event.type === 'cell' ? event.durationMs : 0;
					emit(event);
				}
			};
			const running = runNight({
				cells: plan(kernels),
				runCells,
				emit: event => log.write(event),
				history: pastRuns(store),
				known,
				hours,
				now: () => clock,
			});
			const [settled] = await Promise.allSettled([running]);
			log.close();
			return {id, stages, isolations, clock, settled, ...(settled.status === 'fulfilled' && {finished: settled.value})};
		},
		open: async () => HistoryStore.open(directory.path),
		[Symbol.asyncDispose]: async () => directory[Symbol.asyncDispose](),
	};
}

function stageEvents(
	cells: readonly Cell[],
	{id, module, gone, dies}: {id: string; module: Module} & Required<Pick<Day, 'gone' | 'dies'>>,
): readonly Event[] {
	const has = cells.filter(({kernel}) => !gone[kernel]);
	const there = [...Map.groupBy(has, ({kernel}) => kernel)].flatMap(([kernel, all]) =>
		all.slice(0, all.length - (dies[kernel] ?? 0)),
	);
	const events = there.map((cell): CellEvent => {
		const end = module(`${cell.kernel} ${cellTitle(cell)}`, cell.repeat);
		const given = typeof end === 'string' ? {verdict: end} : end;
		const {kernel, mechanism: by, case: caseId, repeat} = cell;
		return {
			...{type: 'cell', kernel, mechanism: by, case: caseId, repeat, verdict: 'pass', durationMs: 1000},
			...(given.verdict !== 'pass' && {message: `a ${given.verdict}`}),
			...given,
		};
	});
	const lost = Object.entries(gone).map(([kernel, state]) => ({type: 'kernel', kernel, state, reason: 'x'}) as const);
	const [run, ...ready] = fakeRun({
		id,
		isInterrupted: true,
		cells: Object.fromEntries(there.map(({kernel}) => [`${kernel} a/b`, 'pass'])),
	});
	const died = Object.entries(dies)
		.filter(([kernel]) => has.some(cell => cell.kernel === kernel))
		.map(([kernel, notRun]) => ({type: 'kernel', kernel, state: 'failed', reason: 'y', notRun}) as const);
	const kernels = ready.filter(({type}) => type === 'kernel');
	return [run!, ...lost, ...kernels, ...events, ...died, ...fakeRun({}).slice(-1)];
}

const words = ({kind, kernel, case: id, isNew, since, reruns}: JudgedCell) =>
	[kind, kernel, id, isNew ? 'new' : since, reruns && `${reruns.failed} of ${reruns.total}`].filter(Boolean).join(' ');
const findings = (finished: FinishedNight | undefined) => finished?.report.findings.map(words);
const fails =
	(...titles: readonly string[]): Module =>
	title =>
		titles.includes(title) ? 'fail' : 'pass';
const lists = (comparison: Comparison) =>
	Object.entries(comparison).flatMap(([name, all]) =>
		all.map(each => `${name} ${each.kernel} ${'cells' in each ? each.cells : cellTitle(each)}`),
	);

type Expected = {
	readonly exitCode: number;
	readonly findings?: readonly string[];
	readonly changes?: readonly string[];
};
const flags: KnownFailure = {kernel: 'k', case: 'entry/flags', since: 'night-05', reason: 'a fix is on its way'};

/** Two weeks: what the module does each night, the exit status, and the changes since the last finished night. */
const fortnight: readonly (readonly [what: string, day: Day, expected?: Expected])[] = [
	['the first night', {}, {exitCode: 0}],
	['a quiet one', {}, {exitCode: 0}],
	[
		'a flake that fails once and in none of ten reruns',
		{module: (title, n) => (title === 'l race/storm' && n === 0 ? 'fail' : 'pass')},
		{exitCode: 0, findings: ['flaky l race/storm new 0 of 10'], changes: ['newFailures l race/storm']},
	],
	['quiet again', {}, {exitCode: 0, changes: ['fixed l race/storm']}],
	[
		'a regression',
		{module: fails('k entry/flags')},
		{exitCode: 1, findings: ['regression k entry/flags new 10 of 10'], changes: ['newFailures k entry/flags']},
	],
	[
		'the failure is no longer new',
		{module: fails('k entry/flags')},
		{exitCode: 1, findings: ['regression k entry/flags night-05']},
	],
	[
		'it is listed as known',
		{module: fails('k entry/flags'), known: [flags]},
		{exitCode: 0, findings: ['known k entry/flags night-05']},
	],
	[
		'the night is killed while another regression comes',
		{module: fails('k entry/flags', 'l module/loads'), diesAfter: 7},
	],
	[
		'failures of the killed night are old, others are new',
		{module: fails('k entry/flags', 'l module/loads', 'l tooling/list'), known: [flags]},
		{
			exitCode: 1,
			findings: [
				'known k entry/flags night-05',
				'regression l module/loads night-08 10 of 10',
				'regression l tooling/list new 10 of 10',
			],
			changes: ['newFailures l module/loads', 'newFailures l tooling/list'],
		},
	],
	[
		'all failures are fixed',
		{known: [flags]},
		{exitCode: 0, changes: ['fixed k entry/flags', 'fixed l module/loads', 'fixed l tooling/list']},
	],
	['a kernel vanishes', {gone: {l: 'unavailable'}}, {exitCode: 3, changes: [`lostKernels l ${ids.length}`]}],
	['it comes back', {}, {exitCode: 0, changes: [`regainedKernels l ${ids.length}`]}],
	[
		'a crash that does not recur',
		{module: (title, n) => (title === 'k race/storm' && n === 0 ? 'crash' : 'pass')},
		{exitCode: 1, findings: ['crash k race/storm new 0 of 10'], changes: ['newFailures k race/storm']},
	],
	[
		'a regression in seven of ten reruns, and a kernel that does not build',
		{module: (title, n) => (title === 'k return/value' && n % 10 < 7 ? 'fail' : 'pass'), gone: {l: 'failed'}},
		{
			exitCode: 1,
			findings: ['regression k return/value new 7 of 10'],
			changes: ['newFailures k return/value', 'fixed k race/storm', `lostKernels l ${ids.length}`],
		},
	],
];

test('exit statuses and changes of a fortnight of nights', async t => {
	await using machine = await openMachine();
	let last: FinishedNight | undefined;
	for (const [what, day, expected] of fortnight) {
		const {finished, settled, id} = await machine.night(day);
		if (!expected) {
			t.is(settled.status, 'rejected', what);
			continue;
		}
		if (settled.status === 'rejected') throw settled.reason;
		t.is(finished?.report.exitCode, expected.exitCode as 0, `${id}: ${what}`);
		t.deepEqual(findings(finished), [...(expected.findings ?? [])], `${id}: ${what}`);
		const changes = last && finished ? lists(compareRuns(last.record, finished.record)) : [];
		t.deepEqual(changes.toSorted(), (expected.changes ?? []).toSorted(), `${id}: ${what}`);
		last = finished;
	}
	using store = await machine.open();
	t.deepEqual(
		store.runs().map(({isInterrupted, exitCode}) => (isInterrupted ? 'interrupted' : exitCode)),
		fortnight.map(([, , expected]) => expected?.exitCode ?? 'interrupted'),
	);
	t.is(pastRuns(store).green?.id, 'night-12');
});

test('known failures that pass again, or match no cell, are reported', async t => {
	await using machine = await openMachine();
	const typo = {...flags, case: 'entry/flag'};
	const elsewhere = {...flags, kernel: 'm'};
	const {finished} = await machine.night({known: [flags, typo, elsewhere]});
	t.deepEqual(finished?.report.passAgain, [flags]);
	t.deepEqual(finished?.report.idle, [typo]);
});

test('a known failure does not excuse a crash', async t => {
	await using machine = await openMachine();
	await machine.night({module: fails('k entry/flags'), known: [flags]});
	const {finished} = await machine.night({
		module: title => (title === 'k entry/flags' ? 'crash' : 'pass'),
		known: [flags],
	});
	t.is(finished?.report.exitCode, 1);
	t.is(finished?.record.end?.findings?.length, finished?.report.findings.length);
	t.is(finished?.report.findings[0]?.kind, 'crash');
});

test('a flaky cell that fails more often than before is a regression', async t => {
	await using machine = await openMachine();
	for (let night = 0; night < 20; night++)
		await machine.night({
			module: (title, n) => (night % 10 === 5 && n === 0 && title === 'k race/storm' ? 'fail' : 'pass'),
		});
	const rarely = await machine.night({module: (title, n) => (title === 'k race/storm' && n < 2 ? 'fail' : 'pass')});
	t.deepEqual(findings(rarely.finished), ['flaky k race/storm new 1 of 10']);
	const often = await machine.night({module: (title, n) => (title === 'k race/storm' && n < 9 ? 'fail' : 'pass')});
	t.regex(findings(often.finished)![0]!, /^regression k race\/storm .* 8 of 10$/);
});

test('the remaining time is spent on races, whose failures are confirmed, too', async t => {
	await using machine = await openMachine();
	const hours = 60 / 3600;
	const {stages, clock, finished} = await machine.night({
		hours,
		module: (title, n) => (title === 'k race/storm' && n >= 5 ? 'fail' : 'pass'),
	});
	t.deepEqual(stages[0], [...ids, ...ids]);
	t.deepEqual(stages[1], ['race/storm', 'race/storm']);
	t.deepEqual(
		stages.filter(stage => stage.length === 10 && new Set(stage).size === 1),
		[Array.from({length: 10}, () => 'race/storm')],
	);
	t.true(clock <= hours * 3_600_000, String(clock));
	t.true(clock > hours * 3_600_000 * 0.8, String(clock));
	t.deepEqual(findings(finished), ['regression k race/storm new 10 of 10']);
	const repeats = finished!.record.cells.map(cell => `${cell.kernel} ${cellTitle(cell)} ${cell.repeat}`);
	t.is(new Set(repeats).size, repeats.length);
});

test('a round of races that would end too late is not begun', async t => {
	for (const seconds of [50, 51, 52, 53]) {
		await using machine = await openMachine();
		const {clock} = await machine.night({hours: seconds / 3600});
		t.true(clock <= seconds * 1000, `${clock} of ${seconds}`);
		t.true(clock > seconds * 800, `${clock} of ${seconds}`);
	}
});

test('a night is compared with nights, not with runs in between', async t => {
	await using directory = await mkdtempDisposable(path.join(tmpdir(), 'night-'));
	for (const [id, command] of [
		['1', 'nightly'],
		['2', undefined],
	] as const) {
		const log = new HistoryLog(directory.path, {onTrouble() {}});
		const run = {...(command && {command})};
		for (const event of fakeRun({id, run, cells: {'k a/b': 'pass'}})) log.write(event);
		log.close();
	}
	// A night that another process has begun.
	const underWay = new HistoryLog(directory.path, {onTrouble() {}});
	t.teardown(() => underWay.close());
	const [begin, ...rest] = fakeRun({id: '3', run: {command: 'nightly'}, cells: {'k a/b': 'fail', 'k a/c': 'pass'}});
	for (const event of [begin!, ...rest.slice(0, -2)]) underWay.write(event);
	using store = await HistoryStore.open(directory.path);
	const {last, green} = pastRuns(store);
	t.deepEqual([store.runs().length, last?.id, green?.id], [3, '1', '1']);
});

test('a crash that comes every night is new once, whatever its addresses are', async t => {
	await using machine = await openMachine();
	const crashAt = (address: string): Module => {
		const message = `BUG: unable to handle page fault at ${address}`;
		return title => (title === 'k entry/flags' ? {verdict: 'crash', message} : 'pass');
	};
	const kinds = [];
	for (const address of ['ffffffffc0123450', 'ffffffffc0765430']) {
		const {finished} = await machine.night({module: crashAt(address)});
		kinds.push(finished?.report.findings.map(({kind}) => kind));
	}
	t.deepEqual(kinds, [['crash'], ['regression']]);
});

test('without --hours races are not repeated', async t => {
	await using machine = await openMachine();
	t.is((await machine.night({})).stages.length, 1);
});

test('inconclusive cells make the exit status 3', async t => {
	await using machine = await openMachine();
	const {finished} = await machine.night({module: title => (title === 'k race/storm' ? 'inconclusive' : 'pass')});
	t.is(finished?.report.exitCode, 3);
});

for (const [state, exitCode] of [
	['failed', 1],
	['unavailable', 3],
] as const) {
	test(`a kernel that ran before and is ${state} now makes the exit status ${exitCode}; a new one does not`, async t => {
		await using machine = await openMachine();
		const first = await machine.night({kernels: ['k', 'l', 'm'], gone: {m: state}});
		t.is(first.finished?.report.exitCode, 0);
		t.is(first.finished?.report.lost.length, 1);
		const second = await machine.night({gone: {l: state}});
		t.is(second.finished?.report.exitCode, exitCode);
	});
}

test('a regression since the last green night stays a regression, even if it fails only sometimes', async t => {
	await using machine = await openMachine();
	const module: Module = (title, n) => (title === 'k return/value' && n % 10 < 7 ? 'fail' : 'pass');
	for (let night = 0; night < 3; night++) await machine.night({});
	await machine.night({module});
	const {finished} = await machine.night({module});
	t.deepEqual(findings(finished), ['regression k return/value night-04 7 of 10']);
});

test('a kernel that stops booting halfway is lost, not a regression, and is not tried again', async t => {
	await using machine = await openMachine();
	await machine.night({});
	const dies: Day = {hours: 60 / 3600, module: fails('l entry/flags'), dies: {l: 3}};
	const {finished, stages} = await machine.night(dies);
	t.is(finished?.report.exitCode, 1, 'the regression on it is one all the same');
	t.like(finished?.report.lost[0], {kernel: 'l', notRun: 3, isRegression: false, isNews: true});
	t.like(finished?.record.end, {notRun: 3, counts: {fail: 1, infra: 0}});
	t.true(
		stages.slice(1).every(stage => stage.length === 1),
		'only the races of the other one follow',
	);
	const quiet = await machine.night({dies: {l: 3}});
	t.is(quiet.finished?.report.exitCode, 3);
	t.is(quiet.finished?.report.unproved.length, 0);
});

test('a kernel that stops booting during repeats of races is not tried again', async t => {
	await using machine = await openMachine();
	const {finished, stages} = await machine.night({hours: 60 / 3600, dies: {l: 1}, diesFrom: 1});
	t.deepEqual(
		stages.slice(1).map(({length}) => length),
		[2, ...stages.slice(2).map(() => 1)],
	);
	t.like(finished?.report.lost[0], {kernel: 'l', notRun: 1, isRegression: false});
	t.is(finished?.report.exitCode, 3);
});

test('each rerun of a new failure gets a fresh guest; the matrix and the repeats of races share theirs', async t => {
	await using machine = await openMachine();
	await machine.night({});
	const {stages, isolations} = await machine.night({hours: 60 / 3600, module: fails('k entry/flags')});
	t.deepEqual(stages[1], Array(10).fill('entry/flags'));
	t.deepEqual(isolations.slice(0, 3), ['reuse', 'restore', 'reuse']);
});
