// SPDX-License-Identifier: GPL-2.0
import {randomUUID} from 'node:crypto';
import {copyFile, mkdir, mkdtempDisposable, readdir, rm} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import path from 'node:path';
import {execa} from 'execa';
import type {Guest} from '../../harness/guest/guest.ts';
import {savedIn} from './instrument.ts';

/** How often each line ran, how often each way out of it was taken, and its function, by line number. */
export type LineCounts = ReadonlyMap<
	number,
	{readonly count: number; readonly branches: readonly number[]; readonly of?: string | undefined}
>;

/** Has a guest save its counters and copies all that it ever saved into `directory`, a directory for each time. */
export async function collect(guest: Guest, directory: string): Promise<void> {
	const save = 'echo 1 > /sys/module/bprobe/parameters/coverage 2>/dev/null';
	const {stdout} = await guest.exec(`${save}; cd /${savedIn} && tar -cf - . | gzip -1 | base64`);
	// Guests may end at the same time.
	const guestName = randomUUID();
	await using arrived = await mkdtempDisposable(path.join(tmpdir(), 'coverage-'));
	await execa('tar', ['-xzf', '-', '-C', arrived.path], {input: Buffer.from(stdout, 'base64')});
	for (const file of await readdir(arrived.path)) {
		// TIME#path#of#OBJECT.gcda
		const at = file.indexOf('#');
		if (at < 0) continue;
		const to = await mkdirs(path.join(directory, `${guestName}-${file.slice(0, at)}`));
		await copyFile(path.join(arrived.path, file), path.join(to, file.slice(at)));
	}
}

/** Adds up what was collected in a directory. Returns counts by the name of the source. */
export async function countsOf(directory: string): Promise<ReadonlyMap<string, LineCounts>> {
	const saved = (await readdir(directory)).map(name => path.join(directory, name));
	const [first, ...others] = saved;
	if (first === undefined) throw new Error('No guest has saved its counters.');
	let sum = first;
	for (const [i, other] of others.entries()) {
		const next = path.join(directory, `sum-${i}`);
		await execa('gcov-tool', ['merge', sum, other, '-o', next]);
		await rm(sum, {recursive: true});
		sum = next;
	}
	const counts = new Map<string, LineCounts>();
	for (const file of await readdir(sum)) {
		// The notes of the compiler lie beside the object.
		const notes = file.replaceAll('#', '/').replace(/gcda$/, 'gcno');
		await copyFile(notes, path.join(sum, file.replace(/gcda$/, 'gcno')));
		const {stdout} = await execa('gcov', ['--json-format', '--stdout', '--branch-probabilities', file], {cwd: sum});
		const {files} = JSON.parse(stdout) as Gcov;
		for (const {file: source, lines} of files) {
			if (path.dirname(source) !== path.dirname(notes)) continue;
			const name = path.basename(source);
			// A line of a header is in several objects, and one of an inline function several times in one.
			for (const {line_number, count, branches, function_name: of} of lines) {
				const one = {count, branches: branches.map(branch => branch.count), of};
				counts.set(name, union(counts.get(name), new Map([[line_number, one]])));
			}
		}
	}
	return counts;
}

/** The counts of both. */
export function union(some: LineCounts = new Map(), others: LineCounts): LineCounts {
	const sum = new Map(some);
	for (const [line, {count, branches, of}] of others) {
		const before = sum.get(line);
		sum.set(line, {count: count + (before?.count ?? 0), branches: added(branches, before?.branches), of});
	}
	return sum;
}

/** Copies of a line that the compiler made differently cannot be added; the one with more ways out stays. */
function added(some: readonly number[], others: readonly number[] = []): readonly number[] {
	if (some.length !== others.length) return some.length > others.length ? some : others;
	return some.map((count, i) => count + others[i]!);
}

/** See "Invoking gcov" in gcc's manual. */
type Gcov = {
	readonly files: readonly {
		readonly file: string;
		readonly lines: readonly {
			readonly line_number: number;
			readonly count: number;
			readonly function_name?: string;
			readonly branches: readonly {readonly count: number}[];
		}[];
	}[];
};

async function mkdirs(directory: string): Promise<string> {
	await mkdir(directory, {recursive: true});
	return directory;
}
