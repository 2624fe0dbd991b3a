// SPDX-License-Identifier: GPL-2.0
import {mkdtempDisposable, writeFile} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import path from 'node:path';
import test from 'ava';
import {describeTripleFault, isTripleFault} from './triple-fault.ts';

const cpu = (n: number, rip: string, halted = 0) =>
	`CPU#${n}\nRAX=0000000000000000 RBX=0000000000000000\nR8 =0000000000000000 R9 =0000000000000000\nRIP=${rip} RFL=00000046 [---Z-P-] CPL=0 II=0 A20=1 SMM=0 HLT=${halted}\n`;
const waits = cpu(1, '00000000fffffff0', 1);
const systemMap = `0000000000000000 A irq_stack_union
ffffffff81000000 T _text
ffffffff81000000 T startup_64
ffffffff81000030 T secondary_startup_64
ffffffff81000200 W weak_startup
ffffffff81000230 t after_it
ffffffff81a00000 D a_variable
`;

async function placeOf(registers: string, kallsyms = systemMap): Promise<string> {
	await using directory = await mkdtempDisposable(path.join(tmpdir(), 'symbols-'));
	const file = path.join(directory.path, 'System.map');
	await writeFile(file, kallsyms);
	return await describeTripleFault(registers, {kallsyms: file});
}

const faults: readonly (readonly [what: string, registers: string, words: string])[] = [
	['at a mapped address', cpu(0, 'ffffffff8100008d') + waits, 'triple fault at secondary_startup_64+0x5d'],
	['at a physical address', cpu(0, '000000000100008d') + waits, 'triple fault at secondary_startup_64+0x5d'],
	[
		'on the CPU that is not halted',
		cpu(0, '00000000fffffff0', 1) + cpu(1, '0000000001000001'),
		'triple fault at startup_64+0x1',
	],
	['in a weak function', cpu(0, 'ffffffff81000204'), 'triple fault at weak_startup+0x4'],
	['outside of the kernel', cpu(0, '00000000000fd0a0'), 'triple fault at 0x00000000000fd0a0'],
	['without registers', '', 'triple fault'],
	['in 32-bit mode', 'CPU#0\nEAX=0 EBX=0\nEIP=01000010 EFL=00000046 HLT=0\n', 'triple fault at startup_64+0x10'],
];
for (const [what, registers, words] of faults) {
	test(`a triple fault ${what} is reported as ${words}`, async t => {
		t.is(await placeOf(registers), words);
	});
}

test('without symbols, the address is reported', async t => {
	t.is(await describeTripleFault(cpu(0, '000000000100008d'), {}), 'triple fault at 0x000000000100008d');
});

test("isTripleFault reads QEMU's reset log", t => {
	t.true(isTripleFault('CPU Reset (CPU 0)\nEAX=0\nTriple fault\n'));
	t.false(isTripleFault('CPU Reset (CPU 0)\nEAX=0\n'));
});
