import type {Comparison, DurationHistory} from '../compare/compare-runs.ts';
import type {Trend} from '../history/trends.ts';
import type {RunRecord} from '../run/read-run.ts';

/** All that a report is made from. */
export type ReportInput = {
	readonly record: RunRecord;
	/** Against a baseline. */
	readonly comparison?: Comparison;
	/** What cells took in earlier runs, the oldest first. */
	readonly history?: DurationHistory;
	/** What benches measured. */
	readonly trends?: readonly Trend[];
};
