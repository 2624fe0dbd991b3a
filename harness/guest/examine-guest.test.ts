// SPDX-License-Identifier: GPL-2.0
import {EventEmitter} from 'node:events';
import test from 'ava';
import {Symbols} from '../crash/symbols.ts';
import type {Agent} from '../link/agent.ts';
import type {GuestLink} from '../link/guest-link.ts';
import {examineGuest, isHeld} from './examine-guest.ts';

const never = new Promise<never>(() => {});
const symbols = new Symbols([
	{address: 0xffffffff81000000n, name: 'native_safe_halt'},
	{address: 0xffffffff81002000n, name: 'do_syscall_64'},
	{address: 0xffffffffc0267980n, name: 'fx_spin', module: 'fixtures'},
]);

const cpu = (n: number, rip: string, flags: string, end: string) =>
	`\nCPU#${n}\nRAX=0 RBX=0\nRIP=${rip} RFL=${flags} [---] ${end}\nRSP=ffffc900003ffbe8 RBP=0\n`;
const idle = cpu(0, 'ffffffff8100000b', '00000246', 'CPL=0 II=0 A20=1 SMM=0 HLT=1');
const halted = cpu(0, 'ffffffff8100000b', '00000006', 'CPL=0 II=0 A20=1 SMM=0 HLT=1');
const stuck = cpu(1, 'ffffffffc026798d', '00000006', 'CPL=0 II=0 A20=1 SMM=0 HLT=0');

type World = {agent?: boolean; ssh?: boolean; speaks?: boolean; registers?: string; monitor?: boolean};

function world({agent = false, ssh = false, speaks = false, registers = stuck, monitor = true}: World) {
	let said = '';
	const execute = async (command: string, request?: Readonly<Record<string, unknown>>): Promise<unknown> => {
		if (!monitor) return never;
		if (command === 'send-key' && speaks) said += 'sysrq: Show Blocked State\n';
		const line = JSON.stringify(request ?? {});
		if (line.includes('xb')) return '0x0: 0xf3 0x90\n';
		if (line.includes('gx')) return 'ffffc900003ffbe8: 0xffffffff81002010 0x0000000000000001\n';
		return {};
	};
	const start = async () => {
		if (!ssh) return never;
		said += 'sysrq: Show Blocked State\n';
		const channel = Object.assign(new EventEmitter(), {resume() {}, stderr: {resume() {}}});
		return {channel, ended: Promise.resolve({code: 0})};
	};
	return {
		vm: {
			pid: process.pid,
			registers: async () => (monitor ? registers : never),
			qmp: {execute: execute as <T>(command: string) => Promise<T>},
			console: {
				get end() {
					return said.length;
				},
				from: (position: number) => said.slice(position),
				refresh: async () => {},
			},
		},
		link: async () => ({start: start as unknown as GuestLink['start']}),
		agent: {call: (() => (agent ? Promise.resolve({}) : never)) as unknown as Agent['call']},
		symbols: async () => symbols,
		slowness: 0.1,
	};
}

for (const [what, parts, words] of [
	['whose agent answers', {agent: true, ssh: true}, /^The agent responds/],
	['with a dead command channel and a live kernel', {ssh: true}, /^The agent does not respond, but the kernel does/],
	['that only the keyboard reaches', {speaks: true}, /^No command gets through, but the kernel is alive/],
	['that is idle and has no keyboard', {registers: idle}, /^No command gets through, but the kernel is alive/],
	['with a live channel and a dead kernel', {}, /^The kernel is dead/],
	['that is halted with interrupts off', {registers: `${halted}${stuck}`}, /^The kernel is dead/],
] as const) {
	test(`examination of a guest ${what}`, async t => {
		const found = await examineGuest(world(parts));
		t.is(found.verdict, 'hang');
		t.regex(found.words, words);
	});
}

test('examination reports where each CPU is, with code and stack as evidence', async t => {
	const {words, evidence} = await examineGuest(world({registers: `${idle}${stuck}`}));
	t.regex(words, /CPU 0: native_safe_halt\+0xb \(idle\)\nCPU 1: fx_spin\+0xd \[fixtures\] \(interrupts off\)/);
	t.like(evidence.cpus, [{cpu: 0}, {cpu: 1, code: 'f3 90', stack: ['do_syscall_64+0xf']}]);
});

test('a QEMU that does not respond is a host fault', async t => {
	const parts = world({monitor: false});
	const {verdict, words} = await examineGuest(parts);
	t.is(verdict, 'infra');
	t.regex(words, /^QEMU does not respond/);
	t.true(await isHeld(parts.vm));
	t.false(await isHeld(world({}).vm));
});

test('addresses far from any symbol have no name', t => {
	t.is(symbols.nameOf(0x1234n), undefined);
	t.is(symbols.nameOf(0xffffffff90000000n), undefined);
	t.is(symbols.nameOf(0xffffffff81002000n), 'do_syscall_64+0x0');
});
