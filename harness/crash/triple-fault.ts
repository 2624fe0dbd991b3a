import type {Kernel} from '../kernels/kernel.ts';
import {functionsOf, Symbols} from './symbols.ts';

/** Where the kernel's text is mapped to, whose physical address there is 0: guests start without randomization. */
const kernelMap = 0xffffffff80000000n;

/** Whether QEMU's log of resets tells of one. */
export function isTripleFault(log: string): boolean {
	return /^Triple fault$/m.test(log);
}

/**
 * `triple fault at secondary_startup_64+0x5d`, from QEMU's `info registers -a` at that moment. The place is an address
 * where no symbol fits, or the kernel comes without symbols.
 */
export async function describeTripleFault(
	registers: string | undefined,
	kernel: Pick<Kernel, 'kallsyms' | 'symbols'>,
): Promise<string> {
	const cpus = (registers ?? '').split(/^CPU#\d+/m).slice(1);
	// The others wait to be started.
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
	// Early in the boot the kernel runs where it lies in memory.
	return names.nameOf(address) ?? (address < kernelMap ? names.nameOf(address + kernelMap) : undefined);
}

async function readNames(kallsyms: string | undefined, symbols: string | undefined): Promise<Symbols> {
	if (kallsyms !== undefined) return Symbols.read(kallsyms, []);
	const functions = symbols === undefined ? [] : await functionsOf(symbols);
	return new Symbols(functions.map(({name, value}) => ({name, address: value})));
}
