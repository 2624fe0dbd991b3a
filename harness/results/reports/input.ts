// SPDX-License-Identifier: GPL-2.0
import type {Comparison, DurationHistory} from '../compare/compare-runs.ts';
import type {Trend} from '../history/trends.ts';
import type {RunRecord} from '../run/read-run.ts';

/** Input of all report formats. */
export type ReportInput = {
	readonly record: RunRecord;
	/** Against the baseline. */
	readonly comparison?: Comparison;
	/** Durations in earlier runs, in ms, oldest first. */
	readonly history?: DurationHistory;
	/** Measurements of benches. */
	readonly trends?: readonly Trend[];
};
