// SPDX-License-Identifier: GPL-2.0
import {type Command, InvalidArgumentError} from 'commander';
import {openConsoles} from '../engine/consoles.ts';
import {prepareKernel} from '../engine/prepare-kernels.ts';
import {guestPool} from '../guest/guest-pool.ts';
import {say} from '../host/say.ts';
import {type Fault, type FaultResult, faults, projectSuite, runSelftest} from '../suites/project-suite.ts';
import {chooseKernels} from './choose-kernels.ts';
import {repeatable} from './option-values.ts';
import {showResult, showSum} from './selftest-output.ts';
import {defaultKernelText} from './shared-options.ts';

type SelftestOptions = {readonly kernel: readonly string[]; readonly only: readonly Fault[]};

export function addSelftest(command: Command, signal: AbortSignal): void {
	command
		.addOption(repeatable('--kernel <id>', 'kernel to crash', defaultKernelText))
		.addOption(repeatable('--only <name>', 'fault to cause', 'all faults').argParser(pickFault))
		.addHelpText(
			'after',
			`\nFaults: ${faults.map(({name}) => name).join(' ')}\nExit status: 0 every verdict was as expected, 1 one was not.`,
		)
		.action(async (options: SelftestOptions) => {
			process.exitCode = await selftest(options, signal);
		});
}

async function selftest({kernel, only}: SelftestOptions, signal: AbortSignal): Promise<number> {
	const {consoles, consolePath} = await openConsoles();
	const results: FaultResult[] = [];
	const {kernels, notice} = await chooseKernels(kernel, projectSuite.kernels, {signal});
	if (notice) say(notice);
	for (const id of kernels) {
		const guestBuild = await prepareKernel(id, {content: projectSuite.content, signal});
		const ran = await runSelftest({
			kernel: id,
			faults: only.length > 0 ? only : faults,
			bootGuest: guestPool(guestBuild, {isolation: 'reuse', signal, consolePath: () => consolePath(id)}),
			signal,
			onResult: result => showResult(result),
		});
		results.push(...ran);
	}
	showSum(results, consoles);
	return results.some(({wrong}) => wrong.length > 0) ? 1 : 0;
}

function pickFault(name: string, before: readonly Fault[]): readonly Fault[] {
	const fault = faults.find(each => each.name === name);
	if (!fault) throw new InvalidArgumentError(`It must be one of: ${faults.map(each => each.name).join(' ')}.`);
	return [...before, fault];
}
