import {readFile} from 'node:fs/promises';
import * as z from 'zod';
import {messageOf, UsageError} from '../../host/errors.ts';
import type {CellEvent, EndEvent, Event, KernelEvent, MeasurementEvent, RunEvent} from './events.ts';
import {eventSchema, schemaNumber} from './events.ts';

/** What is known of a run from its events. */
export type RunRecord = {
	readonly run: RunEvent;
	readonly kernels: readonly KernelEvent[];
	readonly cells: readonly CellEvent[];
	/** What a bench is made of, in place of cells. */
	readonly measurements: readonly MeasurementEvent[];
	readonly end?: EndEvent;
	/** It has no end: it was killed, or goes on still. What it holds is true, but nothing can be said of the rest. */
	readonly isInterrupted: boolean;
};

/** Reads a file of events. Throws UsageError, with the number of the line, where it is none. */
export async function readRun(file: string): Promise<RunRecord> {
	let text: string;
	try {
		text = await readFile(file, 'utf8');
	} catch (error) {
		throw new UsageError(`The events cannot be read: ${messageOf(error)}`, {cause: error});
	}
	return parseRun(text, file);
}

/** The same from text; `name` is what messages call it. */
export function parseRun(text: string, name: string): RunRecord {
	const lines = text.split('\n');
	// Each line is written with its end by one write: one without was cut off by a kill or a full disk.
	const cut = lines.pop()!;
	if (cut !== '' && tryParse(cut) !== undefined) lines.push(cut);
	if (lines.length === 0)
		throw new UsageError(`${name} holds no events${cut === '' ? '' : ': its first line is cut off or not an event'}.`);

	let run: RunEvent | undefined;
	let end: EndEvent | undefined;
	const kernels: KernelEvent[] = [];
	const cells: CellEvent[] = [];
	const measurements: MeasurementEvent[] = [];
	for (const [index, line] of lines.entries()) {
		const at = {name, line: index + 1};
		const event = parseEvent(line, at);
		if (run === undefined && event.type !== 'run') throw damaged(at, 'the event of type "run" that comes first');
		if (end) throw damaged(at, 'nothing after the event of type "end"');
		if (event.type === 'run') {
			if (run) throw damaged(at, 'the events of one run, but another begins here (`probe-matrix merge` joins runs)');
			run = event;
		}
		if (event.type === 'kernel') kernels.push(event);
		if (event.type === 'cell') cells.push(event);
		if (event.type === 'measurement') measurements.push(event);
		if (event.type === 'end') end = event;
	}
	// There is at least one line, and the first is of a run.
	return {run: run!, kernels, cells, measurements, ...(end && {end}), isInterrupted: end === undefined};
}

type At = {readonly name: string; readonly line: number};

function damaged({name, line}: At, expected: string): UsageError {
	return new UsageError(`${name}, line ${line}: expected ${expected}.`);
}

function tryParse(text: string): unknown {
	try {
		return JSON.parse(text);
	} catch {
		// The caller knows what that means.
		return undefined;
	}
}

const eventTypes = eventSchema.options.map(option => option.shape.type.value);

function parseEvent(line: string, at: At): Event {
	const value = tryParse(line);
	const header = z.looseObject({type: z.string(), schema: z.unknown()}).partial().safeParse(value).data;
	if (!header) throw damaged(at, 'a JSON object, one event');
	const {type, schema} = header;
	if (type === 'run' && typeof schema === 'number' && schema !== schemaNumber)
		throw new UsageError(
			`${at.name} has events of schema ${schema}, and this probe-matrix reads schema ${schemaNumber}: a newer version wrote it. Update.`,
		);
	const {error} = eventSchema.safeParse(value);
	const [issue] = error?.issues ?? [];
	if (issue?.code === 'invalid_union') throw damaged(at, `an event whose type is one of ${eventTypes.join(', ')}`);
	if (issue) throw damaged(at, `an event of type "${type}" with a proper "${issue.path.join('.')}" (${issue.message})`);
	// Unknown fields stay: a newer version may have written them.
	return value as Event;
}
