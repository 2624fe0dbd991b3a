import {type Command, InvalidArgumentError} from 'commander';
import {say} from '../host/say.ts';
import {openConsoles} from '../matrix/consoles.ts';
import {guestSource} from '../matrix/guest-source.ts';
import {prepareKernel} from '../matrix/prepare-kernels.ts';
import {embeddedKernel, homeKernel} from '../matrix/tested-kernels.ts';
import {median} from '../results/rank-test.ts';
import {paintVerdict} from '../results/table.ts';
import {type Fault, faults} from '../selftest/faults.ts';
import {type FaultResult, runSelftest} from '../selftest/run-selftest.ts';
import {chooseKernels} from './choose-kernels.ts';

type SelftestOptions = {readonly kernel: readonly string[]; readonly only: readonly Fault[]};

export function addSelftest(program: Command, signal: AbortSignal): void {
	program
		.command('selftest')
		.description('makes guests crash and hang in every known way, and checks that the verdicts are right')
		.option(
			'--kernel <id>',
			`a kernel to do it on; may be given again (default: ${homeKernel}, or ${embeddedKernel} where that cannot be had)`,
			(id: string, before: readonly string[]) => [...before, id],
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
			onResult: result => say(formatRow(result)),
		});
		results.push(...ran);
	}
	process.stdout.write(`${formatResults(results)}consoles are in ${consoles}\n`);
	return results.some(({wrong}) => wrong.length > 0) ? 1 : 0;
}

function pickFault(name: string, before: readonly Fault[]): readonly Fault[] {
	const fault = faults.find(each => each.name === name);
	if (!fault)
		throw new InvalidArgumentError(`there is no such fault; there are ${faults.map(each => each.name).join(' ')}.`);
	return [...before, fault];
}

function formatResults(results: readonly FaultResult[]): string {
	const wrong = results.flatMap(({kernel, fault, wrong: reasons, outcome}) =>
		reasons.length === 0
			? []
			: [`\n${kernel} ${fault}: ${reasons.join('; ')}\n${outcome.message ?? ''}\n${outcome.consolePath ?? ''}\n`],
	);
	const skipped = results.filter(({verdict}) => verdict === 'skip').length;
	const bad = wrong.length;
	const late = results.filter(({verdict, ms, goalMs}) => verdict !== 'skip' && ms > goalMs).length;
	const sum = `${results.length - skipped - bad} as expected, ${bad} not, ${skipped} skipped, ${late} slower than their goal\n`;
	const medians = ['crash', 'hang', 'infra'].flatMap(verdict => {
		const times = results.filter(result => result.verdict === verdict).map(({ms}) => ms);
		return times.length > 0 ? [`${verdict} ${(median(times) / 1000).toFixed(1)} s`] : [];
	});
	return [
		...results.map(result => `${formatRow(result)}\n`),
		...wrong,
		sum,
		`median time from the trigger to the verdict: ${medians.join(', ')}\n`,
	].join('');
}

function formatRow({kernel, fault, verdict, title, ms, goalMs, wrong}: FaultResult): string {
	const time = verdict === 'skip' ? '' : `${(ms / 1000).toFixed(1)} s of ${goalMs / 1000} s`;
	const word = wrong.length > 0 ? 'WRONG' : 'ok';
	return [
		kernel.padEnd(13),
		fault.padEnd(17),
		paintVerdict(verdict, verdict.padEnd(5)),
		time.padStart(14),
		word.padEnd(5),
		// The whole title is in the console, and with each that is wrong.
		title.slice(0, 80 - 62),
	]
		.join('  ')
		.trimEnd();
}
