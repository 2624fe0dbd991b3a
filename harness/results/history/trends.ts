// SPDX-License-Identifier: GPL-2.0
import type {MeasurementEvent} from '../run/events.ts';
import type {RunRecord} from '../run/read-run.ts';
import {median} from '../run/statistics.ts';
import type {Measured} from './index-rows.ts';

/** A measurement over time. */
export type Trend = Pick<MeasurementEvent, 'kernel' | 'what' | 'unit' | 'budget'> & {
	/** Oldest first; at least one. */
	readonly points: readonly {readonly run: string; readonly value: number}[];
};

const mostPoints = 30;

/** Trends by kernel, then in the order of measuring. A run that is in both arguments counts once. */
export function trendsOf(kept: readonly Measured[], records: readonly RunRecord[] = []): readonly Trend[] {
	const known = new Set(kept.map(({run}) => run));
	const others = records.filter(({run}) => !known.has(run.id)).flatMap(measuredIn);
	const all = [...kept, ...others].toSorted((a, b) => (a.run < b.run ? -1 : Number(a.run > b.run)));
	const series = Map.groupBy(all, ({kernel, what, unit}) => JSON.stringify([kernel, what, unit]));
	return [...series.values()]
		.map(same => {
			const {kernel, what, unit, budget} = same.at(-1)!;
			const points = same.map(({run, value}) => ({run, value}));
			return {kernel, what, unit, ...(budget !== undefined && {budget}), points: points.slice(-mostPoints)};
		})
		.toSorted((a, b) => (a.kernel < b.kernel ? -1 : Number(a.kernel > b.kernel)));
}

function measuredIn({run, measurements}: RunRecord): readonly Measured[] {
	return measurements.map(({kernel, what, unit, budget, values}) => ({
		run: run.id,
		kernel,
		what,
		unit,
		...(budget !== undefined && {budget}),
		value: median(values),
	}));
}
