// SPDX-License-Identifier: GPL-2.0
import {Command, CommanderError} from 'commander';
import project from '../../package.json' with {type: 'json'};
import {messageOf, UsageError} from '../host/errors.ts';
import {forgetUnusableTemporary} from '../host/temporary.ts';
import {InterruptedError, interruptible} from './interrupt.ts';

/** Adds options and action to a command; the action may set process.exitCode. */
export type AddCommand = (command: Command, signal: AbortSignal) => void;

/** Only the requested command's module is loaded, because loading all takes longer than most commands. */
const commands: Readonly<Record<string, {readonly description: string; readonly load: () => Promise<AddCommand>}>> = {
	bisect: {
		description: 'find the first bad kernel, commit, module revision or option',
		load: async () => (await import('./bisect.ts')).addBisect,
	},
	'bisect-step': {
		description: 'judge one Linux commit, for `git bisect run`',
		load: async () => (await import('./bisect-step.ts')).addBisectStep,
	},
	cases: {
		description: 'list the cases, and what each is run against',
		load: async () => (await import('./cases.ts')).addCases,
	},
	compare: {
		description: 'compare two runs',
		load: async () => (await import('./compare.ts')).addCompare,
	},
	completion: {
		description: 'print what completes commands and options in bash, zsh or fish',
		load: async () => (await import('./completion.ts')).addCompletion,
	},
	doctor: {
		description: 'check what this host needs and has',
		load: async () => (await import('./doctor.ts')).addDoctor,
	},
	exec: {
		description: 'run a command in a guest',
		load: async () => (await import('./exec.ts')).addExec,
	},
	history: {
		description: 'list past runs, flaky and broken cells; remove old runs',
		load: async () => (await import('./history.ts')).addHistory,
	},
	kernels: {
		description: 'list, fetch and remove kernels',
		load: async () => (await import('./kernels.ts')).addKernels,
	},
	merge: {
		description: 'merge shards, or runs of different kernels, into one run',
		load: async () => (await import('./merge.ts')).addMerge,
	},
	nightly: {
		description: 'run the matrix on every kernel and report regressions',
		load: async () => (await import('./nightly.ts')).addNightly,
	},
	report: {
		description: 'write a report of a run: HTML, JUnit, TAP, KTAP, Markdown',
		load: async () => (await import('./report.ts')).addReport,
	},
	run: {
		description: 'run the matrix and print its table',
		load: async () => (await import('./run.ts')).addRun,
	},
	selftest: {
		description: 'crash and hang guests on purpose, and check the verdicts',
		load: async () => (await import('./selftest.ts')).addSelftest,
	},
	shell: {
		description: 'open a shell in a guest with the modules loaded',
		load: async () => (await import('./shell.ts')).addShell,
	},
};

/** Errors whose message is enough for a user. Any other error is a bug and is printed with its stack. */
const oursNames = new Set([
	'BuildError',
	'GuestError',
	'BootError',
	'LoadError',
	'NeverBootedError',
	'NoGuestError',
	'LinkLostError',
	'CommandFailedError',
	'AgentError',
]);

/** Commands that would fail halfway in a place that cannot serve. */
const buildsAndBoots: ReadonlySet<string | undefined> = new Set([
	...['bisect', 'bisect-step', 'exec', 'nightly', 'run', 'selftest', 'shell'],
]);

function wantedOf(argv: readonly string[]): string | undefined {
	const [first, second] = argv.slice(2);
	return first === 'help' ? second : first;
}

/** Runs the command line and returns the exit status. */
export async function main(): Promise<number> {
	const program = new Command('probe-matrix')
		.description('Boots real Linux kernels and tests kernel modules in them.')
		.version(project.version, '-V, --version', 'print the version')
		.showHelpAfterError('(see probe-matrix --help)')
		.exitOverride();
	const signal = interruptible({isQuiet: process.argv.includes('--standby')});
	forgetUnusableTemporary();
	if (buildsAndBoots.has(wantedOf(process.argv)))
		program.hook('preAction', async () => (await import('../host/place.ts')).requireFitPlace());
	const wanted = wantedOf(process.argv);
	try {
		for (const [name, {description, load}] of Object.entries(commands)) {
			const command = program.command(name).description(description);
			// Completion is made from all commands.
			if (name === wanted || wanted === 'completion') (await load())(command, signal);
		}
		await program.parseAsync();
		return Number(process.exitCode ?? 0);
	} catch (error) {
		return report(error, {wanted, signal});
	}
}

async function report(
	error: unknown,
	{wanted, signal}: {readonly wanted: string | undefined; readonly signal: AbortSignal},
): Promise<number> {
	// `git bisect run` must not take a usage error for a bad commit.
	const usage = wanted === 'bisect-step' ? (await import('./bisect-step.ts')).abortStatus : 2;
	if (signal.aborted && signal.reason instanceof InterruptedError) return 130;
	// Commander has already printed it.
	if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : usage;
	const isOurs = error instanceof Error && oursNames.has(error.name);
	const isProgram = error instanceof Error && error.name === 'ExecaError' && 'shortMessage' in error;
	const text =
		error instanceof UsageError || isOurs
			? messageOf(error)
			: isProgram
				? wordsOfProgram(error)
				: ((error as Error)?.stack ?? String(error));
	const {forJob} = await import('./job-output.ts');
	process.stderr.write(forJob(`probe-matrix: ${text}\n`));
	return usage;
}

/** A program of the host failed where nothing expects it to: its command, how it ended, and its last words. */
function wordsOfProgram(error: Error & {readonly shortMessage?: unknown; readonly stderr?: unknown}): string {
	const said = (typeof error.stderr === 'string' ? error.stderr : '').trim().split('\n').slice(-3).join('\n');
	return [String(error.shortMessage), said].filter(Boolean).join('\n');
}
