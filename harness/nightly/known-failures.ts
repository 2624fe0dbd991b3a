// SPDX-License-Identifier: GPL-2.0
import {readFile} from 'node:fs/promises';
import {messageOf, UsageError} from '../host/errors.ts';
import {cellTitle} from '../results/run/cell-name.ts';
import type {CellName} from '../results/run/events.ts';

/** A known failure. The file is a JSON list of these, edited by hand. */
export type KnownFailure = {
	/** Default: all kernels. */
	readonly kernel?: string;
	/** `suite/name`. */
	readonly case: string;
	/** Default: all targets. */
	readonly target?: string;
	/** Default: all mechanisms. */
	readonly mechanism?: string;
	/** A date or a run's id. */
	readonly since: string;
	readonly reason?: string;
	readonly issue?: string;
};

const allowed = new Set(['kernel', 'case', 'target', 'mechanism', 'since', 'reason', 'issue']);

/** Reads the list. Throws UsageError that names the entry and the wrong field. */
export async function readKnownFailures(file: string): Promise<readonly KnownFailure[]> {
	let value: unknown;
	try {
		value = JSON.parse(await readFile(file, 'utf8'));
	} catch (error) {
		throw new UsageError(`The known failures cannot be read: ${messageOf(error)} (${file})`, {cause: error});
	}
	if (!Array.isArray(value)) throw new UsageError(`${file}: expected a list of known failures.`);
	for (const [index, entry] of value.entries()) {
		const wrong = wrongIn(entry);
		if (wrong) throw new UsageError(`${file}, entry ${index + 1}: ${wrong}.`);
	}
	return value as KnownFailure[];
}

function wrongIn(entry: unknown): string | undefined {
	if (typeof entry !== 'object' || entry === null) return 'expected an object';
	const fields = new Map<string, unknown>(Object.entries(entry));
	for (const [field, value] of fields) {
		// A misspelt `target` would otherwise excuse more cells than intended.
		if (!allowed.has(field)) return `there is no field "${field}", only ${[...allowed].join(', ')}`;
		if (typeof value !== 'string' || value === '') return `"${field}" must be a string`;
	}
	if (!fields.has('case') || !fields.has('since')) return '"case" and "since" are required';
	return fields.has('reason') || fields.has('issue') ? undefined : '"reason" or "issue" is required';
}

/** Whether an entry applies to a cell; a missing field matches any. */
export function isMatch(known: KnownFailure, cell: CellName): boolean {
	return (
		known.case === cell.case &&
		(known.kernel === undefined || known.kernel === cell.kernel) &&
		(known.target === undefined || known.target === cell.target) &&
		(known.mechanism === undefined || known.mechanism === cell.mechanism)
	);
}

/** The case, with target and mechanism as far as the entry has them. */
export function titleOf(known: KnownFailure): string {
	const {mechanism = ''} = known;
	return cellTitle({kernel: '', ...known, mechanism, ...(mechanism !== '' && {alternative: true})});
}

/** For example `debian-6.1 entry/flags[asm]`, as far as the entry has the fields. */
export function knownTitle(known: KnownFailure): string {
	const title = titleOf(known);
	return known.kernel === undefined ? title : `${known.kernel} ${title}`;
}
