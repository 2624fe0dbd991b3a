// SPDX-License-Identifier: GPL-2.0
import {createWriteStream, type WriteStream} from 'node:fs';
import path from 'node:path';
import {onAbort} from '../host/abort.ts';
import {BuildError, diskFull, fullDisk, UsageError} from '../host/errors.ts';
import {hostFaultOf} from '../host/host-fault.ts';
import {programs} from '../host/programs.ts';
import {directoryOnPath} from '../host/qemu.ts';
import {say} from '../host/say.ts';

export type Kbuild = {
	/** For display, for example `Linux 4.15.18`. */
	readonly name: string;
	readonly source: string;
	/** Directory that everything is written to. */
	readonly output: string;
	readonly args: readonly string[];
	readonly log: string;
	readonly env?: Readonly<Record<string, string>>;
	readonly signal?: AbortSignal | undefined;
};

/** Runs make for a kernel. Throws BuildError with the compiler's last output, UsageError when the host is at fault. */
export async function kbuild({name, source, output, args, log, env, signal}: Kbuild): Promise<void> {
	const compiler = (await directoryOnPath('ccache')) ? ['CC=ccache gcc', 'HOSTCC=ccache gcc'] : [];
	const child = programs()(
		'setpriv',
		// make must end when the harness is killed; its objects are kept for the next attempt.
		[...['--pdeathsig', 'TERM', 'make', '-C', source], `O=${output}`, 'LOCALVERSION=', ...compiler, ...args],
		{
			all: true,
			buffer: false,
			reject: false,
			// In a process group of its own, so that all of it can be ended at once.
			detached: true,
			env: {
				KBUILD_BUILD_TIMESTAMP: 'Thu Jan  1 00:00:00 UTC 1970',
				// Otherwise the number counts up per build directory, and no two images are equal.
				KBUILD_BUILD_VERSION: '1',
				KBUILD_BUILD_USER: 'probe-matrix',
				KBUILD_BUILD_HOST: 'probe-matrix',
				// ccache ignores the part of paths below this directory, so that different recipes share objects.
				CCACHE_BASEDIR: path.dirname(output),
				CCACHE_NOHASHDIR: '1',
				...env,
			},
		},
	);
	using _ = onAbort(signal, () => killGroup(child.pid));
	const words = await follow(child.iterable({from: 'all'}), {name, log});
	const {failed, exitCode, signal: by, shortMessage} = await child;
	signal?.throwIfAborted();
	if (!failed) return;
	if (words.some(line => line.includes(fullDisk))) throw diskFull(output, words.join('\n'));
	const fault = hostFaultOf(words.join('\n'), {signal: by});
	if (fault !== undefined) throw new UsageError(`${name} cannot be built here: ${fault}. The whole log is ${log}.`);
	const why = exitCode === undefined ? shortMessage : `make ended with ${exitCode}`;
	throw new BuildError(`${name} does not build: ${why}. The whole log is ${log}.\n${words.join('\n')}`);
}

function killGroup(pid: number | undefined): void {
	if (pid === undefined) return;
	try {
		process.kill(-pid, 'SIGTERM');
	} catch {
		// It has already ended.
	}
}

const sayEveryMs = 20_000;
const keptLines = 40;

/** Logs all output, reports progress now and then, and returns the lines that matter for an error. The log is whole then. */
async function follow(
	output: AsyncIterable<unknown>,
	{name, log}: {name: string; log: string},
): Promise<readonly string[]> {
	const file = createWriteStream(log);
	// On a full disk, make fails with a message of its own.
	file.on('error', () => {});
	try {
		return await linesThatMatter(output, {name, file});
	} finally {
		// Not by disposal, which drops what is not written yet.
		await new Promise<void>(resolve => file.end(() => resolve()));
	}
}

/** The first lines from the first error on, or the last ones; `file` gets all. */
async function linesThatMatter(
	output: AsyncIterable<unknown>,
	{name, file}: {name: string; file: WriteStream},
): Promise<readonly string[]> {
	const started = Date.now();
	let said = started;
	let objects = 0;
	let words: string[] = [];
	let hasError = false;
	for await (const line of output) {
		const text = String(line);
		file.write(`${text}\n`);
		if (/^ {2}(?:CC|AS|HOSTCC) /.test(text)) objects += 1;
		else {
			// Keep everything from the first error on, else only the last lines.
			hasError ||= /error:|\*\*\*|undefined reference|No rule to make/i.test(text);
			words.push(text);
			words = hasError ? words.slice(0, keptLines * 2) : words.slice(-5);
		}
		if (Date.now() - said >= sayEveryMs) {
			said = Date.now();
			say(`${name}: ${objects} objects after ${clock(said - started)}.`);
		}
	}
	return words.slice(0, keptLines);
}

function clock(ms: number): string {
	const seconds = Math.round(ms / 1000);
	return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, '0')}`;
}
