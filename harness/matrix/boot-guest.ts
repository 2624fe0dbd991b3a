import {readFile} from 'node:fs/promises';
import {setTimeout as sleep} from 'node:timers/promises';
import type {Payload} from '../build/payload.ts';
import {BootError, CommandFailedError} from '../host/errors.ts';
import type {Agent} from '../link/agent.ts';
import {Guest as VmGuest} from '../vm/guest.ts';
import type {QemuEnd} from '../vm/qemu-process.ts';
import {withSourceLines} from '../vm/source-lines.ts';
import {examineGuest, isHeld} from './examine-guest.ts';
import type {Guest, GuestEnd} from './guest.ts';
import {describeEnd} from './guest-end.ts';
import {guestSettings, printModuleBases} from './guest-settings.ts';
import {keepKallsyms, readSymbols} from './guest-symbols.ts';
import {slownessOf} from './run-cell.ts';

const bootsAtMost = 5;

/** Boots a guest for the engine; `consolePath` keeps its console after it has ended. */
export async function bootGuest(
	payload: Payload,
	{signal, consolePath}: {signal?: AbortSignal; consolePath?: string} = {},
): Promise<Guest> {
	for (let boot = 1; boot <= bootsAtMost; boot++) {
		const path = consolePath && boot > 1 ? `${consolePath}.${boot}` : consolePath;
		const guest = await bootOnce(payload, {signal, ...(path && {consolePath: path})});
		if (guest) return guest;
	}
	throw new BootError(`In ${bootsAtMost} boots the clock of the guest ran too fast or too slow; the host is too busy.`);
}

/** Nothing where the guest's clock is wrong. */
async function bootOnce(
	payload: Payload,
	options: {signal?: AbortSignal | undefined; consolePath?: string},
): Promise<Guest | undefined> {
	await using resources = new AsyncDisposableStack();
	const {vm, agent, link, readyMs} = resources.use(await VmGuest.boot(payload, options));
	if (!(await isClockRight(agent))) return undefined;
	const slowness = slownessOf({bootMs: readyMs});
	const {stdout: bases} = await link.exec(`${guestSettings(slowness)}\n${printModuleBases}`);
	const kallsyms = await keepKallsyms(payload.kernel, link);
	let symbols: ReturnType<typeof readSymbols> | undefined;
	let shutdownReason: string | undefined;
	vm.qmp.onEvent(({event, data}) => {
		if (event === 'SHUTDOWN') shutdownReason = String(data?.reason);
	});
	const describe = async (end: QemuEnd) =>
		describeEnd(end, {
			log: await readFile(vm.resetLog, 'latin1').catch(() => ''),
			...(shutdownReason !== undefined && {shutdownReason}),
		});
	const kernelOptions = new Set((await readFile(payload.kernel.config, 'utf8')).split('\n'));
	const addresses: Guest['addresses'] = new Map();
	const owned = resources.move();
	return {
		release: payload.kernel.release,
		bootMs: Math.round(readyMs),
		pid: vm.pid,
		hasOption: option => kernelOptions.has(`${option}=y`),
		ask: (op, request) => agent.call(op, request),
		async exec(command) {
			try {
				return {code: 0, ...(await link.exec(command))};
			} catch (error) {
				if (!(error instanceof CommandFailedError)) throw error;
				return {code: error.code ?? -1, stdout: '', stderr: error.stderr};
			}
		},
		console: vm.console,
		ended: Promise.race([vm.exited.then(describe), agent.gone.then(lost)]),
		isHeld: () => isHeld(vm),
		examine: () =>
			examineGuest({
				vm,
				link,
				agent,
				slowness,
				symbols: () => (symbols ??= readSymbols(payload, {kallsyms, bases})),
			}),
		locate: frames => withSourceLines(frames, {bprobe: payload.bprobe, fixtures: payload.fixtures}),
		retranslate: () => vm.retranslate([...addresses.values()]),
		addresses,
		[Symbol.asyncDispose]: () => owned.disposeAsync(),
	};
}

/**
 * A kernel that measures its clock while the host is busy may be wrong by a factor of ten or more: its timeouts and
 * stall detectors then strike at random.
 */
async function isClockRight(agent: Agent): Promise<boolean> {
	const first = await readClocks(agent);
	for (const waitMs of [50, 1000]) {
		await sleep(waitMs);
		const last = await readClocks(agent);
		const rate = (last.guestMs - first.guestMs) / (last.hostMs - first.hostMs);
		// A short look may be blurred by the way there and back; a long one is not.
		if (rate > 0.7 && rate < 1.5) return true;
	}
	return false;
}

async function readClocks(agent: Agent): Promise<{hostMs: number; guestMs: number}> {
	const before = performance.now();
	const {nowNs} = await agent.call('counts', {});
	return {hostMs: (before + performance.now()) / 2, guestMs: Number(BigInt(nowNs) / 1000n) / 1000};
}

/** The link goes before QEMU, whose end says more. */
async function lost(error: Error): Promise<GuestEnd> {
	await sleep(1000, undefined, {ref: false});
	return {verdict: 'hang', message: error.message};
}
