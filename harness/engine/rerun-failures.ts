import {isFailure} from '../results/run/verdict.ts';
import {retryPolicy} from './retry-policy.ts';
import type {CellOutcome} from './run-cell.ts';

/** Reruns failed cells of a run, to tell flaky ones from broken ones; shared by all workers of the run. */
export class FailureReruns {
	#failed = 0;

	/** The outcome of `rerun`, or nothing if this outcome needs none or enough reruns of the run have failed. */
	async confirm(outcome: CellOutcome, rerun: () => Promise<CellOutcome | undefined>): Promise<CellOutcome | undefined> {
		const isBad = isFailure(outcome) || outcome.verdict === 'infra';
		if (!isBad || this.#failed >= retryPolicy.confirmationsPerRun) return undefined;
		const again = await rerun();
		if (again && again.verdict !== 'pass') this.#failed++;
		return again;
	}
}
