// SPDX-License-Identifier: GPL-2.0
import {UsageError} from '../../host/errors.ts';
import {counted} from '../run/counted.ts';
import {isComparable, type StoredRun} from './index-rows.ts';
import type {HistoryStore} from './store.ts';

/** The history has no such run yet. */
export class NoSuchRunYetError extends UsageError {
	override readonly name = 'NoSuchRunYetError';
}

/**
 * Finds a run by `last`, `last-green`, an id or a prefix of one. `last` and `last-green` ignore shards, benches, runs
 * in progress and the run `besides`, which the result is compared with. Throws UsageError when no run or several match.
 */
export function findRun(
	store: Pick<HistoryStore, 'runs' | 'problems'>,
	name: string,
	{besides}: {readonly besides?: string} = {},
): StoredRun {
	const runs = store.runs();
	const whole = runs.filter(run => isComparable(run) && run.id !== besides);
	if (name === 'last') {
		const last = whole.at(-1);
		if (!last) throw new NoSuchRunYetError(`The history holds no ${besides === undefined ? '' : 'other '}run yet.`);
		return last;
	}
	if (name === 'last-green') {
		const green = whole.findLast(({isGreen}) => isGreen);
		if (!green)
			throw new NoSuchRunYetError(
				`The history holds ${counted(whole.length, 'run')}, none of them green (exit status 0).`,
			);
		return green;
	}
	const meant = runs.filter(({id}) => id.startsWith(name));
	const [run] = meant;
	if (run && (meant.length === 1 || run.id === name)) return run;
	if (run)
		throw new UsageError(
			`${name} is ambiguous: it matches ${meant.length} runs, from ${run.id} to ${meant.at(-1)!.id}.`,
		);
	const problem = store.problems().find(({id}) => id === name);
	throw new UsageError(problem ? problem.problem : `There is no run ${name} in the history.`);
}
