// SPDX-License-Identifier: GPL-2.0
import * as z from 'zod';
import {verdicts} from './verdict.ts';

/**
 * The schema of events. Types, checks and `docs/events.schema.json` are derived from it. Only code that reads events
 * imports it at run time; everything else imports types only, to avoid loading zod.
 */
export const schemaNumber = 1;

const verdict = z
	.enum(verdicts)
	.describe(
		'pass; known: an assertion failed, as the suite lists for this cell; fail: an assertion; crash: the kernel died or complained; hang: no answer in time; inconclusive: a race that did not overlap enough to prove anything; skip: does not apply here; infra: the fault of the harness or the host',
	);
const text = z.string();
const count = z.int().nonnegative();
const ms = z.number().describe('milliseconds');
const names = z.array(text).readonly();

/** A cell: kernel × mechanism × case, and the kind of target if the case has several. */
const cellName = {
	kernel: text.describe('the id of the kernel'),
	mechanism: text.describe('how functions are probed'),
	case: text.describe('suite/name'),
	target: text.optional().describe('the kind of probed function, if the case has several'),
	alternative: z
		.literal(true)
		.optional()
		.describe("the mechanism is another one than the suite's first, so titles name it"),
};
const repeat = count.describe('from 0');

const suiteOptions = text
	.optional()
	.describe('for what failed: the options of run that choose the suite and the mechanism, if they are not the default');

const shard = z.object({
	index: count.describe('from 1'),
	parts: z.array(names).readonly().describe('the kernels of all shards, in order; shards of one run have the same'),
});

const run = z
	.object({
		type: z.literal('run'),
		schema: z.literal(schemaNumber),
		id: text.regex(/^[\w.+-]+$/),
		startedAt: text.refine(value => !Number.isNaN(Date.parse(value))).describe('ISO 8601'),
		host: z.object({release: text, cpus: count, memoryMib: count}).readonly(),
		accelerator: z
			.object({
				name: text,
				reason: text,
				speed: z.number().optional().describe('millions of iterations of an empty loop in a guest per second'),
			})
			.readonly(),
		versions: z.record(text, text).readonly().describe('of tools and of sources, by hash'),
		cells: count.describe('how many were planned'),
		order: z
			.object({suites: names, targets: names})
			.readonly()
			.optional()
			.describe('suites and targets in the order of the plan'),
		command: z.enum(['nightly', 'merge', 'bench']).optional().describe('what made it, if not run'),
		shard: shard.readonly().optional().describe('it is one shard of a larger run'),
	})
	.describe('The first event.');

const kernel = z
	.object({
		type: z.literal('kernel'),
		suite: suiteOptions,
		kernel: text,
		state: z.enum(['ready', 'unavailable', 'failed']),
		release: text.optional(),
		bootMs: ms.optional(),
		reason: text.optional().describe('why it cannot be used'),
		console: text.optional().describe('the last lines of its guest'),
		notRun: count.optional().describe('cells without an event of their own, because the kernel cannot be used'),
	})
	.describe('A kernel is ready, or cannot be used.');

const pushed = z
	.object({
		type: z.literal('pushed'),
		kernel: text,
		bytes: count.describe('of the tar stream'),
		ms: ms.describe('milliseconds from the start of the SSH connection to the last file'),
	})
	.describe(
		'Modules, programs and other files were pushed into a guest; guests restored from its snapshot have them as well.',
	);

const started = z
	.object({type: z.literal('started'), ...cellName, repeat})
	.describe('Written before a cell begins, so that any death is attributed.');

const ended = z
	.object({type: z.literal('ended'), ...cellName, repeat, verdict, durationMs: ms})
	.describe('A case has ended; a kernel report in the next second may still change the verdict.');

const cell = z
	.object({
		type: z.literal('cell'),
		...cellName,
		repeat,
		verdict,
		durationMs: ms,
		message: text
			.optional()
			.describe('the reason, for every verdict but pass; for pass, that the cell is listed as failing'),
		evidence: z.record(text, z.unknown()).readonly().optional(),
		again: z
			.object({verdict, message: text.optional()})
			.readonly()
			.optional()
			.describe('the rerun in a fresh guest; the verdict stays that of the first run'),
		flaky: z.literal(true).optional().describe('the rerun passed'),
		console: text.optional().describe('console lines of the guest that belong to this cell'),
		consolePath: text.optional().describe('the whole console, on the host that ran the cell'),
		memory: z
			.object({path: text, bytes: count})
			.readonly()
			.optional()
			.describe('what the guest had in memory, for crash and drgn, on the host that ran the cell'),
		suite: suiteOptions,
	})
	.describe('The final verdict of a cell.');

const measurement = z
	.object({
		type: z.literal('measurement'),
		kernel: text,
		what: text,
		unit: text.describe('ms, MiB, …; empty for counts'),
		budget: z.number().optional(),
		values: z.array(z.number()).min(1).readonly(),
	})
	.describe('What npm run bench measured, several times, and its budget if there is one.');

const findingKinds = ['crash', 'regression', 'kernel', 'flaky', 'known', 'passesAgain', 'idle'] as const;

const finding = z.object({
	kind: z.enum(findingKinds),
	kernel: text.optional(),
	cell: text.optional().describe('entry/flags[asm]; absent for a whole kernel'),
	words: text,
});

const end = z
	.object({
		type: z.literal('end'),
		counts: z.record(z.enum(verdicts), count).readonly(),
		notRun: count.optional().describe('cells without a verdict, because their kernel could not be used'),
		durationMs: ms,
		exitCode: count,
		findings: z.array(finding.readonly()).readonly().optional().describe('of a nightly run'),
	})
	.describe('The last event; a run without it was interrupted, or is in progress.');

/** Any event. Unknown fields are allowed, so that older readers accept newer writers. */
export const eventSchema = z
	.discriminatedUnion('type', [run, kernel, pushed, started, ended, cell, measurement, end])
	.describe('One line of --json: one event of a run.');

/** The text of docs/events.schema.json. */
export function eventJsonSchema(): string {
	return `${JSON.stringify(z.toJSONSchema(eventSchema, {io: 'input'}), null, '\t')}\n`;
}

export type CellName = Readonly<z.infer<z.ZodObject<typeof cellName>>>;
export type Shard = Readonly<z.infer<typeof shard>>;
export type RunEvent = Readonly<z.infer<typeof run>>;
export type KernelEvent = Readonly<z.infer<typeof kernel>>;
export type PushedEvent = Readonly<z.infer<typeof pushed>>;
export type StartedEvent = Readonly<z.infer<typeof started>>;
export type EndedEvent = Readonly<z.infer<typeof ended>>;
export type CellEvent = Readonly<z.infer<typeof cell>>;
export type MeasurementEvent = Readonly<z.infer<typeof measurement>>;
export type NightFinding = Readonly<z.infer<typeof finding>>;
export type EndEvent = Readonly<z.infer<typeof end>>;
export type Event =
	| RunEvent
	| KernelEvent
	| PushedEvent
	| StartedEvent
	| EndedEvent
	| CellEvent
	| MeasurementEvent
	| EndEvent;
