// SPDX-License-Identifier: GPL-2.0
/**
 * Measures a large history: 1000 runs of 400 cells. Each step is a process of its own, so that its memory can be
 * measured. Exits with 1 if a step whose time matters takes more than 2 s of CPU time (elapsed time depends on other
 * load) or 200 MiB.
 */
import {spawnSync} from 'node:child_process';
import {mkdirSync, writeFileSync} from 'node:fs';
import {mkdtempDisposable} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import path from 'node:path';
import {pastRuns} from '../harness/nightly/run-night.ts';
import {compareRuns} from '../harness/results/compare/compare-runs.ts';
import {findRun} from '../harness/results/history/find-run.ts';
import {cellStatistics} from '../harness/results/history/flakes.ts';
import {runFile} from '../harness/results/history/history-log.ts';
import {HistoryStore} from '../harness/results/history/store.ts';
import {formatHtml} from '../harness/results/reports/html/page.ts';
import type {Verdict} from '../harness/results/run/verdict.ts';
import {asText, fakeRun} from '../harness/test/fake-run.ts';

const [runs, cells] = [1000, 400];

const steps: Readonly<Record<string, (directory: string) => Promise<number>>> = {
	index: async directory => {
		using store = await HistoryStore.open(directory);
		return store.runs().length;
	},
	compare: async directory => {
		using store = await HistoryStore.open(directory);
		const [before, after] = await Promise.all(['last-green', 'last'].map(name => store.read(findRun(store, name).id)));
		return compareRuns(before!, after!, store.durationsBefore(before!.run.id)).newFailures.length;
	},
	report: async directory => {
		using store = await HistoryStore.open(directory);
		const [green, last] = await Promise.all(['last-green', 'last'].map(name => store.read(findRun(store, name).id)));
		const history = store.durationsBefore(last!.run.id);
		return formatHtml({record: last!, comparison: compareRuns(green!, last!, history), history}).length;
	},
	statistics: async directory => {
		using store = await HistoryStore.open(directory);
		return store
			.cells()
			.map(cellStatistics)
			.filter(({status}) => status === 'flaky')
			.toArray().length;
	},
	'before a night': async directory => {
		using store = await HistoryStore.open(directory);
		return pastRuns(store).past.size;
	},
};

const [name, given] = process.argv.slice(2);
if (name !== undefined) {
	const startedAt = performance.now();
	const result = await steps[name]!(given!);
	const seconds = (performance.now() - startedAt) / 1000;
	const {maxRSS, userCPUTime, systemCPUTime} = process.resourceUsage();
	const mebibytes = Math.round(maxRSS / 1024);
	const cpuSeconds = (userCPUTime + systemCPUTime) / 1e6;
	process.stdout.write(
		`${name.padEnd(16)} ${format(seconds)} s, with its start ${format(cpuSeconds)} s of CPU  ${String(mebibytes).padStart(4)} MiB  (${result})\n`,
	);
	// The index is made once and then only updated, so its time does not matter.
	if (name !== 'index' && (cpuSeconds > 2 || mebibytes > 200)) process.exitCode = 1;
} else {
	await using directory = await mkdtempDisposable(path.join(tmpdir(), 'history-'));
	mkdirSync(path.join(directory.path, 'runs'));
	for (let run = 0; run < runs; run++) writeFileSync(runFile(directory.path, idOf(run)), asText(eventsOf(run)));
	for (const step of Object.keys(steps)) {
		const {status} = spawnSync(process.execPath, [import.meta.filename, step, directory.path], {stdio: 'inherit'});
		if (status !== 0) process.exitCode = 1;
	}
}

function format(seconds: number): string {
	return seconds.toFixed(2).padStart(6);
}

function idOf(run: number): string {
	return `${new Date(Date.UTC(2026, 0, 1 + run)).toISOString().replaceAll(/[-:]|\.\d+/g, '')}-0000`;
}

function eventsOf(run: number) {
	const ends = Array.from({length: cells}, (_, cell): [string, Verdict] => {
		const isBad = run % 10 !== 3 && (run * 31 + cell * 17) % 97 === 0;
		return [`kernel-${cell % 2} suite/case-${cell >> 1}[asm]`, isBad ? 'fail' : 'pass'];
	});
	return fakeRun({id: idOf(run), cells: Object.fromEntries(ends), run: {command: 'nightly'}});
}
