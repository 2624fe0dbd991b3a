import {createWriteStream} from 'node:fs';
import path from 'node:path';
import {execa} from 'execa';
import {onAbort} from '../host/abort.ts';
import {BuildError, diskFull, fullDisk} from '../host/errors.ts';
import {directoryOnPath} from '../host/qemu.ts';
import {say} from '../host/say.ts';

export type Kbuild = {
	/** For people: `Linux 4.15.18`. */
	readonly name: string;
	readonly source: string;
	/** Where everything is written. */
	readonly output: string;
	readonly args: readonly string[];
	readonly log: string;
	readonly env?: Readonly<Record<string, string>>;
	readonly signal?: AbortSignal | undefined;
};

// What a person's shell may hold and a build here must not see.
const foreign = ['ARCH', 'CROSS_COMPILE', 'KBUILD_OUTPUT', 'KCFLAGS', 'KCONFIG_CONFIG', 'LLVM', 'CC', 'O', 'V', 'M'];

/** Runs make for a kernel. Throws BuildError with the compiler's last words. */
export async function kbuild({name, source, output, args, log, env, signal}: Kbuild): Promise<void> {
	const compiler = (await directoryOnPath('ccache')) ? ['CC=ccache gcc', 'HOSTCC=ccache gcc'] : [];
	const child = execa(
		'setpriv',
		// Goes with the harness even if that is killed; what has been compiled is kept for the next time.
		[...['--pdeathsig', 'TERM', 'make', '-C', source], `O=${output}`, 'LOCALVERSION=', ...compiler, ...args],
		{
			all: true,
			buffer: false,
			reject: false,
			// A group of its own, so that all of it can be ended at once.
			detached: true,
			env: {
				...Object.fromEntries(foreign.map(variable => [variable, undefined])),
				LC_ALL: 'C',
				MAKEFLAGS: '',
				MAKELEVEL: '',
				KBUILD_BUILD_TIMESTAMP: 'Thu Jan  1 00:00:00 UTC 1970',
				// Else each build in the same directory has another number, and no two images are the same.
				KBUILD_BUILD_VERSION: '1',
				KBUILD_BUILD_USER: 'probe-matrix',
				KBUILD_BUILD_HOST: 'probe-matrix',
				// Paths below it do not count, so that another recipe finds what is the same.
				CCACHE_BASEDIR: path.dirname(output),
				CCACHE_NOHASHDIR: '1',
				...env,
			},
		},
	);
	using _ = onAbort(signal, () => killGroup(child.pid));
	const words = await follow(child.iterable({from: 'all'}), {name, log});
	const {failed, exitCode, shortMessage} = await child;
	signal?.throwIfAborted();
	if (!failed) return;
	if (words.some(line => line.includes(fullDisk))) throw diskFull(output, words.join('\n'));
	const why = exitCode === undefined ? shortMessage : `make ended with ${exitCode}`;
	throw new BuildError(`${name} does not build: ${why}. The whole log is ${log}.\n${words.join('\n')}`);
}

function killGroup(pid: number | undefined): void {
	if (pid === undefined) return;
	try {
		process.kill(-pid, 'SIGTERM');
	} catch {
		// It has ended already.
	}
}

const sayEveryMs = 20_000;
const keptLines = 40;

/** Writes all to the log, says now and then how far it is, and returns what matters of the end. */
async function follow(
	output: AsyncIterable<unknown>,
	{name, log}: {name: string; log: string},
): Promise<readonly string[]> {
	await using file = createWriteStream(log);
	// On a full disk make says so itself.
	file.on('error', () => {});
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
			// From the first error on everything counts; before it only the last lines do.
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
