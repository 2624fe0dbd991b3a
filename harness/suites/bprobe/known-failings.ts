// SPDX-License-Identifier: GPL-2.0
import {readFileSync} from 'node:fs';
import path from 'node:path';
import * as z from 'zod';
import {projectRoot} from '../../build/sources.ts';
import type {KernelFacts} from '../../engine/case.ts';
import type {Cell} from '../../engine/plan.ts';
import type {KnownFailing} from '../../engine/suite.ts';
import {isBefore} from './kernel-release.ts';

const release = z.string().regex(/^\d+\.\d+$/);

const row = z.strictObject({
	mechanism: z.string(),
	/** Cases by their ids. */
	cases: z.array(z.string()).min(1),
	/** Default: all. */
	targets: z.array(z.string()).min(1).optional(),
	/** The first release that fails. Default: all from the first on. */
	from: release.optional(),
	/** The first release that does not fail any more. Default: none yet. */
	until: release.optional(),
	/** Only on kernels built with one of these options. */
	options: z.array(z.string()).min(1).optional(),
	reason: z.string().min(1),
	/** It does not fail each time: a pass is not told. */
	sometimes: z.literal(true).optional(),
	/** The title of the kernel report that it ends with: only a crash with this title is known. */
	report: z.string().optional(),
	/** The upstream commit that mended it. */
	mendedBy: z.string().optional(),
});

type Row = z.infer<typeof row>;

let rows: readonly Row[] | undefined;

/** What a kernel's own mechanism is known to fail, from images/known-mechanisms.json. */
export function knownFailing(
	cell: Pick<Cell, 'mechanism' | 'case' | 'target'>,
	guest: KernelFacts,
): KnownFailing | undefined {
	const found = readRows().find(each => applies(each, cell, guest));
	if (!found) return undefined;
	const {reason, mendedBy, report, sometimes = false} = found;
	return {report, sometimes, reason: mendedBy === undefined ? reason : `${reason} Mended upstream by ${mendedBy}.`};
}

function readRows(): readonly Row[] {
	rows ??= z.array(row).parse(JSON.parse(readFileSync(path.join(projectRoot, 'images/known-mechanisms.json'), 'utf8')));
	return rows;
}

function applies(
	{mechanism, cases, targets, from, until, options}: Row,
	cell: Pick<Cell, 'mechanism' | 'case' | 'target'>,
	kernel: KernelFacts,
): boolean {
	return (
		mechanism === cell.mechanism &&
		cases.includes(cell.case) &&
		(targets === undefined || (cell.target !== undefined && targets.includes(cell.target))) &&
		(from === undefined || !isBeforeRelease(kernel, from)) &&
		(until === undefined || isBeforeRelease(kernel, until)) &&
		(options === undefined || options.some(option => kernel.hasOption(option)))
	);
}

function isBeforeRelease(kernel: KernelFacts, other: string): boolean {
	const [major, minor] = other.split('.').map(Number) as [number, number];
	return isBefore(kernel, major, minor);
}
