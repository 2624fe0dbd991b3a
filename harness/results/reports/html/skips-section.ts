// SPDX-License-Identifier: GPL-2.0
import {cellTitle} from '../../run/cell-name.ts';
import type {CellEvent} from '../../run/events.ts';
import {html, type Markup} from './markup.ts';

/** Skipped cells, grouped by reason. */
export function skipsSection(cells: readonly CellEvent[]): Markup {
	const reasons = [
		...Map.groupBy(
			cells.filter(({verdict}) => verdict === 'skip'),
			({message = ''}) => message,
		),
	];
	return html`<section aria-labelledby="skips">
<h2 id="skips">Skipped (${reasons.reduce((sum, [, alike]) => sum + alike.length, 0)})</h2>
${reasons.length === 0 && html`<p>Nothing.</p>`}
<ul>${reasons.map(
		([reason, alike]) =>
			html`<li>${reason || 'No reason is given.'}<br><span class="muted">${alike.map(cell => `${cell.kernel} › ${cellTitle(cell)}`).join(', ')}</span></li>
`,
	)}</ul>
</section>`;
}
