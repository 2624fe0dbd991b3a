// SPDX-License-Identifier: GPL-2.0
import type {Edit} from './edits.ts';

/** An edit, and the cells that must notice it. */
export type Wanted = {readonly edit: Edit; readonly cells: readonly string[]};

/** Cells that load or unload modules: whatever else is wrong may get in their way, so they share no run. */
const unloads = /^(?:module|race)\/|unload|^miss\/no-/;

/** Larger groups save little, and the more edits act at once, the likelier it is that one hides another. */
const most = 4;

/** Whether this catcher is a file of AVA; others are cells. */
export function isTest(catcher: string): boolean {
	return catcher.endsWith('.test.ts');
}

/** The text with the edit; undefined if `old` does not occur exactly once, or nothing would change. */
export function edited({old, new: changed}: Edit, text: string): string | undefined {
	const at = text.indexOf(old);
	if (at < 0 || text.includes(old, at + 1) || old === changed) return undefined;
	return text.slice(0, at) + changed + text.slice(at + old.length);
}

/** Edits that share a run: for one kernel, in different files, each noticed by cells of its own that do not meet. */
export function groupEdits(wanted: readonly Wanted[]): readonly (readonly Wanted[])[] {
	const groups: Wanted[][] = [];
	for (const one of wanted) {
		const group = groups.find(others => others.length < most && others.every(other => canShare(one, other)));
		if (group) group.push(one);
		else groups.push([one]);
	}
	return groups;
}

function canShare({edit, cells}: Wanted, other: Wanted): boolean {
	return (
		edit.kernel === other.edit.kernel &&
		edit.file !== other.edit.file &&
		!cells.some(cell => other.cells.includes(cell)) &&
		!(cells.some(cell => unloads.test(cell)) && other.cells.some(cell => unloads.test(cell)))
	);
}
