// SPDX-License-Identifier: GPL-2.0
import assert from 'node:assert/strict';
import {setTimeout as sleep} from 'node:timers/promises';
import {suiteOf} from '../results/run/cell-name.ts';
import {defineCase} from './case.ts';
import type {Cell} from './plan.ts';

export const leakDetector = 'CONFIG_DEBUG_KMEMLEAK';

/** kmemleak does not report younger objects. */
const minAgeMs = 5500;

/** A cell that asks kmemleak for leaks of everything that ran in this guest since the last scan. */
export function leakScanAfter(cell: Cell): Cell {
	const {target: _, ...rest} = cell;
	const id = `${suiteOf(cell)}/leak-scan`;
	return {...rest, case: id, definition: defineCase({id, deadlineMs: 30_000, run: scan})};
}

/** The first scan in a guest also reports what the kernel leaked during boot. */
const scan: Cell['definition']['run'] = async ({exec, signal, evidence}) => {
	const ask = async (command: string) => {
		const {code, stdout, stderr} = await exec(command);
		assert.equal(code, 0, `${command}: ${stderr}`);
		return stdout;
	};
	await sleep(minAgeMs, undefined, {signal});
	// Two scans: during one of them, the only pointer to an object may be in a register.
	for (let n = 0; n < 2; n++) await ask('echo scan > /sys/kernel/debug/kmemleak');
	const leaks = (await ask('cat /sys/kernel/debug/kmemleak')).trim();
	await ask('echo clear > /sys/kernel/debug/kmemleak');
	if (leaks === '') return;
	evidence('leaks', leaks.slice(0, 8000));
	const count = leaks.match(/^unreferenced object/gm)?.length ?? 0;
	assert.fail(`kmemleak: ${count} unreferenced objects`);
};
