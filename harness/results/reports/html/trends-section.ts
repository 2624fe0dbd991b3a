// SPDX-License-Identifier: GPL-2.0
import type {Trend} from '../../history/trends.ts';
import {median} from '../../run/statistics.ts';
import {html, type Markup} from './markup.ts';
import {sparkline} from './sparkline.ts';

/** Measurements of benches, with budgets and trends. */
export function trendsSection(trends: readonly Trend[]): Markup {
	return html`<section aria-labelledby="trends">
<h2 id="trends">Measurements</h2>
<div class="scroll" tabindex="0" role="region" aria-label="Measurements">
<table><caption>The last bench of each kernel, and those before it</caption>
<thead><tr><th scope="col">measurement</th><th scope="col" class="number">last</th><th scope="col" class="number">budget</th><th scope="col">judged</th><th scope="col" class="number">median before</th><th scope="col">earlier benches, then the last</th></tr></thead>
<tbody>${trends.map(
		trend => html`${rowOf(trend)}
`,
	)}</tbody></table></div>
</section>`;
}

function rowOf({kernel, what, unit, budget, points}: Trend): Markup {
	const values = points.map(({value}) => rounded(value));
	const last = values.at(-1)!;
	const before = values.slice(0, -1);
	const words = (value: number) => `${value} ${unit}`.trim();
	const isOver = budget !== undefined && points.at(-1)!.value > budget;
	const judged =
		budget !== undefined &&
		html`<span class="chip ${isOver ? 'v-fail' : 'v-pass'}">${isOver ? 'over' : 'within'}</span>`;
	return html`<tr><th scope="row">${kernel} › ${what}</th><td class="number">${words(last)}</td><td class="number">${budget !== undefined && words(budget)}</td><td>${judged}</td><td class="number">${before.length > 0 ? words(rounded(median(before))) : '–'}</td><td>${sparkline(before, last, unit)}</td></tr>`;
}

function rounded(value: number): number {
	return value < 100 ? Math.round(value * 10) / 10 : Math.round(value);
}
