import {readFile} from 'node:fs/promises';
import {messageOf, UsageError} from '../host/errors.ts';
import {
	type CellEvent,
	type EndEvent,
	type Event,
	eventSchema,
	findingKinds,
	type KernelEvent,
	type MeasurementEvent,
	type RunEvent,
	verdicts,
} from './events.ts';

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
		throw new UsageError(`${name} holds no events${cut === '' ? '' : ': its first line is cut off or none of ours'}.`);

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
			if (run)
				throw damaged(at, 'the events of one run, and here another begins (`probe-matrix merge` makes one of many)');
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

type Check = (value: unknown) => boolean;

const isText: Check = value => typeof value === 'string';
const isNumber: Check = value => typeof value === 'number' && Number.isFinite(value);
const isRecord = (value: unknown): value is Record<string, unknown> =>
	typeof value === 'object' && value !== null && !Array.isArray(value);
const isMissingOr =
	(check: Check): Check =>
	value =>
		value === undefined || check(value);
const isOneOf =
	(words: readonly string[]): Check =>
	value =>
		words.some(word => word === value);

const cellName = {
	kernel: isText,
	mechanism: isText,
	case: isText,
	target: isMissingOr(isText),
	repeat: isNumber,
};

const isFinding: Check = value =>
	isRecord(value) &&
	isOneOf(findingKinds)(value.kind) &&
	isText(value.words) &&
	isMissingOr(isText)(value.kernel) &&
	isMissingOr(isText)(value.cell);

/** What reports rely on; everything else is taken as it is. */
const fields: Readonly<Record<Event['type'], Readonly<Record<string, Check>>>> = {
	run: {
		schema: isNumber,
		id: value => isText(value) && /^[\w.+-]+$/.test(value as string),
		startedAt: value => isText(value) && !Number.isNaN(Date.parse(value as string)),
		host: isRecord,
		accelerator: isRecord,
		versions: isRecord,
		cells: isNumber,
	},
	kernel: {
		kernel: isText,
		state: isOneOf(['ready', 'unavailable', 'failed']),
		reason: isMissingOr(isText),
		console: isMissingOr(isText),
		notRun: isMissingOr(isNumber),
	},
	pushed: {kernel: isText, bytes: isNumber, ms: isNumber},
	started: cellName,
	ended: {...cellName, verdict: isOneOf(verdicts), durationMs: isNumber},
	cell: {
		...cellName,
		verdict: isOneOf(verdicts),
		durationMs: isNumber,
		message: isMissingOr(isText),
		evidence: isMissingOr(isRecord),
		console: isMissingOr(isText),
	},
	measurement: {
		kernel: isText,
		what: isText,
		unit: isText,
		budget: isNumber,
		values: value => Array.isArray(value) && value.length > 0 && value.every(isNumber),
	},
	end: {
		counts: value => isRecord(value) && verdicts.every(verdict => isNumber(value[verdict])),
		notRun: isMissingOr(isNumber),
		durationMs: isNumber,
		exitCode: isNumber,
		findings: isMissingOr(value => Array.isArray(value) && value.every(isFinding)),
	},
};

function parseEvent(line: string, at: At): Event {
	const value = tryParse(line);
	if (!isRecord(value)) throw damaged(at, 'a JSON object, one event');
	const {type} = value;
	if (type === 'run' && typeof value.schema === 'number' && value.schema !== eventSchema)
		throw new UsageError(
			`${at.name} has events of schema ${value.schema}, and this probe-matrix reads schema ${eventSchema}: a newer one wrote it. Update.`,
		);
	if (typeof type !== 'string' || !Object.hasOwn(fields, type))
		throw damaged(at, `an event whose type is one of ${Object.keys(fields).join(', ')}`);
	// Just checked: it is one of them.
	const wrong = Object.entries(fields[type as Event['type']]).find(([field, check]) => !check(value[field]));
	if (wrong) throw damaged(at, `an event of type "${type}" with a proper "${wrong[0]}"`);
	return value as Event;
}
