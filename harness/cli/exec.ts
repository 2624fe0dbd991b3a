// SPDX-License-Identifier: GPL-2.0
import os from 'node:os';
import {buffer} from 'node:stream/consumers';
import type {Command} from 'commander';
import {planCells} from '../engine/plan.ts';
import {runKernels} from '../engine/run-kernels.ts';
import {MemorySaver} from '../guest/memory-saver.ts';
import type {AcceleratorName} from '../host/accelerator.ts';
import {quote} from '../host/quote.ts';
import {say} from '../host/say.ts';
import type {CommandEnd} from '../link/running-command.ts';
import type {CellEvent, KernelEvent} from '../results/run/events.ts';
import {formatFailure, formatKernelFailure} from '../results/run/failure.ts';
import {unusableKernels} from '../results/run/kernel-summary.ts';
import {chooseKernels} from './choose-kernels.ts';
import {readCopies} from './copies.ts';
import {commandCase, type Output} from './exec-command.ts';
import {formatStatuses, prefixed} from './exec-output.ts';
import {numberOf, repeatable} from './option-values.ts';
import {
	acceleratorOption,
	addModuleOptions,
	defaultKernelText,
	type SuiteOptions,
	saveMemoryOption,
	sourceOption,
	suiteOf,
} from './shared-options.ts';

type ExecOptions = SuiteOptions & {
	readonly kernel: readonly string[];
	readonly copy: readonly string[];
	readonly timeout?: number;
	readonly saveMemory?: boolean;
	readonly source?: string;
	readonly accel?: AcceleratorName;
};

export function addExec(command: Command, signal: AbortSignal): void {
	addModuleOptions(
		command
			.usage('[options] -- COMMAND [ARGUMENT...]')
			.argument('<command...>', 'program and arguments; write `sh -c "…"` for a line of shell')
			.addOption(repeatable('--kernel <id>', "kernel to run on, or 'all'", defaultKernelText)),
	)
		.addOption(
			repeatable('--copy <file[:path]>', 'file or directory to copy into the guest, where the command starts', 'none'),
		)
		.option('--timeout <seconds>', 'time limit on an idle host (default: none)', numberOf('seconds', 0.1, 1_000_000))
		.addOption(saveMemoryOption())
		.addOption(sourceOption())
		.addOption(acceleratorOption())
		.addHelpText(
			'after',
			`
Exit status: with one kernel that of the command; with several kernels 0 if it
was 0 on all, else 1. If a kernel crashed or hung 1, 2 wrong usage or set-up,
3 something could not run, 130 interrupted.

Example: probe-matrix exec --kernel debian-6.12 --module ./ring -- cat /dev/ring`,
		)
		.action(async (words: readonly string[], options: ExecOptions) => {
			process.exitCode = await exec(words, options, signal);
		});
}

async function exec(words: readonly string[], options: ExecOptions, signal: AbortSignal): Promise<number> {
	const {kernel, copy, source, accel, timeout, saveMemory} = options;
	const from = {signal, ...(source !== undefined && {source})};
	const files = readCopies(copy);
	const suite = await suiteOf(options);
	const {kernels, notice} = await chooseKernels(kernel, suite.kernels, from);
	if (notice) say(notice);
	const isOne = kernels.length === 1;
	// Several commands cannot share a stream.
	const stdin = isOne ? process.stdin : process.stdin.isTTY ? undefined : await buffer(process.stdin);
	const outputs = new Map(kernels.map(id => [id, isOne ? plainOutput : prefixed(id)]));
	const ends = new Map<string, CommandEnd>();
	const cells = kernels.flatMap(id =>
		planCells({
			...{kernels: [id], suite},
			cases: [
				commandCase(words, {
					...{files, stdin, output: outputs.get(id)!},
					deadlineMs: timeout === undefined ? Number.POSITIVE_INFINITY : timeout * 1000,
					onEnd: end => ends.set(id, end),
				}),
			],
		}),
	);
	const finished: CellEvent[] = [];
	const kernelEvents: KernelEvent[] = [];
	const {end, consoles} = await runKernels({
		...{...from, suite, cells, accelerator: accel, isConfirming: false},
		...(saveMemory && {memories: new MemorySaver()}),
		emit(event) {
			if (event.type === 'cell' && event.case === cells[0]!.case) finished.push(event);
			if (event.type === 'kernel') kernelEvents.push(event);
		},
	});
	process.stdin.unref?.();
	const again = ['npx', 'probe-matrix', ...process.argv.slice(2)].map(quote).join(' ');
	for (const each of unusableKernels(kernelEvents)) process.stderr.write(`${formatKernelFailure(each, {again})}\n`);
	const isCommands = ({verdict, kernel: id}: CellEvent) => verdict === 'pass' || (verdict === 'fail' && ends.has(id));
	const bad = finished.filter(cell => !isCommands(cell));
	for (const cell of bad) process.stderr.write(`${formatFailure(cell, {again})}\n`);
	if (bad.length > 0) say(`consoles are in ${consoles}`);
	const [first] = finished;
	if (isOne && first && isCommands(first)) return statusOf(ends.get(first.kernel)!);
	if (!isOne) process.stderr.write(formatStatuses(kernels, {finished, kernelEvents, ends}));
	return end.exitCode;
}

const plainOutput: Output = {
	onStdout: chunk => void process.stdout.write(chunk),
	onStderr: chunk => void process.stderr.write(chunk),
	end() {},
};

/** As a shell reports the end of a command. */
function statusOf({code, signal}: CommandEnd): number {
	if (signal === undefined) return code ?? 0;
	const numbers: Readonly<Record<string, number>> = os.constants.signals;
	return 128 + (numbers[`SIG${signal}`] ?? 0);
}
