// SPDX-License-Identifier: GPL-2.0
import {chmod, rm, stat} from 'node:fs/promises';
import path from 'node:path';
import {abortable} from '../host/abort.ts';
import {requireSpace} from '../host/disk-space.ts';
import {messageOf} from '../host/errors.ts';
import {say} from '../host/say.ts';
import type {Qmp} from '../qemu/qmp.ts';
import {addVmcoreinfo, type VmcoreinfoPlace} from './vmcoreinfo.ts';

/** A file that `crash` and drgn open. */
export type SavedMemory = {readonly path: string; readonly bytes: number};

type SavedVm = {readonly qmp: Pick<Qmp, 'execute'>; readonly console: {readonly path: string}};

/** Each takes some seconds and some ten MB. */
const mostFiles = 8;
/** Compressed, as makedumpfile writes it. */
const format = 'kdump-raw-zlib';
/** A guest with a gigabyte takes 20 s. */
const longestMs = 300_000;
/** What else is written to that disk meanwhile: events, consoles, builds. */
const spareBytes = 2 ** 28;

/** Saves what guests have in memory, beside their consoles. What goes wrong is said once, and changes no verdict. */
export class MemorySaver {
	#left = mostFiles;
	#hasSpoken = false;

	/** Resolves with undefined if nothing was saved; never rejects. */
	async save(
		vm: SavedVm,
		{vmcoreinfo, signal}: {vmcoreinfo?: VmcoreinfoPlace | undefined; signal?: AbortSignal | undefined} = {},
	): Promise<SavedMemory | undefined> {
		if (this.#left === 0)
			return this.#sayOnce(`this run has saved the memory of ${mostFiles} guests, and saves no more.`);
		this.#left -= 1;
		const file = vm.console.path.replace(/\.console(?=[.\d]*$)|$/, '.vmcore');
		const late = AbortSignal.timeout(longestMs);
		try {
			await abortable(write(vm.qmp, file, vmcoreinfo), AbortSignal.any([late, ...(signal ? [signal] : [])]));
			return {path: file, bytes: (await stat(file)).size};
		} catch (error) {
			await rm(file, {force: true});
			return signal?.aborted ? undefined : this.#sayOnce(`a guest's memory is not saved: ${messageOf(error)}`);
		}
	}

	#sayOnce(text: string): undefined {
		if (!this.#hasSpoken) say(text);
		this.#hasSpoken = true;
	}
}

async function write(qmp: SavedVm['qmp'], file: string, vmcoreinfo: VmcoreinfoPlace | undefined): Promise<void> {
	const {'base-memory': bytes} = await qmp.execute<{'base-memory': number}>('query-memory-size-summary');
	await requireSpace(path.dirname(file), bytes + spareBytes, "a guest's memory");
	await qmp.execute('dump-guest-memory', {paging: false, protocol: `file:${file}`, format});
	// QEMU makes a file that its owner may only read.
	await chmod(file, 0o600);
	if (vmcoreinfo) await addVmcoreinfo(file, vmcoreinfo, qmp);
}
