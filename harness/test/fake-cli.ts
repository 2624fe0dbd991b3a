// SPDX-License-Identifier: GPL-2.0
import {mkdtempDisposable, writeFile} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import path from 'node:path';
import {execa} from 'execa';
import {HistoryLog} from '../results/history/history-log.ts';
import {asText, type FakeRun, fakeRun} from './fake-run.ts';

type Ended = {readonly exitCode?: number; readonly stdout: string; readonly stderr: string};

/** Runs the program as users do, outside of any GitHub workflow. */
export async function probeMatrix(...args: readonly string[]): Promise<Ended> {
	return runMain(args, '');
}

/** Runs the program as a step of a GitHub workflow does. */
export async function probeMatrixInWorkflow(...args: readonly string[]): Promise<Ended> {
	return runMain(args, 'true');
}

async function runMain(args: readonly string[], GITHUB_ACTIONS: string): Promise<Ended> {
	const main = path.join(import.meta.dirname, '../cli/main.js');
	const env = {GITHUB_ACTIONS, NO_COLOR: '1'};
	return execa(process.execPath, [main, ...args], {reject: false, env, timeout: 60_000});
}

/** A temporary directory for histories and files of events. */
export async function temporaryRuns() {
	const directory = await mkdtempDisposable(path.join(tmpdir(), 'runs-'));
	return {
		path: directory.path,
		history: path.join(directory.path, 'history'),
		[Symbol.asyncDispose]: () => directory.remove(),
		/** Adds a run to the history. */
		keep(run: FakeRun) {
			using log = new HistoryLog(path.join(directory.path, 'history'), {onTrouble() {}});
			for (const event of fakeRun(run)) log.write(event);
		},
		async file(name: string, run: FakeRun): Promise<string> {
			const file = path.join(directory.path, name);
			await writeFile(file, asText(fakeRun(run)));
			return file;
		},
	};
}

/** Runs `work` with GITHUB_ACTIONS set to `value`. The variable is global, so tests that use this must be serial. */
export function withWorkflow(value: string | undefined, work: () => void): void {
	const before = process.env.GITHUB_ACTIONS;
	const set = (to: string | undefined) => {
		if (to === undefined) delete process.env.GITHUB_ACTIONS;
		else process.env.GITHUB_ACTIONS = to;
	};
	set(value);
	try {
		work();
	} finally {
		set(before);
	}
}
