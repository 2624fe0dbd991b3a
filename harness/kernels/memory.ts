import {readFile} from 'node:fs/promises';
import type {Kernel} from './kernel.ts';

/** What a guest of this kernel needs. KASAN shadows every eight bytes by one and keeps what was freed for a while. */
export async function guestMemoryMib({config}: Pick<Kernel, 'config'>): Promise<number> {
	return (await hasOption(config, 'CONFIG_KASAN')) ? 1024 : 256;
}

async function hasOption(config: string, option: string): Promise<boolean> {
	return (await readFile(config, 'utf8')).split('\n').includes(`${option}=y`);
}
