// SPDX-License-Identifier: GPL-2.0
import {html, type Markup} from './markup.ts';

const [width, height, margin] = [120, 28, 4];

/** Earlier values as a line, the current one as a dot at its end. The axis starts at 0, so that heights compare. */
export function sparkline(history: readonly number[], now: number, unit = 'ms'): Markup {
	const values = [...history, now];
	const most = Math.max(1, ...values);
	const x = (index: number) => (margin + (index * (width - 2 * margin)) / Math.max(1, values.length - 1)).toFixed(1);
	const y = (value: number) => (height - margin - (value * (height - 2 * margin)) / most).toFixed(1);
	const points = values.map((value, index) => `${x(index)},${y(value)}`).join(' ');
	const words = (value: number) => `${value} ${unit}`.trim();
	const label = `${history.map(words).join(', ')}${history.length > 0 ? '; ' : ''}now ${words(now)}`;
	return html`<svg class="spark" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" role="img" aria-label="${label}"><title>${label}</title><line x1="0" x2="${width}" y1="${height - margin}" y2="${height - margin}"/><polyline points="${points}"/><circle cx="${x(values.length - 1)}" cy="${y(now)}" r="3"/></svg>`;
}
