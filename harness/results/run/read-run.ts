// SPDX-License-Identifier: GPL-2.0
import {readFile} from 'node:fs/promises';
import * as z from 'zod';
import {messageOf, UsageError} from '../../host/errors.ts';
import type {CellEvent, EndEvent, Event, KernelEvent, MeasurementEvent, RunEvent} from './events.ts';
import {eventSchema, schemaNumber} from './events.ts';

/** A run, as read from its events. */
export type RunRecord = {
	readonly run: RunEvent;
	readonly kernels: readonly KernelEvent[];
	readonly cells: readonly CellEvent[];
	/** Measurements of a bench, which has no cells. */
	readonly measurements: readonly MeasurementEvent[];
	readonly end?: EndEvent;
	/** It has no end event: it was killed or is in progress. The events that it has are valid. */
	readonly isInterrupted: boolean;
};

/** Reads a file of events. Throws UsageError, with the line number, when it is invalid. */
export async function readRun(file: string): Promise<RunRecord> {
	let text: string;
	try {
		text = await readFile(file, 'utf8');
	} catch (error) {
		throw new UsageError(`The events cannot be read: ${messageOf(error)}`, {cause: error});
	}
	return parseRun(text, file);
}

/** Like readRun, from text; `name` is for messages. */
export function parseRun(text: string, name: string): RunRecord {
	const lines = text.split('\n');
	// Each line is written with its newline in one write: a line without it was cut by a kill or a full disk.
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
	// There is at least one line, and the first is the run event.
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
		// The caller decides what that means.
		return undefined;
	}
}

const headerSchema = z.looseObject({type: z.string(), schema: z.unknown()}).partial();

const eventTypes = eventSchema.options.map(option => option.shape.type.value);

function parseEvent(line: string, at: At): Event {
	const value = tryParse(line);
	const header = headerSchema.safeParse(value).data;
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
	// The value itself, not zod's copy: unknown fields of newer writers are kept.
	return value as Event;
}
