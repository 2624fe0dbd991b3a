// SPDX-License-Identifier: GPL-2.0
import {readFileSync} from 'node:fs';
import {setTimeout as sleep} from 'node:timers/promises';
import type {Symbols} from '../crash/symbols.ts';
import type {Agent} from '../link/agent.ts';
import type {GuestLink} from '../link/guest-link.ts';
import type {Console} from '../qemu/console.ts';
import {type CpuState, parseCpus, parseWords} from '../qemu/cpus.ts';
import type {Qmp} from '../qemu/qmp.ts';
import type {Vm} from '../qemu/vm.ts';
import type {Examination} from './guest.ts';

const monitorMs = 2000;
const answerMs = 1500;
const printMs = 700;
const stackWords = 192;
const shownFrames = 12;
/** Code and stack are read for this many CPUs; for the others only their location. */
const shownCpus = 8;

type ExaminedVm = Pick<Vm, 'pid' | 'registers'> & {
	readonly qmp: Pick<Qmp, 'execute'>;
	readonly console: Pick<Console, 'end' | 'from' | 'refresh'>;
};

type Parts = {
	readonly vm: ExaminedVm;
	readonly link: () => Promise<Pick<GuestLink, 'start'>>;
	readonly agent: Pick<Agent, 'call'>;
	readonly symbols: () => Promise<Symbols>;
	readonly slowness: number;
};

/** Finds out what still responds in a hung guest, and where its CPUs are. */
export async function examineGuest(parts: Parts): Promise<Examination> {
	const {vm, slowness} = parts;
	const registers = await within(monitorMs, vm.registers());
	if (registers === undefined) return hostKeepsIt(vm.pid);
	const cpus = await within(monitorMs * 2, describeCpus(parts, parseCpus(registers)));
	const patience = answerMs * slowness;
	const [agent, ssh] = await Promise.all([
		within(patience, parts.agent.call('clock', {})),
		within(patience, tellTasks(parts.link)),
	]);
	const before = vm.console.end;
	if (ssh === undefined) await pressKeys(vm);
	await sleep(printMs);
	await vm.console.refresh().catch(() => {});
	const hasSpoken = vm.console.end > before || ssh !== undefined;
	// An idle CPU with interrupts on shows a live kernel, even if there is no keyboard to reach it.
	const isIdle = parseCpus(registers).some(({isHalted, hasInterruptsOff}) => isHalted && !hasInterruptsOff);
	const where = (cpus ?? []).map(({cpu, at}) => `CPU ${cpu}: ${at}`);
	return {
		verdict: 'hang',
		words: [
			whoAnswers({agent: agent !== undefined, ssh: ssh !== undefined, kernel: hasSpoken || isIdle}),
			...where,
		].join('\n'),
		evidence: {
			...(cpus && {cpus}),
			...(hasSpoken && {tasks: vm.console.from(before).slice(0, 8000)}),
		},
	};
}

/** Whether QEMU's monitor does not respond either. Never rejects. */
export async function isHeld(vm: Pick<ExaminedVm, 'qmp'>): Promise<boolean> {
	return (await within(monitorMs, vm.qmp.execute('query-status'))) === undefined;
}

function whoAnswers({agent, ssh, kernel}: {agent: boolean; ssh: boolean; kernel: boolean}): string {
	if (agent) return 'The agent responds; the case is waiting for an event that never arrives.';
	if (ssh) return 'The agent does not respond, but the kernel does: a command over SSH works.';
	if (kernel) return 'No command gets through, but the kernel is alive.';
	return 'The kernel is dead: agent, SSH and console do not respond.';
}

/** QEMU does not respond on its monitor: it has been stopped, or gets no CPU time. */
function hostKeepsIt(pid: number): Examination {
	const state = processState(pid);
	const why =
		state === 'T' || state === 't' ? 'it has been stopped' : `the host says its state is ${state ?? 'unknown'}`;
	return {
		verdict: 'infra',
		words: `QEMU does not respond on its monitor: ${why}.`,
		evidence: {qemu: {pid, state}},
	};
}

function processState(pid: number): string | undefined {
	try {
		return /\) (\w)/.exec(readFileSync(`/proc/${pid}/stat`, 'latin1'))?.[1];
	} catch {
		// The process has ended.
		return undefined;
	}
}

type DescribedCpu = {
	readonly cpu: number;
	readonly at: string;
	readonly code?: string;
	readonly stack: readonly string[];
};

async function describeCpus({vm, symbols}: Parts, cpus: readonly CpuState[]): Promise<readonly DescribedCpu[]> {
	const names = await symbols();
	const described: DescribedCpu[] = [];
	for (const [index, state] of cpus.entries()) {
		const {cpu, rip, rsp} = state;
		const at = `${names.nameOf(rip) ?? hex(rip)}${circumstances(state)}`;
		if (state.isInUser || index >= shownCpus) {
			described.push({cpu, at, stack: []});
			continue;
		}
		const code = await memory(vm, cpu, `x /16xb ${hex(rip)}`);
		const words = parseWords(await memory(vm, cpu, `x /${stackWords}gx ${hex(rsp)}`));
		// The words include stale return addresses, like the entries with `?` in a kernel trace.
		const stack = words.flatMap(word => (word > 0xffffffff80000000n ? (names.nameOf(word - 1n) ?? []) : []));
		described.push({
			cpu,
			at,
			code: [...code.replaceAll(/^[^:]*:/gm, '').matchAll(/0x([\da-f]{2})\b/g)].map(([, byte]) => byte).join(' '),
			stack: stack.slice(0, shownFrames),
		});
	}
	return described;
}

function circumstances({isHalted, hasInterruptsOff, isInUser}: CpuState): string {
	const words = [isInUser && 'in user space', isHalted && 'idle', hasInterruptsOff && 'interrupts off'];
	const said = words.filter(word => word !== false);
	return said.length > 0 ? ` (${said.join(', ')})` : '';
}

async function memory(vm: ExaminedVm, cpu: number, command: string): Promise<string> {
	return vm.qmp.execute<string>('human-monitor-command', {'command-line': command, 'cpu-index': cpu}).catch(() => '');
}

function hex(value: bigint): string {
	return `0x${value.toString(16)}`;
}

/**
 * Prints blocked tasks and backtraces of all CPUs to the console. Not through `exec`, which a hung command may block.
 */
async function tellTasks(link: Parts['link']): Promise<true> {
	const {channel, ended} = await (await link()).start('echo w > /proc/sysrq-trigger; echo l > /proc/sysrq-trigger');
	channel.resume();
	channel.stderr.resume();
	await ended;
	return true;
}

/** Sends the same sysrq keys through the keyboard, if the kernel has a driver for it. */
async function pressKeys(vm: ExaminedVm): Promise<void> {
	for (const key of ['w', 'l']) {
		const keys = ['alt', 'sysrq', key].map(data => ({type: 'qcode', data}));
		await within(monitorMs, vm.qmp.execute('send-key', {keys, 'hold-time': 50}));
		await sleep(150);
	}
}

async function within<T>(ms: number, work: Promise<T>): Promise<T | undefined> {
	return Promise.race([work.catch(() => undefined), sleep(ms, undefined)]);
}
