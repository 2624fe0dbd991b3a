// SPDX-License-Identifier: GPL-2.0
/**
 * Plants edits that make the project worse into a copy of the checkout, and prints for each whether it was noticed: by the
 * cells or tests that its list names, by others of the matrix, or by nothing. Exits with 1 if an edit survived, or no
 * longer applies. Without a kernel, the edits that need it are not run.
 *
 *   npx node scripts/mutants.ts [--match PATTERN]… [--history DIR]
 *
 * Edits that different cells must notice share a run. What these did not notice runs alone, first with its own cells,
 * then with the whole matrix. To be sure of one edit, choose it alone by --match.
 */
import {readFile} from 'node:fs/promises';
import path from 'node:path';
import {Command} from 'commander';
import {projectRoot} from '../harness/build/sources.ts';
import {interruptible} from '../harness/cli/interrupt.ts';
import {repeatable} from '../harness/cli/option-values.ts';
import {openConsoles} from '../harness/engine/consoles.ts';
import {describeRun} from '../harness/engine/describe-run.ts';
import {planCells} from '../harness/engine/plan.ts';
import {findAccelerator} from '../harness/host/accelerator.ts';
import {findQemu} from '../harness/host/qemu.ts';
import {say} from '../harness/host/say.ts';
import {fallbackKernel} from '../harness/kernels/default-kernels.ts';
import {HistoryLog} from '../harness/results/history/history-log.ts';
import {caseTitle, countVerdicts} from '../harness/results/run/cell-name.ts';
import {bprobeSuite} from '../harness/suites/bprobe/suite.ts';
import {allEdits} from './mutants/all.ts';
import type {Edit} from './mutants/edits.ts';
import {edited, groupEdits, isTest, type Wanted} from './mutants/groups.ts';
import {type Noticed, PlantedCopy} from './mutants/planted-copy.ts';

type Outcome = {
	readonly edit: Edit;
	readonly verdict: 'caught' | 'caught elsewhere' | 'survived' | 'equivalent' | 'not run' | 'does not apply';
	readonly by: string;
};

const program = new Command('mutants')
	.description('Plants edits that make the project worse, and tells which of them are noticed.')
	.addOption(repeatable('--match <pattern>', 'only edits whose name or file matches', 'all edits'))
	.option('--history <dir>', 'keep the score in this directory of past runs')
	.parse();
const options = program.opts<{match: readonly string[]; history?: string}>();
const chosen = allEdits.filter(({name, file}) => isChosen(name) || isChosen(file));
if (chosen.length === 0) program.error(`No edit matches ${options.match.join(', ')}.`);

const startedAt = performance.now();
const signal = interruptible({isQuiet: true});
const cases = await bprobeSuite.cases();
const outcomes: Outcome[] = [];
try {
	await judgeAll();
	process.stdout.write(table());
	await keepScore();
	process.exitCode = outcomes.some(({verdict}) => verdict === 'survived' || verdict === 'does not apply') ? 1 : 0;
} catch (error) {
	if (!signal.aborted) throw error;
}

function isChosen(text: string): boolean {
	return options.match.length === 0 || options.match.some(pattern => path.matchesGlob(text, pattern));
}

async function judgeAll(): Promise<void> {
	const usable: Edit[] = [];
	for (const edit of chosen) {
		const text = await readFile(path.join(projectRoot, edit.file), 'utf8').catch(() => '');
		if (edited(edit, text) === undefined) tell({edit, verdict: 'does not apply', by: edit.file});
		else if (edit.equivalent !== undefined) tell({edit, verdict: 'equivalent', by: edit.equivalent});
		else usable.push(edit);
	}
	await using copy = await PlantedCopy.create(signal);
	await judgeByTests(
		copy,
		usable.filter(edit => edit.catchers.some(isTest)),
	);
	await judgeByCells(
		copy,
		usable.filter(edit => !edit.catchers.some(isTest)).map(edit => ({edit, cells: cellsOf(edit, edit.catchers)})),
	);
}

function kernelOf({kernel}: Edit): string {
	return kernel ?? fallbackKernel;
}

function cellsOf(edit: Edit, match: readonly string[]): readonly string[] {
	return planCells({kernels: [kernelOf(edit)], suite: bprobeSuite, cases, match}).map(caseTitle);
}

/** Tests may look at any source, so these edits do not share runs. */
async function judgeByTests(copy: PlantedCopy, edits: readonly Edit[]): Promise<void> {
	if (edits.length === 0) return;
	const files = [...new Set(edits.flatMap(({catchers}) => catchers))];
	const failing = await copy.runTests(files);
	if (failing.length > 0) throw new Error(`These tests fail without any edit: ${failing.join('; ')}.`);
	for (const edit of edits) {
		await copy.plant([edit]);
		const [by] = await copy.runTests(edit.catchers);
		tell(by === undefined ? {edit, verdict: 'survived', by: ''} : {edit, verdict: 'caught', by});
	}
	await copy.plant([]);
}

