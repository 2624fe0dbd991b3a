import {builtInOptions} from './built-in.ts';
import type {Kernel} from './kernel.ts';

/** What a guest of this kernel needs. KASAN shadows every eight bytes by one and keeps what was freed for a while. */
export async function guestMemoryMib(kernel: Pick<Kernel, 'config'>): Promise<number> {
	return (await builtInOptions(kernel)).has('CONFIG_KASAN') ? 1024 : 256;
}
