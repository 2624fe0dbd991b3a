import {Command, CommanderError} from 'commander';
import {messageOf, UsageError} from '../host/errors.ts';
import {InterruptedError, interruptible} from './interrupt.ts';

/** Gives a command its options and its action, which may set process.exitCode. */
export type AddCommand = (command: Command, signal: AbortSignal) => void;

/** Only the file of the command that is asked for is loaded: that takes longer than most of them. */
const commands: Readonly<Record<string, {readonly description: string; readonly load: () => Promise<AddCommand>}>> = {
	bisect: {
		description: 'finds the first bad kernel, and with --linux the first bad commit',
		load: async () => (await import('./bisect.ts')).addBisect,
	},
	'bisect-step': {
		description: 'judges one commit of Linux, for `git bisect run`',
		load: async () => (await import('./bisect-step.ts')).addBisectStep,
	},
	compare: {
		description: 'what is different in one run from another',
		load: async () => (await import('./compare.ts')).addCompare,
	},
	doctor: {
		description: 'says what this host needs, what is there, and how to get the rest',
		load: async () => (await import('./doctor.ts')).addDoctor,
	},
	history: {
		description: 'past runs, kept by --history of run and nightly',
		load: async () => (await import('./history.ts')).addHistory,
	},
	kernels: {
		description: 'the kernels the matrix can run on',
		load: async () => (await import('./kernels.ts')).addKernels,
	},
	merge: {
		description: 'makes one run of its parts: shards, or runs of different kernels',
		load: async () => (await import('./merge.ts')).addMerge,
	},
	nightly: {
		description: 'runs the matrix on every kernel and says what has changed since the nights before',
		load: async () => (await import('./nightly.ts')).addNightly,
	},
	report: {
		description: 'makes a report of a run from its events',
		load: async () => (await import('./report.ts')).addReport,
	},
	run: {
		description: 'runs the matrix and prints its table',
		load: async () => (await import('./run.ts')).addRun,
	},
	selftest: {
		description: 'makes guests crash and hang in every known way, and checks that the verdicts are right',
		load: async () => (await import('./selftest.ts')).addSelftest,
	},
	shell: {
		description: 'a shell in a guest with bprobe and fixtures loaded',
		load: async () => (await import('./shell.ts')).addShell,
	},
};

/** Errors whose message is all a person needs; any other is our mistake and comes with its stack. */
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

/** Runs what the command line asks for; gives the exit status. */
export async function main(): Promise<number> {
	const program = new Command('probe-matrix')
		.description('Boots real Linux kernels and runs the probe matrix in them.')
		.showHelpAfterError('(probe-matrix --help lists what there is)')
		.exitOverride();
	const signal = interruptible({isQuiet: process.argv.includes('--standby')});
	const [first, second] = process.argv.slice(2);
	const wanted = first === 'help' ? second : first;
	try {
		for (const [name, {description, load}] of Object.entries(commands)) {
			const command = program.command(name).description(description);
			if (name === wanted) (await load())(command, signal);
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
	// What `git bisect run` must not take for a bad commit.
	const usage = wanted === 'bisect-step' ? (await import('./bisect-step.ts')).abortStatus : 2;
	if (signal.aborted && signal.reason instanceof InterruptedError) return 130;
	// Commander has said it already.
	if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : usage;
	const isOurs = error instanceof Error && oursNames.has(error.name);
	const text = error instanceof UsageError || isOurs ? messageOf(error) : ((error as Error)?.stack ?? String(error));
	const {forJob} = await import('./job-output.ts');
	process.stderr.write(forJob(`probe-matrix: ${text}\n`));
	return usage;
}
