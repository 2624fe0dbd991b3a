import assert from 'node:assert/strict';
import {setTimeout as sleep} from 'node:timers/promises';
import {suiteOf} from '../results/run/cell-name.ts';
import {defineCase} from './case.ts';
import type {Cell} from './plan.ts';

export const leakDetector = 'CONFIG_DEBUG_KMEMLEAK';

/** kmemleak keeps quiet of what is younger. */
const minAgeMs = 5500;

/** The cell that asks the kernel's leak detector about all that ran in this guest since it was asked before. */
export function leakScanAfter(cell: Cell): Cell {
	const {target: _, ...rest} = cell;
	const id = `${suiteOf(cell)}/leak-scan`;
	return {...rest, case: id, definition: defineCase({id, needs: [], deadlineMs: 30_000, run: scan})};
}

/** The first scan of a guest's life also tells what the kernel itself lost while it booted. */
const scan: Cell['definition']['run'] = async ({exec, signal, evidence}) => {
	const ask = async (command: string) => {
		const {code, stdout, stderr} = await exec(command);
		assert.equal(code, 0, `${command}: ${stderr}`);
		return stdout;
	};
	await sleep(minAgeMs, undefined, {signal});
	// What is reported must have been found twice: between two scans a pointer can be in a register only.
	for (let n = 0; n < 2; n++) await ask('echo scan > /sys/kernel/debug/kmemleak');
	const leaks = (await ask('cat /sys/kernel/debug/kmemleak')).trim();
	await ask('echo clear > /sys/kernel/debug/kmemleak');
	if (leaks === '') return;
	evidence('leaks', leaks.slice(0, 8000));
	const count = leaks.match(/^unreferenced object/gm)?.length ?? 0;
	assert.fail(`kmemleak: ${count} objects that nothing refers to`);
};
