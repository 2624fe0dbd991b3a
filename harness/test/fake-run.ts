// SPDX-License-Identifier: GPL-2.0
import {countVerdicts} from '../results/run/cell-name.ts';
import type {CellEvent, EndEvent, Event, KernelEvent, RunEvent} from '../results/run/events.ts';
import {exitCode, type Verdict} from '../results/run/verdict.ts';

export type FakeRun = {
	readonly id?: string;
	/** By `KERNEL SUITE/NAME[TARGET]`: how each repeat ended, as a verdict or with more fields. */
	readonly cells?: Readonly<Record<string, Verdict | readonly (Verdict | Partial<CellEvent>)[]>>;
	readonly kernels?: readonly KernelEvent[];
	readonly run?: Partial<RunEvent>;
	readonly isInterrupted?: boolean;
	readonly exitCode?: number;
};

/** The events of a run. */
export function fakeRun({id = '20260101T000000Z-0000', cells = {}, kernels, ...options}: FakeRun): readonly Event[] {
	const cellEvents = Object.entries(cells).flatMap(([title, ends]) => fakeCells(title, ends));
	const run: RunEvent = {
		type: 'run',
		schema: 1,
		id,
		startedAt: '2026-01-01T00:00:00.000Z',
		host: {release: '6.1', cpus: 2, memoryMib: 4096},
		accelerator: {name: 'tcg', reason: 'a test'},
		versions: {node: 'v24', qemu: '10'},
		cells: cellEvents.length,
		...options.run,
	};
	const counts = countVerdicts(cellEvents);
	const end: EndEvent = {
		type: 'end',
		counts,
		durationMs: 1000,
		exitCode: options.exitCode ?? exitCode(counts, {isKernelMissing: false}),
	};
	const ready = [...new Set(cellEvents.map(({kernel}) => kernel))].map(
		kernel => ({type: 'kernel', kernel, state: 'ready', release: '6.1.0', bootMs: 100}) as const,
	);
	return [run, ...(kernels ?? ready), ...cellEvents, ...(options.isInterrupted ? [] : [end])];
}

export function asText(events: readonly Event[]): string {
	return events.map(event => `${JSON.stringify(event)}\n`).join('');
}

function fakeCells(title: string, ends: Verdict | readonly (Verdict | Partial<CellEvent>)[]): CellEvent[] {
	const [, kernel, id, target] = /^(\S+) ([^[]+)(?:\[(.+)\])?$/.exec(title)!;
	return (typeof ends === 'string' ? [ends] : ends).map((end, repeat) => {
		const given = typeof end === 'string' ? {verdict: end} : end;
		const {verdict = 'pass'} = given;
		return {
			type: 'cell',
			kernel: kernel!,
			mechanism: 'bprobe',
			case: id!,
			...(target !== undefined && {target}),
			repeat,
			verdict,
			durationMs: 100,
			...(verdict !== 'pass' && {message: `a ${verdict}`}),
			...given,
		};
	});
}
