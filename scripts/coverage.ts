// SPDX-License-Identifier: GPL-2.0
/**
 * Runs the matrix with a bprobe that counts which of its lines run, and prints for each file of kmod/ how many lines
 * and ways out of branches some case executed, and the lines that none did. Exits with 1 if there is a line without a
 * reason in scripts/coverage/unreached.ts, or a reason for a line that runs.
 *
 *   npm run coverage [-- KERNEL…] [--match PATTERN]…
 *
 * A line counts if it runs on one of the kernels. These must be built by the host's own gcc, version 12 or 13.
 */
import {mkdtempDisposable} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import path from 'node:path';
import {setTimeout as sleep} from 'node:timers/promises';
import {Command} from 'commander';
import {interruptible} from '../harness/cli/interrupt.ts';
import {repeatable} from '../harness/cli/option-values.ts';
import {planCells} from '../harness/engine/plan.ts';
import {runKernels} from '../harness/engine/run-kernels.ts';
import {messageOf} from '../harness/host/errors.ts';
import {say} from '../harness/host/say.ts';
import {fallbackKernel} from '../harness/kernels/default-kernels.ts';
import {cellTitle} from '../harness/results/run/cell-name.ts';
import {isFailure} from '../harness/results/run/verdict.ts';
import {bprobeSuite} from '../harness/suites/bprobe/suite.ts';
import {collect, countsOf, type LineCounts, union} from './coverage/counts.ts';
import {countingContent} from './coverage/instrument.ts';
import {coverageTable} from './coverage/table.ts';
import {unreached} from './coverage/unreached.ts';

/** A guest that hangs has nothing to give. */
const collectMs = 60_000;

const program = new Command('coverage')
	.description('Tells which lines and branches of kmod/ no case executes.')
	.argument('[kernels...]', 'kernels to run on', [fallbackKernel])
	.addOption(repeatable('--match <pattern>', 'only cases that match', 'all cases'))
	.parse();
const {match} = program.opts<{match: readonly string[]}>();
const [kernels] = program.processedArgs as [readonly string[]];

const signal = interruptible({isQuiet: true});
const suite = {...bprobeSuite, content: await countingContent()};
const cells = planCells({kernels, suite, cases: await suite.cases(), match});
if (cells.length === 0) program.error(`No case matches ${match.join(', ')}.`);
await using scratch = await mkdtempDisposable(path.join(tmpdir(), 'coverage-'));
const placeOf = (kernel: string) => path.join(scratch.path, kernel.replaceAll('/', '_'));

let done = 0;
const lost = new Map<string, string>();
await runKernels({
	suite,
	cells,
	signal,
	beforeEnd: async (kernel, guest) => {
		const trouble = await Promise.race([
			collect(guest, placeOf(kernel)).then(() => undefined, messageOf),
			guest.ended.then(() => 'it has ended'),
			sleep(collectMs, 'it does not answer', {ref: false}),
		]);
		if (trouble !== undefined) say(`${kernel}: what a guest executed is not counted: ${trouble}`);
	},
	emit(event) {
		if (event.type === 'kernel' && event.state !== 'ready') lost.set(event.kernel, event.reason ?? event.state);
		if (event.type !== 'cell') return;
		done++;
		if (isFailure(event)) say(`${done}/${cells.length} ${event.kernel} ${cellTitle(event)}: ${event.verdict}`);
	},
});

const all = new Map<string, LineCounts>();
for (const [kernel, reason] of lost) say(`${kernel} is left out: ${reason}`);
for (const kernel of kernels.filter(each => !lost.has(each)))
	for (const [file, counts] of await countsOf(placeOf(kernel))) all.set(file, union(all.get(file), counts));
const {text, isExplained} = await coverageTable(all, unreached, {isWhole: match.length === 0});
process.stdout.write(text);
process.exitCode = isExplained && lost.size === 0 ? 0 : 1;
