// SPDX-License-Identifier: GPL-2.0
import {readFileSync} from 'node:fs';
import type {KernelReport} from '../crash/crash-report.ts';

/** What a report must tell: all but its text. */
export type Told = {
	readonly title: string;
	readonly kind: string;
	readonly task?: string;
	readonly asynchronous: boolean;
	readonly panicked: boolean;
	readonly frames: readonly string[];
};

/** A console of samples/. It begins with a line of JSON for each report that must be found, and an empty line. */
export function readSample(file: string): {readonly expected: readonly Told[]; readonly console: string} {
	const text = readFileSync(file, 'utf8');
	const end = text.indexOf('\n\n');
	const expected = text.slice(0, end).split('\n');
	return {expected: expected.map(line => JSON.parse(line) as Told), console: text.slice(end + 2)};
}

export function told({title, kind, task, isAsynchronous, hasPanicked, frames}: KernelReport): Told {
	const always = {title, kind, asynchronous: isAsynchronous, panicked: hasPanicked, frames};
	return task === undefined ? always : {...always, task};
}
