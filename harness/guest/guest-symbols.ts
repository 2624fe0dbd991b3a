import {createHash} from 'node:crypto';
import {existsSync} from 'node:fs';
import path from 'node:path';
import type {GuestBuild} from '../build/guest-build.ts';
import {Symbols} from '../crash/symbols.ts';
import {writeAtomically} from '../host/atomic-file.ts';
import {cacheDirectory} from '../host/cache.ts';
import type {Kernel} from '../kernels/kernel.ts';
import type {Hex} from '../link/agent-protocol.ts';
import type {GuestLink} from '../link/guest-link.ts';

/**
 * The file with a kernel's symbols. For kernels that come without one the first guest is asked, once and for all: guests
 * start without address randomization, and one that hangs cannot be asked any more.
 */
export async function keepKallsyms(
	{bzImage, kallsyms}: Pick<Kernel, 'bzImage' | 'kallsyms'>,
	link: () => Promise<Pick<GuestLink, 'execBytes'>>,
): Promise<string | undefined> {
	if (kallsyms !== undefined) return kallsyms;
	const name = createHash('sha256').update(bzImage).digest('hex').slice(0, 16);
	const file = path.join(cacheDirectory('symbols'), name);
	if (existsSync(file)) return file;
	const text = await (await link()).execBytes('cat /proc/kallsyms');
	// Those of modules are of this boot.
	await writeAtomically(file, text.toString('latin1').replaceAll(/^.*\]\n/gm, ''));
	return file;
}

/** For a guest whose modules lie where `bases` says. */
export async function readSymbols(
	{modules: files}: Pick<GuestBuild, 'modules'>,
	{kallsyms, bases}: {kallsyms: string | undefined; bases: Readonly<Record<'bprobe' | 'fixtures', Hex>>},
): Promise<Symbols> {
	const modules = (['bprobe', 'fixtures'] as const).flatMap(name =>
		bases[name] === '0x0' ? [] : {name, file: files[name], base: BigInt(bases[name])},
	);
	return Symbols.read(kallsyms, modules);
}
