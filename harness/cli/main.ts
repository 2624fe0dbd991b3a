#!/usr/bin/env node
import {Command, CommanderError} from 'commander';
import {messageOf, UsageError} from '../host/errors.ts';
import {addBisect} from './bisect.ts';
import {abortStatus, addBisectStep} from './bisect-step.ts';
import {addCompare} from './compare.ts';
import {addDoctor} from './doctor.ts';
import {addHistory} from './history.ts';
import {InterruptedError, interruptible} from './interrupt.ts';
import {forJob} from './job-output.ts';
import {addKernels} from './kernels.ts';
import {addMerge} from './merge.ts';
import {addNightly} from './nightly.ts';
import {addReport} from './report.ts';
import {addRun} from './run.ts';
import {addSelftest} from './selftest.ts';
import {addShell} from './shell.ts';

/** Adds a command; its action may set process.exitCode. */
export type AddCommand = (program: Command, signal: AbortSignal) => void;

const commands: readonly AddCommand[] = [
	addBisect,
	addBisectStep,
	addCompare,
	addDoctor,
	addHistory,
	addKernels,
	addMerge,
	addNightly,
	addReport,
	addRun,
	addSelftest,
	addShell,
];

/** Errors whose message is all a person needs; any other is our mistake and comes with its stack. */
const oursNames = new Set([
	'BuildError',
	'GuestError',
	'BootError',
	'NoGuestError',
	'LinkLostError',
	'CommandFailedError',
	'AgentError',
]);

const program = new Command('probe-matrix')
	.description('Boots real Linux kernels and runs the probe matrix in them.')
	.showHelpAfterError('(probe-matrix --help lists what there is)')
	.exitOverride();
const signal = interruptible();
for (const add of commands) add(program, signal);

try {
	await program.parseAsync();
} catch (error) {
	process.exitCode = report(error);
}

function report(error: unknown): number {
	// What `git bisect run` must not take for a bad commit.
	const usage = process.argv[2] === 'bisect-step' ? abortStatus : 2;
	if (signal.aborted && signal.reason instanceof InterruptedError) return 130;
	// Commander has said it already.
	if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : usage;
	const isOurs = error instanceof Error && oursNames.has(error.name);
	const text = error instanceof UsageError || isOurs ? messageOf(error) : ((error as Error)?.stack ?? String(error));
	process.stderr.write(forJob(`probe-matrix: ${text}\n`));
	return usage;
}
