// SPDX-License-Identifier: GPL-2.0
import {StringDecoder} from 'node:string_decoder';
import type {CommandEnd} from '../link/running-command.ts';
import type {CellEvent, KernelEvent} from '../results/run/events.ts';
import type {Output} from './exec-command.ts';

/** Puts the kernel in front of each line, because the commands of several kernels run side by side. */
export function prefixed(kernel: string, to: Pick<typeof process, 'stdout' | 'stderr'> = process): Output {
	const [stdout, stderr] = [lines(kernel, to.stdout), lines(kernel, to.stderr)];
	return {
		onStdout: stdout.push,
		onStderr: stderr.push,
		end() {
			stdout.end();
			stderr.end();
		},
	};
}

function lines(kernel: string, to: {write(text: string): unknown}) {
	const decoder = new StringDecoder();
	let rest = '';
	const show = (line: string) => to.write(`${kernel}: ${line}\n`);
	return {
		push(chunk: Buffer) {
			const parts = (rest + decoder.write(chunk)).split('\n');
			rest = parts.pop()!;
			for (const line of parts) show(line);
		},
		end() {
			if (rest !== '') show(rest);
			rest = '';
		},
	};
}

type Finished = {
	readonly finished: readonly CellEvent[];
	readonly kernelEvents: readonly KernelEvent[];
	readonly ends: ReadonlyMap<string, CommandEnd>;
};

/** A line for each kernel: how the command ended there, or why it did not. */
export function formatStatuses(kernels: readonly string[], {finished, kernelEvents, ends}: Finished): string {
	const width = Math.max(...kernels.map(({length}) => length));
	const wordsOf = (kernel: string): string => {
		const cell = finished.find(each => each.kernel === kernel);
		if (!cell)
			return kernelEvents.find(event => event.kernel === kernel && event.state !== 'ready')?.state ?? 'not run';
		const end = ends.get(kernel);
		if (end && (cell.verdict === 'pass' || cell.verdict === 'fail'))
			return end.signal === undefined ? `exit status ${end.code}` : `killed by SIG${end.signal}`;
		return `${cell.verdict}: ${cell.message?.split('\n', 1)[0] ?? ''}`;
	};
	return kernels.map(kernel => `${kernel.padEnd(width)}  ${wordsOf(kernel)}\n`).join('');
}
