// SPDX-License-Identifier: GPL-2.0
import {setTimeout as sleep} from 'node:timers/promises';
import type {GuestBuild} from '../build/guest-build.ts';
import {withSourceLines} from '../crash/source-lines.ts';
import {CommandFailedError} from '../host/errors.ts';
import {builtInOptions} from '../kernels/built-in.ts';
import {pushFromRoot} from '../link/transfer.ts';
import type {VmOptions} from '../qemu/vm.ts';
import {bootUntilClockIsRight, isClockRight} from '../vm/clock.ts';
import {Instance} from '../vm/instance.ts';
import {loadSuite, type Pushed} from '../vm/load-suite.ts';
import {examineGuest, isHeld} from './examine-guest.ts';
import type {Guest, GuestEnd} from './guest.ts';
import {guestSettings} from './guest-settings.ts';
import {keepKallsyms, readSymbols} from './guest-symbols.ts';
import type {MemorySaver} from './memory-saver.ts';
import {parsePlace, placeCommand, type VmcoreinfoPlace} from './vmcoreinfo.ts';

/** Time from power-on to the agent's answer on an idle host without KVM. */
const usualBootMs = 2500;

/** Boots a guest and pushes the suite into it. `consolePath`: the console log, which outlives the guest. */
export async function bootGuest(
	guestBuild: GuestBuild,
	{
		signal,
		consolePath,
		accelerator,
		onPushed,
		memories,
	}: Pick<VmOptions, 'signal' | 'consolePath' | 'accelerator'> & {
		readonly memories?: MemorySaver | undefined;
		readonly onPushed?: ((pushed: Pushed) => void) | undefined;
	} = {},
): Promise<Guest> {
	return bootUntilClockIsRight(async boot => {
		const path = consolePath && boot > 1 ? `${consolePath}.${boot}` : consolePath;
		await using resources = new AsyncDisposableStack();
		const options = {signal, consolePath: path, ...(accelerator && {accelerator})};
		const guest = resources.use(await Instance.boot(guestBuild, options));
		if (!(await guest.vm.whileItIsUp(isClockRight(guest.agent)))) return undefined;
		const pushed = await guest.vm.whileItIsUp(loadSuite(guest, guestBuild, {signal}));
		onPushed?.(pushed);
		resources.move();
		return await adaptGuest(guest, guestBuild, {slowness: slownessOf(guest.readyMs), memories, signal});
	});
}

/** Deadlines assume an idle host; the boot time shows how much slower this one is. */
function slownessOf(bootMs: number): number {
	return Math.max(1, bootMs / usualBootMs);
}

/** Wraps an instance for the engine and takes ownership of it; when this throws, the guest has been ended. */
export async function adaptGuest(
	guest: Instance,
	guestBuild: GuestBuild,
	{
		slowness,
		memories,
		signal,
	}: {slowness: number; memories?: MemorySaver | undefined; signal?: AbortSignal | undefined},
): Promise<Guest> {
	await using resources = new AsyncDisposableStack();
	const {vm, agent} = resources.use(guest);
	const preparing = agent.call('prepare', {
		settings: guestSettings(slowness),
		modules: guestBuild.modules.map(({name}) => name),
	});
	const {bases} = await vm.whileItIsUp(preparing);
	const kallsyms = await vm.whileItIsUp(keepKallsyms(guestBuild.kernel, () => guest.link()));
	let symbols: ReturnType<typeof readSymbols> | undefined;
	if (memories) await vm.holdAtEnd();
	const vmcoreinfo = memories && (await readPlace(guest));
	const kernelOptions = await builtInOptions(guestBuild.kernel);
	const addresses: Guest['addresses'] = new Map();
	const owned = resources.move();
	return {
		release: guestBuild.kernel.release,
		bootMs: Math.round(guest.readyMs),
		slowness,
		pid: vm.pid,
		isEmulated: vm.isEmulated,
		hasOption: option => kernelOptions.has(option),
		ask: (op, request) => agent.call(op, request),
		async exec(command) {
			try {
				return {code: 0, ...(await (await guest.link()).exec(command))};
			} catch (error) {
				if (!(error instanceof CommandFailedError)) throw error;
				return {code: error.code ?? -1, stdout: '', stderr: error.stderr};
			}
		},
		start: async command => (await guest.link()).start(command),
		async push(...files) {
			await pushFromRoot(await guest.link(), files);
		},
		console: vm.console,
		ended: Promise.race([vm.ended, agent.gone.then(lost)]),
		isHeld: () => isHeld(vm),
		examine: () =>
			examineGuest({
				vm,
				link: () => guest.link(),
				agent,
				slowness,
				symbols: () => (symbols ??= readSymbols(guestBuild, {kallsyms, bases})),
			}),
		locate: frames =>
			withSourceLines(frames, Object.fromEntries(guestBuild.modules.map(({name, file}) => [name, file]))),
		...(memories && {saveMemory: () => memories.save(vm, {vmcoreinfo, signal})}),
		retranslate: () => vm.retranslate([...addresses.values()]),
		addresses,
		[Symbol.asyncDispose]: () => owned.disposeAsync(),
	};
}

/** A kernel without the file has no such description. */
async function readPlace(guest: Instance): Promise<VmcoreinfoPlace | undefined> {
	try {
		const {stdout} = await (await guest.link()).exec(placeCommand);
		return parsePlace(stdout);
	} catch (error) {
		if (!(error instanceof CommandFailedError)) throw error;
		return undefined;
	}
}

/** The SSH link breaks before QEMU exits, and the exit explains more; so wait for it for a moment. */
async function lost(error: Error): Promise<GuestEnd> {
	await sleep(1000, undefined, {ref: false});
	return {verdict: 'hang', message: error.message};
}
