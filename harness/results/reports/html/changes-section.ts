// SPDX-License-Identifier: GPL-2.0
import type {Comparison} from '../../compare/compare-runs.ts';
import type {NightFinding} from '../../run/events.ts';
import {type ChangeGroup, changeGroups, nightGroups} from '../changes.ts';
import {html, type Markup} from './markup.ts';

/** Differences from the baseline, most severe first. */
export function changesSection(comparison: Comparison): Markup {
	const groups = changeGroups(comparison);
	return html`<section aria-labelledby="changes">
<h2 id="changes">What has changed</h2>
${groups.length === 0 && html`<p>Nothing has changed against the baseline.</p>`}
${groups.map(group => tableOf(group, 'before → now'))}</section>`;
}

/** Findings of a nightly run. */
export function nightSection(findings: readonly NightFinding[]): Markup {
	const groups = nightGroups(findings);
	return html`<section aria-labelledby="night">
<h2 id="night">This night</h2>
${groups.length === 0 && html`<p>Nothing failed, and every kernel ran.</p>`}
${groups.map(group => tableOf(group, 'how'))}</section>`;
}

function tableOf({title, cells}: ChangeGroup, how: string): Markup {
	return html`<div class="scroll" tabindex="0" role="region" aria-label="${title}">
<table><caption>${title} (${cells.length})</caption>
<thead><tr><th scope="col">kernel</th><th scope="col">cell</th><th scope="col">${how}</th></tr></thead>
<tbody>${cells.map(
		({kernel, name, words}) => html`<tr><td>${kernel}</td><th scope="row">${name}</th><td>${words}</td></tr>
`,
	)}</tbody></table></div>
`;
}
