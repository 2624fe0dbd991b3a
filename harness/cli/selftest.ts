import {type Command, InvalidArgumentError} from 'commander';
import {say} from '../host/say.ts';
import {openConsoles} from '../matrix/consoles.ts';
import {guestSource} from '../matrix/guest-source.ts';
import {prepareKernel} from '../matrix/prepare-kernels.ts';
import {embeddedKernel, homeKernel} from '../matrix/tested-kernels.ts';
import {type Fault, faults} from '../selftest/faults.ts';
import {type FaultResult, runSelftest} from '../selftest/run-selftest.ts';
import {chooseKernels} from './choose-kernels.ts';
import {collect} from './option-values.ts';
import {showResult, showSum} from './selftest-output.ts';

type SelftestOptions = {readonly kernel: readonly string[]; readonly only: readonly Fault[]};

export function addSelftest(command: Command, signal: AbortSignal): void {
	command
		.option(
			'--kernel <id>',
			`a kernel to do it on; may be given again (default: ${homeKernel}, or ${embeddedKernel} where that cannot be had)`,
			collect,
			[],
		)
		.option('--only <name>', 'one of the faults; may be given again', pickFault, [])
		.addHelpText('after', `\nFaults: ${faults.map(({name}) => name).join(' ')}\nExit status: 0 all as expected, 1 not.`)
		.action(async (options: SelftestOptions) => {
			process.exitCode = await selftest(options, signal);
		});
}

async function selftest({kernel, only}: SelftestOptions, signal: AbortSignal): Promise<number> {
	const {consoles, consolePath} = await openConsoles();
	const results: FaultResult[] = [];
	const {kernels, notice} = await chooseKernels(kernel, {signal});
	if (notice) say(notice);
	for (const id of kernels) {
		const payload = await prepareKernel(id, {signal});
		const ran = await runSelftest({
			kernel: id,
			faults: only.length > 0 ? only : faults,
			bootGuest: guestSource(payload, {isolation: 'reuse', signal, consolePath: () => consolePath(id)}),
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
	if (!fault)
		throw new InvalidArgumentError(`there is no such fault; there are ${faults.map(each => each.name).join(' ')}.`);
	return [...before, fault];
}
