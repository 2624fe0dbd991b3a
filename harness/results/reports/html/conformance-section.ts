// SPDX-License-Identifier: GPL-2.0
import type {CellEvent} from '../../run/events.ts';
import {type Answer, answers, type Conformance, type ConformanceField} from '../conformance.ts';
import {html, type Markup} from './markup.ts';

const classes: Readonly<Record<Answer, string>> = {
	yes: 'v-pass',
	no: 'v-fail',
	open: 'v-inconclusive',
	'not claimed': 'v-skip',
	'not there': 'v-skip',
};

/** A table of cases and mechanisms. Each answer has the kernels that it holds for; a `no` links to its evidence. */
export function conformanceSection({mechanisms, rows}: Conformance, anchors: ReadonlyMap<CellEvent, string>): Markup {
	return html`<section aria-labelledby="conformance">
<h2 id="conformance">Mechanisms side by side</h2>
<p>yes: every target passed on the kernel. no: a target failed; the link shows what was expected and seen. not claimed: the
mechanism does not offer it. not there: the kernel does not have it.</p>
<div class="scroll" tabindex="0" role="region" aria-label="Mechanisms">
<table class="heat"><caption>Which mechanism has which property, on which kernel</caption>
<thead><tr><th scope="col">property</th>${mechanisms.map(mechanism => html`<th scope="col">${mechanism}</th>`)}</tr></thead>
<tbody>${rows.map(
		row => html`<tr><th scope="row">${row.case}</th>${mechanisms.map(mechanism => fieldOf(row.fields.get(mechanism)!, anchors))}</tr>
`,
	)}</tbody></table></div>
</section>`;
}

/** An answer that holds for all kernels stands alone; else each has the kernels it holds for. */
function fieldOf(fields: readonly ConformanceField[], anchors: ReadonlyMap<CellEvent, string>): Markup {
	const present = answers.filter(answer => fields.some(field => field.answer === answer));
	return html`<td>${present.map(answer => {
		const alike = fields.filter(field => field.answer === answer);
		if (answer === 'no') return alike.map(field => noOf(field, anchors));
		const kernels = present.length > 1 ? `: ${alike.map(({kernel}) => kernel).join(', ')}` : '';
		return html`<span class="chip ${classes[answer]}">${answer}${kernels}</span>`;
	})}</td>`;
}

function noOf({kernel, evidence}: ConformanceField, anchors: ReadonlyMap<CellEvent, string>): Markup {
	const anchor = anchors.get(evidence[0]!);
	const words = `no: ${kernel}`;
	return anchor === undefined
		? html`<span class="chip v-fail">${words}</span>`
		: html`<a class="chip v-fail" href="#${anchor}">${words}</a>`;
}
