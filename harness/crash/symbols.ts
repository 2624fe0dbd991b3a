// SPDX-License-Identifier: GPL-2.0
import {readFile} from 'node:fs/promises';
import {programs} from '../host/programs.ts';

type Symbol = {readonly address: bigint; readonly name: string; readonly module?: string};

/** Names for addresses of a kernel and its modules. */
export class Symbols {
	readonly #sorted: readonly Symbol[];

	/** Reads a file in the format of /proc/kallsyms, and modules with the address that they are loaded at. */
	static async read(
		kallsyms: string | undefined,
		modules: readonly {readonly name: string; readonly file: string; readonly base: bigint}[],
	): Promise<Symbols> {
		const own = await Promise.all(modules.map(moduleSymbols));
		const kernel = kallsyms === undefined ? [] : parseKallsyms(await readFile(kallsyms, 'latin1'));
		return new Symbols([...kernel, ...own.flat()]);
	}

	constructor(symbols: readonly Symbol[]) {
		this.#sorted = symbols.toSorted((a, b) => (a.address < b.address ? -1 : a.address > b.address ? 1 : 0));
	}

	/** For example `ring_oops+0x7 [ring]`; undefined when no symbol is within 64 KiB below the address. */
	nameOf(address: bigint): string | undefined {
		let [low, high] = [0, this.#sorted.length];
		while (low < high) {
			const middle = (low + high) >> 1;
			if (this.#sorted[middle]!.address <= address) low = middle + 1;
			else high = middle;
		}
		const found = this.#sorted[low - 1];
		if (!found || address - found.address > 0x10000n) return undefined;
		const offset = `+0x${(address - found.address).toString(16)}`;
		return `${found.name}${offset}${found.module ? ` [${found.module}]` : ''}`;
	}
}

function parseKallsyms(text: string): readonly Symbol[] {
	const found: Symbol[] = [];
	for (const [, address, name] of text.matchAll(/^([0-9a-f]{16}) [tTwW] (\S+)$/gm))
		found.push({address: BigInt(`0x${address}`), name: name!});
	return found;
}

async function moduleSymbols({
	name: module,
	file,
	base,
}: {
	name: string;
	file: string;
	base: bigint;
}): Promise<readonly Symbol[]> {
	return (await functionsOf(file))
		.filter(({section}) => section === '.text')
		.map(({name, value}) => ({address: base + value, name, module}));
}

export type ModuleFunction = {readonly name: string; readonly value: bigint; readonly section: string};

/** Functions of a module file; empty when nm is missing or fails. */
export async function functionsOf(file: string): Promise<readonly ModuleFunction[]> {
	const {stdout, failed} = await programs()('nm', ['--format=sysv', file], {reject: false, maxBuffer: 64 << 20});
	if (failed) return [];
	return stdout.split('\n').flatMap(line => {
		const [name, value, kind, , , , section] = line.split('|').map(field => field.trim());
		if (!name || !value || !/^[tT]$/.test(kind ?? '') || !section) return [];
		return {name, value: BigInt(`0x${value}`), section};
	});
}
