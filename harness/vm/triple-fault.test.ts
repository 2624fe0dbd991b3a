import {mkdtempDisposable, writeFile} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import path from 'node:path';
import test from 'ava';
import {describeTripleFault} from './triple-fault.ts';

const cpu = (n: number, rip: string, halted = 0) =>
	`CPU Reset (CPU ${n})\nRAX=0000000000000000 RBX=0000000000000000\nR8 =0000000000000000 R9 =0000000000000000\nRIP=${rip} RFL=00000046 [---Z-P-] CPL=0 II=0 A20=1 SMM=0 HLT=${halted}\n`;
const atStart = cpu(0, '0000000000000000') + cpu(1, '0000000000000000');
const systemMap = `0000000000000000 A irq_stack_union
ffffffff81000000 T _text
ffffffff81000000 T startup_64
ffffffff81000030 T secondary_startup_64
ffffffff81a00000 D a_variable
`;

async function placeOf(log: string, kallsyms = systemMap): Promise<string | undefined> {
	await using directory = await mkdtempDisposable(path.join(tmpdir(), 'symbols-'));
	const file = path.join(directory.path, 'System.map');
	await writeFile(file, kallsyms);
	return describeTripleFault(log, {kallsyms: file});
}

const faults: readonly (readonly [what: string, log: string, words: string | undefined])[] = [
	[
		'where the kernel is mapped',
		`${atStart}Triple fault\n${cpu(0, 'ffffffff8100008d')}`,
		'triple fault at secondary_startup_64+0x5d',
	],
	[
		'where it lies in memory',
		`${atStart}Triple fault\n${cpu(0, '000000000100008d')}`,
		'triple fault at secondary_startup_64+0x5d',
	],
	[
		'on the CPU that does not wait',
		`Triple fault\n${cpu(0, '00000000fffffff0', 1)}${cpu(1, '0000000001000001')}`,
		'triple fault at startup_64+0x1',
	],
	['outside of the kernel', `Triple fault\n${cpu(0, '00000000000fd0a0')}`, 'triple fault at 0x00000000000fd0a0'],
	['of which no more is known', 'Triple fault\n', 'triple fault'],
	['that is none', atStart, undefined],
];
for (const [what, log, words] of faults) {
	test(`a triple fault ${what} is told as ${words}`, async t => {
		t.is(await placeOf(log), words);
	});
}

test('a kernel without symbols has the address', async t => {
	t.is(
		await describeTripleFault(`Triple fault\n${cpu(0, '000000000100008d')}`, {}),
		'triple fault at 0x000000000100008d',
	);
});
