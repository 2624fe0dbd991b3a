// SPDX-License-Identifier: GPL-2.0
import {cellTitle} from '../../run/cell-name.ts';
import type {CellEvent} from '../../run/events.ts';
import {isSideBySide, isStacks, memoryWords, rerunCommand, rerunKernelCommand} from '../../run/failure.ts';
import {cellsNotRun, type KernelSummary} from '../../run/kernel-summary.ts';
import {html, type Markup} from './markup.ts';
import {seconds} from './summary.ts';

/** More failures in full would make the page too large for browsers. */
const mostInFull = 300;
const mostConsoleLines = 200;
const mostEvidence = 20_000;

/** Details of each unusable kernel and of each cell that did not pass. */
export function failuresSection(anchors: ReadonlyMap<CellEvent, string>, kernels: readonly KernelSummary[]): Markup {
	const count = kernels.length + anchors.size;
	return html`<section aria-labelledby="failures">
<h2 id="failures">What did not pass (${count})</h2>
${kernels.map(kernelArticle)}
${count === 0 && html`<p>Nothing: every cell that has a verdict passed or was skipped.</p>`}
${articles(anchors)}
</section>`;
}

/** Details of each cell that failed as its suite lists. */
export function knownSection(anchors: ReadonlyMap<CellEvent, string>): Markup {
	return html`<section aria-labelledby="known">
<h2 id="known">Known failings (${anchors.size})</h2>
${articles(anchors)}
</section>`;
}

function articles(anchors: ReadonlyMap<CellEvent, string>): Markup {
	const bad = [...anchors];
	const rest = bad.slice(mostInFull);
	return html`${bad.slice(0, mostInFull).map(([cell, anchor]) => article(cell, anchor))}
${rest.length > 0 && html`<h3>${rest.length} more, messages only</h3><ul>${rest.map(([cell, anchor]) => html`<li id="${anchor}">${badge(cell)} ${nameOf(cell)}: ${cell.message}</li>`)}</ul>`}`;
}

function kernelArticle(summary: KernelSummary): Markup {
	const {kernel, state, reason, console, notRun} = summary;
	return html`<article>
<h3><span class="chip v-infra">${state}</span> ${kernel}</h3>
${notRun > 0 && html`<p class="muted">${cellsNotRun(notRun)}</p>`}
<pre class="message">${reason?.trim() || 'No reason is given.'}</pre>
${console !== undefined && (console.trim() ? consoleOf(console) : html`<p>Its console is empty.</p>`)}
<p>Run it again: <code class="command">${rerunKernelCommand(summary)}</code></p>
</article>
`;
}

function article(cell: CellEvent, anchor: string): Markup {
	const {registers, callStack, ...rest} = cell.evidence ?? {};
	const command = rerunCommand(cell);
	return html`<article id="${anchor}">
<h3>${badge(cell)} ${nameOf(cell)}</h3>
<p class="muted">${cell.mechanism}, ${seconds(cell.durationMs)}${cell.repeat > 0 && `, repeat ${cell.repeat + 1}`}${cell.flaky && ', flaky'}</p>
${cell.message && html`<pre class="message">${cell.message}</pre>`}
${cell.again && html`<p>Rerun in a fresh guest: ${cell.flaky ? 'it passed' : `it ended with ${cell.again.verdict}`}${cell.again.message && `: ${cell.again.message}`}</p>`}
${isSideBySide(registers) ? sideBySide(`Registers: ${registers.what}`, 'register', rowsOfRegisters(registers)) : other('registers', registers)}
${isStacks(callStack) ? sideBySide('Call stack', 'frame', rowsOfStacks(callStack)) : other('callStack', callStack)}
${Object.entries(rest).map(([name, value]) => other(name, value))}
${cell.console?.trim() && consoleOf(cell.console)}
<p>Run it again: <code class="command">${command}</code></p>
${cell.consolePath && html`<p>Whole console: <code>${cell.consolePath}</code></p>`}
${cell.memory && html`<p>Memory: <code>${memoryWords(cell.memory)}</code></p>`}
</article>
`;
}

function badge({verdict}: CellEvent): Markup {
	return html`<span class="chip v-${verdict}">${verdict}</span>`;
}

function nameOf(cell: CellEvent): string {
	return `${cell.kernel} › ${cellTitle(cell)}`;
}

type Row = {readonly name: string; readonly expected: string | undefined; readonly seen: string | undefined};

function rowsOfRegisters({expected, seen}: Record<'expected' | 'seen', Record<string, unknown>>): readonly Row[] {
	const names = new Set([...Object.keys(expected), ...Object.keys(seen)]);
	return [...names].map(name => ({name, expected: text(expected[name]), seen: text(seen[name])}));
}

function rowsOfStacks({expected, seen}: Record<'expected' | 'seen', readonly unknown[]>): readonly Row[] {
	return Array.from({length: Math.max(expected.length, seen.length)}, (_, index) => ({
		name: String(index),
		expected: text(expected[index]),
		seen: text(seen[index]),
	}));
}

function text(value: unknown): string | undefined {
	return value === undefined || typeof value === 'string' ? value : JSON.stringify(value);
}

function sideBySide(caption: string, what: string, rows: readonly Row[]): Markup {
	return html`<div class="scroll" tabindex="0" role="region" aria-label="${caption}">
<table class="sides"><caption>${caption}</caption>
<thead><tr><th scope="col">${what}</th><th scope="col">expected</th><th scope="col">seen</th><th scope="col">same</th></tr></thead>
<tbody>${rows.map(
		({name, expected, seen}) =>
			html`<tr${expected === seen ? '' : different}><th scope="row">${name}</th><td>${expected ?? '–'}</td><td>${seen ?? '–'}</td><td>${expected === seen ? 'yes' : '← no'}</td></tr>
`,
	)}</tbody></table></div>`;
}

const different = html` class="different"`;

function other(name: string, value: unknown): Markup | undefined {
	if (value === undefined) return undefined;
	const all = typeof value === 'string' ? value : JSON.stringify(value, null, 2);
	const shown =
		all.length > mostEvidence
			? `${all.slice(0, mostEvidence)}\n… ${all.length - mostEvidence} more characters are in the events`
			: all;
	return html`<details open><summary>${name}</summary><pre>${shown}</pre></details>`;
}

function consoleOf(console: string): Markup {
	const lines = console.trimEnd().split('\n');
	const shown = lines.slice(-mostConsoleLines);
	const cut = lines.length - shown.length;
	return html`<details open><summary>console${cut > 0 && `, without its first ${cut} lines`}</summary><pre>${shown.join('\n')}</pre></details>`;
}
