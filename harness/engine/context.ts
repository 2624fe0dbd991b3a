// SPDX-License-Identifier: GPL-2.0
import assert from 'node:assert/strict';
import {setTimeout as sleep} from 'node:timers/promises';
import type {Guest} from '../guest/guest.ts';
import {quoted} from '../host/quote.ts';
import {type CaseContext, InconclusiveCase, SkipCase, type Subtest} from './case.ts';
import type {Cell} from './plan.ts';
import {streamCommand} from './stream-command.ts';

export type ContextOptions = {
	readonly cell: Cell;
	readonly guest: Guest;
	/** The text that marks the begin of the cell in the kernel log. */
	readonly mark: string;
	readonly signal: AbortSignal;
};

export type OpenContext = {
	readonly context: CaseContext;
	readonly evidence: Record<string, unknown>;
	readonly subtests: Subtest[];
	/** Undoes what the case did, the last step first. */
	close(): Promise<void>;
};

/** The context of one cell, with what its suite adds, and its evidence so far. */
export function openContext({cell, guest, mark, signal}: ContextOptions): OpenContext {
	const evidence: Record<string, unknown> = {};
	const subtests: Subtest[] = [];
	const undo: (() => Promise<unknown>)[] = [];
	const from = guest.console.end;
	const context: CaseContext = {
		target: cell.target,
		signal,
		exec: command => guest.exec(command),
		stream: (command, streams) => streamCommand(guest, command, {...streams, signal}),
		push: (...files) => guest.push(...files),
		async pull(path) {
			const {code, stdout, stderr} = await guest.exec(`base64 < ${quoted(path)}`);
			assert.equal(code, 0, `${path} cannot be read in the guest: ${stderr.trim()}`);
			return Buffer.from(stdout, 'base64');
		},
		async console() {
			await guest.console.refresh();
			return guest.console.from(from);
		},
		async dmesg() {
			const {stdout} = await guest.exec('dmesg');
			const at = stdout.lastIndexOf(`probe-matrix: ${mark}\n`);
			return at < 0 ? stdout : stdout.slice(stdout.indexOf('\n', at) + 1);
		},
		release: guest.release,
		hasOption: option => guest.hasOption(option),
		evidence(name, value) {
			evidence[name] = value;
		},
		subtest(subtest) {
			subtests.push(subtest);
		},
		isEmulated: guest.isEmulated ?? false,
		async during(ms) {
			await sleep(ms * guest.slowness, undefined, {signal});
		},
		skip(reason) {
			throw new SkipCase(reason);
		},
		inconclusive(reason) {
			throw new InconclusiveCase(reason);
		},
	};
	const {ask, addresses} = guest;
	const more = cell.suite.open?.({
		mechanism: cell.mechanismUsed,
		target: cell.target,
		context,
		ask,
		addresses,
		undo: step => void undo.push(step),
	});
	return {
		context: {...context, ...more},
		evidence,
		subtests,
		async close() {
			const errors: unknown[] = [];
			for (const step of undo.reverse()) {
				try {
					await step();
				} catch (error) {
					errors.push(error);
				}
			}
			if (errors.length > 0) throw errors[0];
		},
	};
}
