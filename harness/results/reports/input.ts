import type {Comparison, DurationHistory} from '../compare.ts';
import type {RunRecord} from '../read-run.ts';
import type {Trend} from '../trends.ts';

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
