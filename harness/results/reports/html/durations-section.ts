// SPDX-License-Identifier: GPL-2.0
import type {DurationHistory} from '../../compare/compare-runs.ts';
import {cellTitle} from '../../run/cell-name.ts';
import {summarizeCells} from '../../run/cell-summary.ts';
import type {CellEvent} from '../../run/events.ts';
import {median} from '../../run/statistics.ts';
import {html, type Markup} from './markup.ts';
import {sparkline} from './sparkline.ts';
import {seconds} from './summary.ts';

const mostRows = 60;

/** The slowest cells, or with a history, those whose durations changed most. */
export function durationsSection(cells: readonly CellEvent[], history?: DurationHistory): Markup {
	const rows = [...summarizeCells(cells).values()].map(cell => {
		const earlier = history?.(cell) ?? [];
		const nowMs = cell.summary.durationMs;
		const factor = earlier.length > 0 ? Math.max(1, nowMs) / Math.max(1, median(earlier)) : 1;
		return {
			name: `${cell.kernel} › ${cellTitle(cell)}`,
			nowMs,
			earlier,
			factor,
			isPass: cell.summary.verdict === 'pass',
		};
	});
	const passed = rows.filter(({isPass}) => isPass);
	const withHistory = passed.filter(({earlier}) => earlier.length > 0);
	const isHistory = withHistory.length > 0;
	const sorted = isHistory
		? withHistory.toSorted((a, b) => Math.abs(Math.log(b.factor)) - Math.abs(Math.log(a.factor)))
		: passed.toSorted((a, b) => b.nowMs - a.nowMs);
	const shown = sorted.slice(0, mostRows);
	const caption = isHistory
		? `The ${shown.length} of ${sorted.length} cells whose durations differ most from earlier runs`
		: `The ${shown.length} of ${sorted.length} slowest cells`;
	return html`<section aria-labelledby="durations">
<h2 id="durations">Durations</h2>
${history !== undefined && !isHistory && html`<p>No earlier run has any of these cells.</p>`}
<div class="scroll" tabindex="0" role="region" aria-label="Durations">
<table><caption>${caption}</caption>
<thead><tr><th scope="col">cell</th><th scope="col" class="number">now</th>${isHistory && html`<th scope="col" class="number">median before</th><th scope="col" class="number">factor</th><th scope="col">earlier runs, then this one</th>`}</tr></thead>
<tbody>${shown.map(
		({name, nowMs, earlier, factor}) =>
			html`<tr><th scope="row">${name}</th><td class="number">${seconds(nowMs)}</td>${isHistory && html`<td class="number">${seconds(median(earlier))}</td><td class="number">× ${factor.toFixed(2)}</td><td>${sparkline(earlier, nowMs)}</td>`}</tr>
`,
	)}</tbody></table></div>
</section>`;
}
