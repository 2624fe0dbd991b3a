import type {Comparison} from '../../compare.ts';
import {changeGroups} from '../changes.ts';
import {html, type Markup} from './markup.ts';

/** What is different from the baseline, the worst first. */
export function changesSection(comparison: Comparison): Markup {
	const groups = changeGroups(comparison);
	return html`<section aria-labelledby="changes">
<h2 id="changes">What has changed</h2>
${groups.length === 0 && html`<p>Nothing has changed against the baseline.</p>`}
${groups.map(
	({title, cells}) => html`<div class="scroll" tabindex="0" role="region" aria-label="${title}">
<table><caption>${title} (${cells.length})</caption>
<thead><tr><th scope="col">kernel</th><th scope="col">cell</th><th scope="col">before → now</th></tr></thead>
<tbody>${cells.map(
		({kernel, name, words}) => html`<tr><td>${kernel}</td><th scope="row">${name}</th><td>${words}</td></tr>
`,
	)}</tbody></table></div>
`,
)}</section>`;
}
