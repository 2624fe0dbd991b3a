// SPDX-License-Identifier: GPL-2.0
import process from 'node:process';
import {setTimeout as sleep} from 'node:timers/promises';
import type {Guest} from '../../../guest/guest.ts';
import {abortable} from '../../../host/abort.ts';
import type {Verdict} from '../../../results/run/verdict.ts';
import type {CaseContext} from '../case.ts';

/** A fault, and the verdict that the engine must give. */
export type Fault = {
	readonly name: string;
	readonly verdict: Verdict;
	/** Must match the message from its beginning. */
	readonly message?: RegExp;
	/** Goal for the time from the trigger to the verdict, in ms, on an idle host without KVM. */
	readonly goalMs: number;
	/** One of these options must be built in for the kernel to notice the fault. */
	readonly options?: readonly string[];
	/** The fault shows after the cell has ended. */
	readonly isLate?: true;
	/** The evidence must include where the CPUs were. */
	readonly isHang?: true;
	pull(context: CaseContext, guest: Guest): Promise<void>;
};

const quickMs = 2000;
const hangMs = 15_000;

export const faults: readonly Fault[] = [
	{...crash('panic'), message: /^Kernel panic - not syncing: fixtures: the panic that was asked for/},
	{
		...crash('oops'),
		message:
			/^(?:BUG: unable to handle kernel NULL pointer dereference|general protection fault) in fx_oops \[fixtures\]/,
	},
	{...crash('warn'), message: /^WARNING in fx_warn \[fixtures\]/},
	{...crash('bug'), message: /^kernel BUG in fx_bug \[fixtures\]/},
	{...crash('triple-fault'), message: /^The guest died of a triple fault/},
	{...crash('power-off'), message: /^The guest powered off/},
	{...crash('reboot'), message: /^The guest reset itself/},
	{
		...crash('atomic-sleep'),
		message: /^BUG: (?:scheduling while atomic|sleeping function called from invalid context) in fx_sleep_in_atomic/,
		options: ['CONFIG_PREEMPT_COUNT', 'CONFIG_DEBUG_ATOMIC_SLEEP'],
	},
	{
		...crash('kasan-write'),
		message: /^KASAN: slab-out-of-bounds write in fx_write_after_end \[fixtures\]/,
		options: ['CONFIG_KASAN'],
	},
	{
		...crash('lockdep-inversion'),
		message: /^WARNING: possible circular locking dependency detected in fx_invert_locks \[fixtures\]/,
		options: ['CONFIG_PROVE_LOCKING'],
	},
	{
		...crash('leak'),
		message: /^kmemleak: \d+ new suspected memory leaks?/,
		goalMs: hangMs,
		options: ['CONFIG_DEBUG_KMEMLEAK'],
		async pull({ask, exec, signal}) {
			await ask('crash', {kind: 'leak'});
			// kmemleak counts an object as leaked once it is some seconds old and was not found in two scans.
			for (let scan = 0; scan < 3; scan++) {
				await sleep(3000, undefined, {signal});
				await exec('echo scan > /sys/kernel/debug/kmemleak');
			}
		},
	},
	{
		...crash('late-warn'),
		message: /^WARNING in fx_late_warn \[fixtures\]/,
		goalMs: hangMs,
		isLate: true,
		pull: pullOnly('late-warn'),
	},
	{
		...hang('soft-lockup'),
		message: /^(?:INFO: rcu\w* stall|BUG: soft lockup) in fx_spin_unpreempted \[fixtures\]/,
		options: ['CONFIG_SOFTLOCKUP_DETECTOR'],
	},
	{
		...hang('hard-lockup'),
		// If the kernel reports nothing in time, the CPU registers locate the loop.
		message: /^(?:INFO: rcu\w* stall|hard LOCKUP|BUG: soft lockup|Timed out after).*fx_spin_without_interrupts/s,
	},
	{...hang('rcu-stall'), message: /^INFO: rcu\w* stall(?: in |\n)/},
	{...hang('hung-task'), message: /^INFO: task hung in fx_hang \[fixtures\]/, options: ['CONFIG_DETECT_HUNG_TASK']},
	{
		...hang('every-cpu-dead'),
		message: /^(?:Timed out after|INFO: rcu|BUG: soft)/,
		goalMs: 2 * hangMs,
		async pull({ask, signal}) {
			for (let cpu = 0; cpu < 4; cpu++) void ask('crash', {kind: 'hard-lockup'}).catch(() => {});
			await untilEnd(signal);
		},
	},
	{
		name: 'silent-case',
		verdict: 'hang',
		message: /^Timed out after .*\nThe agent responds/,
		goalMs: hangMs,
		isHang: true,
		pull: ({signal}) => untilEnd(signal),
	},
	{name: 'flood', verdict: 'pass', goalMs: 30_000, pull: pullOnly('flood')},
	{
		...signalled('agent-killed', 'killall -9 agent'),
		message: /^The agent in the guest is gone: it ended by SIGKILL/,
	},
	{
		...signalled('agent-stopped', 'killall -STOP agent'),
		message: /^Timed out after .*\nThe agent does not respond, but the kernel does/,
		goalMs: 2 * hangMs,
	},
	{
		...signalled('sshd-killed', 'killall -9 dropbear'),
		// The agent has a virtio port of its own, so it survives dropbear.
		message: /^Timed out after .*\nThe agent responds/,
	},
	{
		name: 'qemu-killed',
		verdict: 'infra',
		message: /^QEMU was killed by SIGKILL/,
		goalMs: quickMs,
		async pull({signal}, {pid}) {
			process.kill(pid!, 'SIGKILL');
			await untilEnd(signal);
		},
	},
	{
		name: 'qemu-stopped',
		verdict: 'infra',
		message: /QEMU does not respond on its monitor: it has been stopped/,
		goalMs: 2 * hangMs,
		async pull({signal}, {pid}) {
			process.kill(pid!, 'SIGSTOP');
			await untilEnd(signal);
		},
	},
];

function crash(kind: string): Fault {
	return {name: kind, verdict: 'crash', goalMs: quickMs, pull: pullAndWait(kind)};
}

function hang(kind: string): Fault {
	return {name: kind, verdict: 'hang', goalMs: hangMs, isHang: true, pull: pullAndWait(kind)};
}

/** Sends a signal to a process of the guest, with a command that may not outlive it. */
function signalled(name: string, command: string): Fault {
	return {
		name,
		verdict: 'hang',
		goalMs: hangMs,
		isHang: true,
		async pull({exec, signal}) {
			void exec(command).catch(() => {});
			await untilEnd(signal);
		},
	};
}

function pullOnly(kind: string): Fault['pull'] {
	return async ({ask}) => {
		await ask('crash', {kind});
	};
}

function pullAndWait(kind: string): Fault['pull'] {
	return async ({ask, signal}) => {
		await ask('crash', {kind});
		await untilEnd(signal);
	};
}

/** Rejects with the signal's reason once it aborts. */
async function untilEnd(signal: AbortSignal): Promise<never> {
	return abortable(new Promise<never>(() => {}), signal);
}