async function judgeByCells(copy: PlantedCopy, wanted: readonly Wanted[]): Promise<void> {
	const runnable: Wanted[] = [];
	for (const [kernel, edits] of Map.groupBy(wanted, ({edit}) => kernelOf(edit))) {
		const {failed, broken, isUnavailable} = await copy.runCells(kernel, [
			...new Set(edits.flatMap(({cells}) => cells)),
		]);
		if (isUnavailable) {
			for (const {edit} of edits) tell({edit, verdict: 'not run', by: broken!.split('\n')[0]!});
			continue;
		}
		if (broken !== undefined || failed.size > 0)
			throw new Error(`${kernel} fails without any edit: ${broken ?? [...failed.keys()].join(', ')}.`);
		runnable.push(...edits);
	}
	for (const group of groupEdits(runnable)) {
		await copy.plant(group.map(({edit}) => edit));
		const noticed = await copy.runCells(
			kernelOf(group[0]!.edit),
			group.flatMap(({cells}) => cells),
		);
		const isAlone = group.length === 1;
		for (const one of group) {
			// Where several edits act, a crash may be any one's.
			const by = isAlone ? noticedBy(one, noticed) : failedOnly(one, noticed);
			tell(by === undefined ? await judgeAlone(copy, one, !isAlone) : {edit: one.edit, verdict: 'caught', by});
		}
	}
}

/** An edit that was not noticed in its group; `again` if its own cells have not run with it alone. */
async function judgeAlone(copy: PlantedCopy, one: Wanted, again: boolean): Promise<Outcome> {
	const {edit} = one;
	const kernel = kernelOf(edit);
	await copy.plant([edit]);
	const by = again ? noticedBy(one, await copy.runCells(kernel, one.cells)) : undefined;
	if (by !== undefined) return {edit, verdict: 'caught', by};
	const all = await copy.runCells(kernel, []);
	const elsewhere = noticedBy({edit, cells: cellsOf(edit, [])}, all);
	return elsewhere === undefined
		? {edit, verdict: 'survived', by: ''}
		: {edit, verdict: 'caught elsewhere', by: elsewhere};
}

/** What noticed an edit that acted alone, in words. */
function noticedBy({cells}: Wanted, {failed, broken}: Noticed): string | undefined {
	if (broken !== undefined) return broken.split('\n')[0]!;
	// Kernels that look for leaks have cells which are in no plan.
	const by = [...failed].filter(([cell]) => cells.includes(cell) || cell.endsWith('/leak-scan'));
	return by.length === 0
		? undefined
		: by.map(([cell, verdict]) => (verdict === 'fail' ? cell : `${cell} (${verdict})`)).join(', ');
}

function failedOnly({cells}: Wanted, {failed}: Noticed): string | undefined {
	return cells.find(cell => failed.get(cell) === 'fail');
}

function tell(outcome: Outcome): void {
	outcomes.push(outcome);
	say(`${outcomes.length}/${chosen.length} ${outcome.edit.name}: ${outcome.verdict}${outcome.by && `, ${outcome.by}`}`);
}

/** Fits 80 columns. The whole of what is cut off was told on stderr. */
function table(): string {
	const width = Math.max(...chosen.map(({name}) => name.length));
	const lines = chosen.map(edit => {
		const {verdict, by} = outcomes.find(outcome => outcome.edit === edit)!;
		return `${edit.name.padEnd(width)} ${verdict.padEnd(16)} ${by}`.trimEnd().slice(0, 80);
	});
	const minutes = (performance.now() - startedAt) / 60_000;
	return [
		...lines,
		'',
		`${scores()
			.map(({words}) => words)
			.join('; ')} in ${minutes.toFixed(1)} min`,
		'',
	].join('\n');
}

type Score = {readonly what: string; readonly percent: number; readonly words: string};

function scores(): readonly Score[] {
	const rooms = Map.groupBy(outcomes, ({edit}) => (edit.file.startsWith('harness/') ? 'harness' : 'module'));
	return [...rooms].map(([room, all]) => {
		const count = (verdict: Outcome['verdict']) => all.filter(outcome => outcome.verdict === verdict).length;
		const judged = all.length - count('equivalent') - count('not run');
		const caught = count('caught') + count('caught elsewhere');
		return {
			what: `planted edits caught, ${room}`,
			percent: judged === 0 ? 100 : (100 * caught) / judged,
			words: `${room}: ${caught} of ${judged} caught (${count('caught elsewhere')} elsewhere), ${count('equivalent')} equivalent, ${count('not run')} not run`,
		};
	});
}

/** Of all edits only: another choice would be another score. */
async function keepScore(): Promise<void> {
	if (options.history === undefined || options.match.length > 0) return;
	using kept = new HistoryLog(options.history, {onTrouble: say});
	const qemu = await findQemu();
	const {id} = await openConsoles();
	const run = await describeRun({id, suite: bprobeSuite, cells: [], qemu, accelerator: await findAccelerator(qemu)});
	kept.write({...run, command: 'bench'});
	for (const {what, percent} of scores())
		kept.write({type: 'measurement', kernel: fallbackKernel, what, unit: '%', values: [percent]});
	const durationMs = Math.round(performance.now() - startedAt);
	kept.write({type: 'end', counts: countVerdicts([]), durationMs, exitCode: 0});
	kept.close();
}
