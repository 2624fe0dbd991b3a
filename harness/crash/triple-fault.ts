// SPDX-License-Identifier: GPL-2.0
import type {Kernel} from '../kernels/kernel.ts';
import {functionsOf, Symbols} from './symbols.ts';

/** Where the kernel's text is mapped. Guests start without KASLR, so this maps to physical address 0. */
const kernelMap = 0xffffffff80000000n;

/** Whether QEMU's reset log (`-d cpu_reset`) shows a triple fault. */
export function isTripleFault(log: string): boolean {
	return /^Triple fault$/m.test(log);
}

/**
 * For example `triple fault at secondary_startup_64+0x5d`, from the output of QEMU's `info registers -a` at that
 * moment. Gives the address when no symbol fits or the kernel has no symbols.
 */
export async function describeTripleFault(
	registers: string | undefined,
	kernel: Pick<Kernel, 'kallsyms' | 'symbols'>,
): Promise<string> {
	const cpus = (registers ?? '').split(/^CPU#\d+/m).slice(1);
	// The other CPUs are halted, waiting to be started.
	const culprit = cpus.find(cpu => !/\bHLT=1/.test(cpu)) ?? cpus[0];
	const rip = /\b[RE]IP=([\da-f]+)/.exec(culprit ?? '')?.[1];
	if (rip === undefined) return 'triple fault';
	return `triple fault at ${(await nameOf(BigInt(`0x${rip}`), kernel)) ?? `0x${rip}`}`;
}

async function nameOf(
	address: bigint,
	{kallsyms, symbols}: Pick<Kernel, 'kallsyms' | 'symbols'>,
): Promise<string | undefined> {
	const names = await readNames(kallsyms, symbols);
	// Early in the boot the kernel runs at physical addresses.
	return names.nameOf(address) ?? (address < kernelMap ? names.nameOf(address + kernelMap) : undefined);
}

async function readNames(kallsyms: string | undefined, symbols: string | undefined): Promise<Symbols> {
	if (kallsyms !== undefined) return Symbols.read(kallsyms, []);
	const functions = symbols === undefined ? [] : await functionsOf(symbols);
	return new Symbols(functions.map(({name, value}) => ({name, address: value})));
}
