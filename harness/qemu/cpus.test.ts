// SPDX-License-Identifier: GPL-2.0
import test from 'ava';
import {parseCpus, parseWords} from './cpus.ts';

const cpu = (n: number, registers: string) => `CPU#${n}\nRAX=0000000000000001 RBX=0000000000000002\n${registers}\n`;

test('each vCPU has its registers; one without all of them is left out', t => {
	const idle = cpu(0, 'RSP=ffffc90000000008\nRIP=ffffffff81000000 RFL=00000246 [---Z-P-] CPL=0 II=0 SMM=0 HLT=1');
	const broken = cpu(1, 'RIP=ffffffff81000000 RFL=00000246 CPL=0 HLT=0');
	const user = cpu(12, 'RSP=00007ffd00000010\nRIP=0000000000401000 RFL=00000046 [---Z-P-] CPL=3 II=0 SMM=0 HLT=0');
	t.deepEqual(parseCpus(`\n${idle}${broken}${user}`), [
		{
			...{cpu: 0, rip: 0xffffffff81000000n, rsp: 0xffffc90000000008n},
			...{isHalted: true, hasInterruptsOff: false, isInUser: false},
		},
		{
			...{cpu: 12, rip: 0x401000n, rsp: 0x7ffd00000010n},
			...{isHalted: false, hasInterruptsOff: true, isInUser: true},
		},
	]);
	t.deepEqual(parseCpus('no registers'), []);
});

test('words of memory are the values of each line, not its address', t => {
	const text = [
		'0xffffc900003ffbe8: 0xffffffff81002010 0x0000000000000001',
		'ffffc900003ffbf8: 0x00000000deadbeef',
		'Cannot access memory',
		'',
	].join('\r\n');
	t.deepEqual(parseWords(text), [0xffffffff81002010n, 1n, 0xdeadbeefn]);
});
