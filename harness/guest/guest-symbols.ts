// SPDX-License-Identifier: GPL-2.0
import {createHash} from 'node:crypto';
import {existsSync, readFileSync} from 'node:fs';
import path from 'node:path';
import type {GuestBuild} from '../build/guest-build.ts';
import {Symbols} from '../crash/symbols.ts';
import {writeAtomically} from '../host/atomic-file.ts';
import {cacheDirectory} from '../host/cache.ts';
import type {Kernel} from '../kernels/kernel.ts';
import type {Hex} from '../link/agent-protocol.ts';
import type {GuestLink} from '../link/guest-link.ts';

/**
 * Returns a file with the kernel's symbols. For a kernel without one, the symbols are read from the first guest and
 * kept. They stay valid because guests start without KASLR, and a hung guest could no longer be asked.
 */
export async function keepKallsyms(
	{bzImage, kallsyms}: Pick<Kernel, 'bzImage' | 'kallsyms'>,
	link: () => Promise<Pick<GuestLink, 'execBytes'>>,
): Promise<string | undefined> {
	if (kallsyms !== undefined) return kallsyms;
	const name = createHash('sha256').update(bzImage).digest('hex').slice(0, 16);
	const file = path.join(cacheDirectory('symbols'), name);
	// A power loss may have left an empty file.
	if (existsSync(file) && / [tT] /.test(readFileSync(file, 'latin1'))) return file;
	const text = await (await link()).execBytes('cat /proc/kallsyms');
	// Addresses of modules are valid only for this boot.
	await writeAtomically(file, text.toString('latin1').replaceAll(/^.*\]\n/gm, ''), {isDurable: true});
	return file;
}

/** Symbols of a guest whose modules are loaded at `bases`. */
export async function readSymbols(
	{modules: built}: Pick<GuestBuild, 'modules'>,
	{kallsyms, bases}: {kallsyms: string | undefined; bases: Readonly<Record<string, Hex>>},
): Promise<Symbols> {
	const modules = built.flatMap(({name, file}) => {
		const base = BigInt(bases[name] ?? 0);
		return base === 0n ? [] : {name, file, base};
	});
	return Symbols.read(kallsyms, modules);
}
