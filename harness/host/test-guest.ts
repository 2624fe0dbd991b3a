// SPDX-License-Identifier: GPL-2.0
import {mkdtempDisposable, writeFile} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import path from 'node:path';
import {programs} from './programs.ts';
import type {Qemu} from './qemu.ts';

export type TestGuestEnd =
	| {readonly ran: true /** Million loop iterations per second. */; readonly speed: number}
	| {readonly ran: false /** Part of a sentence. */; readonly why: string};

const turns = 20_000_000;

/** Exit status that isa-debug-exit makes of 0x10: (0x10 << 1) | 1. */
const goodExit = 0x21;

/** Runs a tiny guest. It prints A at its start, M after reading an MSR and S after a loop, then exits. */
export async function runTestGuest(
	qemu: Qemu,
	accelerator: readonly string[],
	{patienceMs, signal}: {patienceMs: number; signal?: AbortSignal | undefined},
): Promise<TestGuestEnd> {
	await using directory = await mkdtempDisposable(path.join(tmpdir(), 'probe-matrix-'));
	const bios = path.join(directory.path, 'bios');
	await writeFile(bios, testBios());
	const silence = new AbortController();
	const startTimer = () => setTimeout(() => silence.abort(), patienceMs);
	let timer = startTimer();
	// QEMU must end when the harness is killed.
	const child = programs()('setpriv', ['--pdeathsig', 'KILL', ...qemu.command, ...accelerator, ...testMachine(bios)], {
		env: {...qemu.environment},
		stdin: 'ignore',
		reject: false,
		killDescendants: true,
		forceKillAfterDelay: 500,
		cancelSignal: AbortSignal.any([silence.signal, ...(signal ? [signal] : [])]),
	});
	const saidAt = new Map<string, number>();
	child.stdout.on('data', (chunk: Buffer | string) => {
		for (const letter of String(chunk)) saidAt.set(letter, performance.now());
		clearTimeout(timer);
		timer = startTimer();
	});
	const {exitCode, signal: by, stderr, shortMessage} = await child;
	clearTimeout(timer);
	signal?.throwIfAborted();
	const said = [...saidAt.keys()].join('');
	if (said === 'AMS' && exitCode === goodExit) {
		const loopMs = Math.max(0.1, saidAt.get('S')! - saidAt.get('M')!);
		return {ran: true, speed: Math.round(turns / loopMs / 1000)};
	}
	return {ran: false, why: silence.signal.aborted ? describeSilence(said, patienceMs) : describeEnd()};

	function describeEnd(): string {
		const how = by ? `was ended by ${by}` : `ended with ${exitCode ?? shortMessage}`;
		const lastWords = stderr.trim().split('\n').at(-1);
		return `QEMU ${how}${said && ` after the test guest had printed ${said}`}${lastWords ? `: ${lastWords}` : ''}`;
	}
}

function describeSilence(said: string, patienceMs: number): string {
	const seconds = `for ${patienceMs / 1000} s`;
	if (said === '') return `the test guest printed nothing ${seconds}`;
	if (said === 'A') return `the test guest stopped at its first MSR ${seconds}`;
	return `the test guest printed nothing more than ${said} ${seconds}`;
}

function testMachine(bios: string): readonly string[] {
	return [
		...['-nodefaults', '-no-user-config', '-display', 'none', '-no-reboot', '-M', 'q35', '-m', '16M'],
		...['-bios', bios, '-chardev', 'stdio,id=out,signal=off', '-device', 'isa-debugcon,iobase=0xe9,chardev=out'],
		...['-device', 'isa-debug-exit,iobase=0xf4,iosize=0x01'],
	];
}

/** A 64 KiB image that ends at 4 GiB; the processor starts 16 bytes below that, in real mode. */
function testBios(): Buffer {
	const code = Buffer.from([
		...[0xba, 0xe9, 0x00], //             mov  $0xe9, %dx
		...[0xb0, 0x41, 0xee], //             mov  $'A', %al; out %al, %dx
		...[0x66, 0xb9, 0x1b, 0, 0, 0], //    mov  $0x1b, %ecx     # MSR_IA32_APICBASE
		...[0x0f, 0x32], //                   rdmsr
		...[0xba, 0xe9, 0x00], //             mov  $0xe9, %dx
		...[0xb0, 0x4d, 0xee], //             mov  $'M', %al; out %al, %dx
		...[0x66, 0xb9, ...littleEndian(turns)], // mov $turns, %ecx
		...[0x66, 0x49], //                1: dec  %ecx
		...[0x75, 0xfc], //                   jnz  1b
		...[0xb0, 0x53, 0xee], //             mov  $'S', %al; out %al, %dx
		...[0xba, 0xf4, 0x00], //             mov  $0xf4, %dx
		...[0xb0, 0x10, 0xee], //             mov  $0x10, %al; out %al, %dx
		...[0xf4, 0xeb, 0xfd], //          2: hlt; jmp 2b
	]);
	const image = Buffer.alloc(0x1_0000, 0xf4);
	const start = 0xff00;
	code.copy(image, start);
	// jmp start; the offset is relative to the next instruction.
	const entry = 0xfff0;
	image[entry] = 0xe9;
	image.writeInt16LE(start - (entry + 3), entry + 1);
	return image;
}

function littleEndian(value: number): readonly number[] {
	const bytes = Buffer.alloc(4);
	bytes.writeUInt32LE(value);
	return [...bytes];
}
