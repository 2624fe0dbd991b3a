// SPDX-License-Identifier: GPL-2.0
import {suiteOf} from '../../run/cell-name.ts';
import type {CellEvent} from '../../run/events.ts';
import {inReadingOrder, type ReadingOrder} from '../../run/reading-order.ts';
import {isGreen, type Verdict, verdicts} from '../../run/verdict.ts';
import {type KernelResult, missingKernel} from '../kernel-results.ts';
import {html, type Markup} from './markup.ts';

/** A table of kernels and cases, with the targets in each field; failures link to `anchors`. */
export function heatMapSection(
	columns: readonly KernelResult[],
	anchors: ReadonlyMap<CellEvent, string>,
	order: ReadingOrder | undefined,
): Markup {
	const cells = columns.flatMap(column => column.cells);
	const mechanisms = new Set(cells.map(({mechanism}) => mechanism));
	const rowName = (cell: CellEvent) => (mechanisms.size > 1 ? `${cell.mechanism} ${cell.case}` : cell.case);
	const fields = columns.map(column => Map.groupBy(column.cells, rowName));
	const rowsOf = Map.groupBy(inReadingOrder(cells, order), suiteOf);
	return html`<section aria-labelledby="matrix">
<h2 id="matrix">Matrix</h2>
<p class="control"><label><input type="checkbox" id="only-bad"> only rows in which something did not pass</label></p>
<div class="scroll" tabindex="0" role="region" aria-label="Matrix">
<table class="heat"><caption>Verdicts of each case on each kernel, by target</caption>
<thead><tr><th scope="col">case</th>${columns.map(headOf)}</tr></thead>
${[...rowsOf].map(([suite, ofSuite]) => {
	const names = [...new Set(ofSuite.map(rowName))];
	return html`<tbody><tr class="suite"><th scope="rowgroup">${suite}</th>${columns.map(column => suiteCount(column, suite))}</tr>
${names.map(name => {
	const row = fields.map(field => field.get(name) ?? []);
	return html`<tr${row.flat().every(isGreen) ? good : ''}><th scope="row">${name}</th>${row.map((field, index) => fieldOf(field, columns[index]!, anchors))}</tr>
`;
})}</tbody>`;
})}</table></div>
</section>`;
}

const good = html` class="good"`;

function headOf(column: KernelResult): Markup {
	const missing = missingKernel(column);
	return html`<th scope="col">${column.kernel} ${missing && html`<span class="state">${missing.state}</span>`}</th>`;
}

function suiteCount({cells}: KernelResult, suite: string): Markup {
	const inSuite = cells.filter(cell => suiteOf(cell) === suite);
	const passed = inSuite.filter(({verdict}) => verdict === 'pass').length;
	return html`<td>${inSuite.length > 0 && `${passed} of ${inSuite.length}`}</td>`;
}

/** Counts of passed and skipped cells; other verdicts by target. */
function fieldOf(cells: readonly CellEvent[], column: KernelResult, anchors: ReadonlyMap<CellEvent, string>): Markup {
	if (cells.length === 0) return html`<td class="none">${missingKernel(column)?.state ?? 'not run'}</td>`;
	const byVerdict = Map.groupBy(cells, ({verdict}) => verdict);
	const chips = verdicts.flatMap(verdict => {
		const alike = byVerdict.get(verdict) ?? [];
		if (alike.length === 0) return [];
		if (isGreen({verdict})) return [chip(verdict, `${alike.length} ${verdict}`)];
		return [...Map.groupBy(alike, ({target}) => target)].map(([target, repeats]) => {
			const words = [target, verdict, repeats.length > 1 && `× ${repeats.length}`].filter(Boolean).join(' ');
			return chip(verdict, words, anchors.get(repeats[0]!));
		});
	});
	return html`<td>${chips}</td>`;
}

function chip(verdict: Verdict, words: string, anchor?: string): Markup {
	return anchor === undefined
		? html`<span class="chip v-${verdict}">${words}</span>`
		: html`<a class="chip v-${verdict}" href="#${anchor}">${words}</a>`;
}
