// SPDX-License-Identifier: GPL-2.0
import {countVerdicts} from '../../run/cell-name.ts';
import type {RunEvent} from '../../run/events.ts';
import {sumOfNotRun} from '../../run/kernel-summary.ts';
import type {RunRecord} from '../../run/read-run.ts';
import {verdicts} from '../../run/verdict.ts';
import {interruption, type KernelResult, whyMissing} from '../kernel-results.ts';
import {html, type Markup} from './markup.ts';

/** Outcome, counts, kernels and host. */
export function summarySection(record: RunRecord, columns: readonly KernelResult[]): Markup {
	const {run, end} = record;
	const interrupted = interruption(record);
	return html`<section aria-labelledby="summary">
<h2 id="summary">Summary</h2>
${interrupted !== undefined && html`<p class="notice"><strong>Interrupted.</strong> ${interrupted}</p>`}
${tiles(record)}
<div class="scroll" tabindex="0" role="region" aria-label="Kernels">
<table><caption>Kernels</caption>
<thead><tr><th scope="col">kernel</th><th scope="col">release</th><th scope="col">state</th><th scope="col" class="number">pass</th><th scope="col" class="number">boot</th><th scope="col" class="number">time</th></tr></thead>
<tbody>${columns.map(rowOf)}</tbody></table></div>
<dl>${Object.entries({
		...facts(run),
		'exit code': end ? `${end.exitCode}, after ${seconds(end.durationMs)}` : 'none',
	}).map(([name, value]) => html`<div><dt>${name}</dt><dd>${value}</dd></div>`)}</dl>
</section>`;
}

function tiles({cells, kernels}: RunRecord): Markup {
	const notRun = sumOfNotRun(kernels);
	const counts = countVerdicts(cells);
	const flaky = cells.filter(cell => cell.flaky).length;
	const occurring = verdicts.filter(verdict => counts[verdict] > 0);
	if (occurring.length === 0 && notRun === 0) return html`<p>Nothing ran.</p>`;
	return html`<ul class="tiles">${occurring.map(
		verdict => html`<li class="v-${verdict}"><strong>${counts[verdict]}</strong> ${verdict}</li>`,
	)}${notRun > 0 && html`<li class="v-infra"><strong>${notRun}</strong> not run</li>`}${flaky > 0 && html`<li><strong>${flaky}</strong> of them flaky</li>`}</ul>`;
}

function rowOf(column: KernelResult): Markup {
	const {kernel, summary, cells} = column;
	const passed = cells.filter(({verdict}) => verdict === 'pass').length;
	const why = whyMissing(column);
	return html`<tr><th scope="row">${kernel}</th><td>${summary?.release ?? '–'}</td><td>${summary?.state ?? 'not booted'}${
		why !== undefined && html`: ${why}`
	}</td><td class="number">${passed} of ${cells.length}</td><td class="number">${
		summary?.bootMs === undefined ? '–' : seconds(summary.bootMs)
	}</td><td class="number">${seconds(cells.reduce((sum, {durationMs}) => sum + durationMs, 0))}</td></tr>
`;
}

function facts({id, startedAt, host, accelerator, versions}: RunEvent): Record<string, string> {
	const {name, reason, speed} = accelerator;
	return {
		run: id,
		started: startedAt,
		host: `Linux ${host.release}, ${host.cpus} CPUs, ${host.memoryMib} MiB`,
		accelerator: `${name}${speed === undefined ? '' : `, ${speed} million turns a second`}; ${reason}`,
		...versions,
	};
}

export function seconds(milliseconds: number): string {
	return `${(milliseconds / 1000).toFixed(2)} s`;
}
