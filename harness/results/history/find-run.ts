import {UsageError} from '../../host/errors.ts';
import {isComparable, type StoredRun} from './index-rows.ts';
import type {HistoryStore} from './store.ts';

/** A history that is too young to hold what is asked for. */
export class NoSuchRunYetError extends UsageError {
	override readonly name = 'NoSuchRunYetError';
}

/**
 * The run that a person means: `last`, `last-green`, an id or the beginning of one. Parts of a larger run are neither last
 * nor green, nor is a bench, one that goes on still, or the one that it is to be compared with. Throws UsageError where
 * there is none, or several.
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
			throw new NoSuchRunYetError(`Of the ${whole.length} runs in the history none is green (exit status 0).`);
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
