// SPDX-License-Identifier: GPL-2.0
import {isFailure} from '../results/run/verdict.ts';
import {retryPolicy} from './retry-policy.ts';
import type {CellOutcome} from './run-cell.ts';

/** Reruns failed cells to tell flaky ones from broken ones. All workers of a run share one instance. */
export class FailureReruns {
	#failed = 0;

	/**
	 * The outcome of `rerun`; undefined if this outcome needs no rerun or enough reruns of the run have failed already.
	 */
	async confirm(outcome: CellOutcome, rerun: () => Promise<CellOutcome | undefined>): Promise<CellOutcome | undefined> {
		const isBad = isFailure(outcome) || outcome.verdict === 'infra';
		if (!isBad || this.#failed >= retryPolicy.confirmationsPerRun) return undefined;
		const again = await rerun();
		if (again && again.verdict !== 'pass') this.#failed++;
		return again;
	}
}
