// SPDX-License-Identifier: GPL-2.0
import {countVerdicts} from '../results/run/cell-name.ts';
import type {CellEvent, KernelEvent} from '../results/run/events.ts';
import type {RunRecord} from '../results/run/read-run.ts';
import type {Verdict} from '../results/run/verdict.ts';

/** Guest text that tries to break out in a browser, terminal, XML, TAP, Markdown and GitHub. */
export const hostile = [
	'<script>document.title = "owned"</script><img src=x onerror="document.title = \'owned\'">',
	'</pre></details></article><style>* {display: none}</style>',
	'" onmouseover="document.title = 1" x=\'',
	']]> &amp; &#0; <![CDATA[',
	'\u001B[2J\u001B]0;title\u0007\u0000\u0008\u009B31m\uFFFE\uD800 \u202Egnp.exe\u200B',
	'not ok 1 - not mine # TODO',
	'...',
	'```',
	'::error::not mine',
	'| a | b |',
].join('\n');

const registers = {
	what: 'entry registers',
	expected: {ax: '0x1000010101010101', bx: '0x2', flags: '0x200'},
	seen: {ax: '0x1000010101010101', bx: '0xffffffff81000000', flags: '0x200'},
};
const callStack = {
	expected: ['fx_asm', 'fx_call', 'ioctl'],
	seen: ['fx_asm', '0xffffffffc0402000', 'fx_call', 'ioctl'],
};

const bad: Readonly<Record<Exclude<Verdict, 'pass' | 'skip' | 'known'>, Partial<CellEvent>>> = {
	fail: {
		message: 'entry registers: bx is 0xffffffff81000000, should be 0x2',
		evidence: {registers, callStack, callsAtEachAttach: [1, 2, 3]},
		again: {verdict: 'pass'},
		flaky: true,
	},
	crash: {
		message: 'KASAN: use-after-free in bp_enter\nthen: WARNING in bp_leave',
		console:
			'[    1.000000] BUG: KASAN: use-after-free in bp_enter+0x10/0x20\n[    1.000001] Call Trace:\n[    1.000002]  dump_stack',
		evidence: {report: {task: 'agent', frames: ['bp_enter+0x10/0x20 hook.c:12']}},
		consolePath: '/var/runs/1/debian-6.1.console',
		memory: {path: '/var/runs/1/debian-6.1.vmcore', bytes: 61 * 2 ** 20},
	},
	hang: {
		message: 'Timed out after 5 s.\nThe agent responds.',
		again: {verdict: 'hang', message: 'Timed out after 5 s.'},
	},
	inconclusive: {message: 'Only 3 calls overlapped, 50 are needed.'},
	infra: {
		message: hostile,
		console: hostile,
		evidence: {
			[hostile]: hostile,
			registers: {what: hostile, expected: {[hostile]: hostile}, seen: {}},
			callStack: {expected: [hostile], seen: []},
		},
	},
};

const targets = ['asm', 'asm-fentry', 'c', 'vmlinux'];
const suites = ['entry', 'return', 'race', 'multi'];

/** A run with everything that can occur: each verdict, hostile text, an unavailable kernel. */
export function sampleRun({
	kernels = ['4.15.18', 'debian-6.1'],
	cases = 8,
	isInterrupted = false,
}: {
	kernels?: readonly string[];
	cases?: number;
	isInterrupted?: boolean;
} = {}): RunRecord {
	const cells = kernels.flatMap((kernel, column) => [
		cell({kernel, case: 'module/loads', durationMs: 90 + column}),
		...Array.from({length: cases}, (_, n) =>
			targets.map(target =>
				cell({
					kernel,
					case: `${suites[n % suites.length]}/case-${n}`,
					target,
					durationMs: 100 + ((n * 37 + column) % 400),
				}),
			),
		).flat(),
		cell({kernel, case: 'tooling/bpftool', verdict: 'skip', message: `bpftool # is not \\ in this guest's <image>`}),
	]);
	const last = kernels.at(-1)!;
	// The keys are those of `bad`.
	for (const [verdict, about] of Object.entries(bad))
		cells.push(
			cell({kernel: last, case: `return/bad-${verdict}`, target: 'asm', verdict: verdict as Verdict, ...about}),
		);
	const unavailable: KernelEvent = {
		type: 'kernel',
		kernel: '4.15.18+debug',
		state: 'unavailable',
		reason: 'kernel.org cannot be reached. Give --source a tree.',
	};
	const failed: KernelEvent = {
		type: 'kernel',
		kernel: '4.15.11',
		state: 'failed',
		reason: `Linux 4.15.11 did not boot: triple fault at secondary_startup_64+0x5d\n${hostile}`,
		console: `the last line <of> it\n${hostile}`,
		notRun: 34,
	};
	const planned = cells.length + cases + 34;
	return {
		run: {
			type: 'run',
			schema: 1,
			id: '20261122T120000Z-0000',
			startedAt: '2026-11-22T12:00:00.000Z',
			host: {release: '6.1.0', cpus: 2, memoryMib: 8192},
			accelerator: {name: 'tcg, multi-threaded', reason: '/dev/kvm is not there.', speed: 325},
			versions: {node: 'v24.21.0', qemu: '10.0.2'},
			cells: isInterrupted ? planned : cells.length + 34,
		},
		kernels: [
			unavailable,
			failed,
			...kernels.map(
				kernel => ({type: 'kernel', kernel, state: 'ready', release: `${kernel}-amd64`, bootMs: 492}) as const,
			),
		],
		cells,
		measurements: [],
		...(!isInterrupted && {
			end: {type: 'end', counts: countVerdicts(cells), notRun: 34, durationMs: 86_400, exitCode: 1},
		}),
		isInterrupted,
	};
}

function cell(about: Partial<CellEvent> & Pick<CellEvent, 'case' | 'kernel'>): CellEvent {
	return {type: 'cell', mechanism: 'bprobe', repeat: 0, verdict: 'pass', durationMs: 100, ...about};
}
