// SPDX-License-Identifier: GPL-2.0
import {spawn} from 'node:child_process';
import {appendFile, cp, mkdtemp, readdir, readFile, rm, symlink, writeFile} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import path from 'node:path';
import {createInterface} from 'node:readline';
import {projectRoot} from '../harness/build/sources.ts';

export type Ended = {
	readonly exitCode: number;
	/** Lines of standard output and standard error. */
	readonly lines: readonly string[];
	/** Time in ms from the start to the first line of a finished cell, and to the exit. */
	readonly verdictMs: number;
	readonly endMs: number;
};

/** What is no source, and may be large. */
const notCopied = ['node_modules', '.git', 'dist', 'out'];

/** A copy of this checkout whose sources may be changed. It shares the cache and node_modules. */
export class CheckoutCopy implements AsyncDisposable {
	readonly directory: string;

	static async create(): Promise<CheckoutCopy> {
		const directory = await mkdtemp(path.join(tmpdir(), 'checkout-'));
		for (const name of await readdir(projectRoot))
			if (!notCopied.includes(name))
				await cp(path.join(projectRoot, name), path.join(directory, name), {recursive: true});
		await symlink(path.join(projectRoot, 'node_modules'), path.join(directory, 'node_modules'));
		return new CheckoutCopy(directory);
	}

	private constructor(directory: string) {
		this.directory = directory;
	}

	/** Appends text to a file. */
	async append(file: string, text: string): Promise<void> {
		await appendFile(path.join(this.directory, file), text);
	}

	/** Replaces text in a file. Throws if it is not there. */
	async replace(file: string, from: string, to: string): Promise<void> {
		const name = path.join(this.directory, file);
		const text = await readFile(name, 'utf8');
		if (!text.includes(from)) throw new Error(`${file} has no ${JSON.stringify(from)}.`);
		await writeFile(name, text.replace(from, to));
	}

	/** Runs probe-matrix of this copy. */
	async run(...args: readonly string[]): Promise<Ended> {
		const startedAt = performance.now();
		const child = spawn(process.execPath, [path.join(this.directory, 'harness/cli/main.js'), ...args], {
			env: {...process.env, CI: 'true', NO_COLOR: '1'},
			stdio: ['ignore', 'pipe', 'pipe'],
		});
		const lines: string[] = [];
		let verdictMs: number | undefined;
		for (const stream of [child.stdout, child.stderr])
			createInterface(stream).on('line', line => {
				lines.push(line);
				if (/^ *1\/\d+ /.test(line)) verdictMs ??= performance.now() - startedAt;
			});
		const exitCode = await new Promise<number>(resolve => child.once('close', code => resolve(code ?? -1)));
		const endMs = performance.now() - startedAt;
		return {exitCode, lines, verdictMs: verdictMs ?? endMs, endMs};
	}

	async [Symbol.asyncDispose](): Promise<void> {
		await rm(this.directory, {recursive: true, force: true});
	}
}
