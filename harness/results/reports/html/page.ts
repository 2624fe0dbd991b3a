// SPDX-License-Identifier: GPL-2.0
import {createHash} from 'node:crypto';
import type {CellEvent} from '../../run/events.ts';
import {isGreen} from '../../run/verdict.ts';
import {conformanceOf} from '../conformance.ts';
import type {ReportInput} from '../input.ts';
import {columnsOf, missingKernel} from '../kernel-results.ts';
import {changesSection, nightSection} from './changes-section.ts';
import {conformanceSection} from './conformance-section.ts';
import {durationsSection} from './durations-section.ts';
import {failuresSection, knownSection} from './failures-section.ts';
import {heatMapSection} from './heat-map.ts';
import {html, Markup} from './markup.ts';
import {skipsSection} from './skips-section.ts';
import {style} from './style.ts';
import {summarySection} from './summary.ts';
import {trendsSection} from './trends-section.ts';

/** Optional: adds a copy button to each command. */
const script = `
for (const command of document.querySelectorAll('code.command')) {
	if (!navigator.clipboard) break;
	const button = document.createElement('button');
	button.type = 'button';
	button.textContent = 'copy';
	button.addEventListener('click', () => navigator.clipboard.writeText(command.textContent).then(
		() => { button.textContent = 'copied'; },
		() => { button.remove(); },
	));
	command.after(button);
}
`;

/** The report as a self-contained page: no network access and no other files. */
export function formatHtml({record, comparison, history, trends = []}: ReportInput): string {
	const columns = columnsOf(record);
	const findings = record.end?.findings;
	const kernels = columns.map(missingKernel).filter(kernel => kernel !== undefined);
	const bad = columns.flatMap(({cells}) => cells.filter(cell => !isGreen(cell)));
	const known = columns.flatMap(({cells}) => cells.filter(({verdict}) => verdict === 'known'));
	const failures = new Map<CellEvent, string>(bad.map((cell, index) => [cell, `failure-${index + 1}`]));
	const knownFailings = new Map<CellEvent, string>(known.map((cell, index) => [cell, `known-${index + 1}`]));
	const anchors = new Map([...failures, ...knownFailings]);
	const conformance = conformanceOf(record.cells, record.run.order);
	const title = `probe-matrix ${record.run.id}`;
	const links = [
		['summary', 'Summary'],
		...(findings ? [['night', 'This night']] : []),
		...(comparison ? [['changes', 'What has changed']] : []),
		...(conformance ? [['conformance', 'Mechanisms side by side']] : []),
		['matrix', 'Matrix'],
		['failures', `What did not pass (${kernels.length + bad.length})`],
		...(known.length > 0 ? [['known', `Known failings (${known.length})`]] : []),
		['skips', 'Skipped'],
		['durations', 'Durations'],
		...(trends.length > 0 ? [['trends', 'Measurements']] : []),
	];
	return html`${new Markup('<!doctype html>')}
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<title>${title}</title>
<style>${new Markup(style)}</style>
</head>
<body>
<header><h1>${title}</h1>
<nav aria-label="Sections"><ul>${links.map(([id, name]) => html`<li><a href="#${id}">${name}</a></li>`)}</ul></nav></header>
<main>
${summarySection(record, columns)}
${findings && nightSection(findings)}
${comparison && changesSection(comparison)}
${conformance && conformanceSection(conformance, anchors)}
${heatMapSection(columns, anchors, record.run.order)}
${failuresSection(failures, kernels)}
${known.length > 0 && knownSection(knownFailings)}
${skipsSection(record.cells)}
${durationsSection(record.cells, history)}
${trends.length > 0 && trendsSection(trends)}
</main>
<script>${new Markup(script)}</script>
</body>
</html>
`.text;
}

/** Defence in depth: if guest text were ever not escaped, the browser would still run and load nothing from it. */
const policy = `default-src 'none'; style-src ${hash(style)}; script-src ${hash(script)}; base-uri 'none'; form-action 'none'`;

function hash(text: string): string {
	return `'sha256-${createHash('sha256').update(text).digest('base64')}'`;
}
