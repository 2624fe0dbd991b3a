// SPDX-License-Identifier: GPL-2.0
import {formatAnnotations} from './annotations.ts';
import {formatHtml} from './html/page.ts';
import type {ReportInput} from './input.ts';
import {formatJunit} from './junit.ts';
import {formatKtap} from './ktap.ts';
import {formatMarkdown} from './markdown.ts';
import {formatTap} from './tap.ts';

export type Format = {
	readonly write: (input: ReportInput) => string;
	/** Which inputs it uses besides the run. */
	readonly uses?: readonly ('baseline' | 'history')[];
};

/** All report formats. */
export const reportFormats = {
	html: {write: formatHtml, uses: ['baseline', 'history']},
	junit: {write: ({record}) => formatJunit(record)},
	tap: {write: ({record}) => formatTap(record)},
	ktap: {write: ({record}) => formatKtap(record)},
	markdown: {write: input => formatMarkdown(input), uses: ['baseline']},
	github: {write: ({record}) => formatAnnotations(record)},
} as const satisfies Readonly<Record<string, Format>>;

export type ReportFormat = keyof typeof reportFormats;
