// SPDX-License-Identifier: GPL-2.0
import {setTimeout as sleep} from 'node:timers/promises';
import {diskFull, fullDisk, GuestError} from '../host/errors.ts';
import {quoted} from '../host/quote.ts';
import type {Qmp} from '../qemu/qmp.ts';

/** The memory is a file already, so only the devices are migrated. */
const capabilities = [{capability: 'x-ignore-shared', state: true}];

/** Stops the guest and writes its devices to `state`; its memory file is then complete. Throws GuestError. */
export async function save(qmp: Qmp, state: string, {signal}: {signal?: AbortSignal | undefined} = {}): Promise<void> {
	await qmp.execute('stop');
	await qmp.execute('migrate-set-capabilities', {capabilities});
	await qmp.execute('migrate', {uri: (await canUseFiles(qmp)) ? `file:${state}` : `exec:cat > ${quoted(state)}`});
	for (;;) {
		const {status, 'error-desc': why} = await qmp.execute<{status?: string; 'error-desc'?: string}>('query-migrate');
		if (status === 'completed') return;
		if (why?.includes(fullDisk)) throw diskFull(state, why);
		if (status === 'failed' || status === 'cancelled')
			throw new GuestError(`QEMU did not save the guest: ${why ?? status}.`);
		await sleep(10, undefined, {signal});
	}
}

/**
 * Loads devices that `save` wrote into a waiting QEMU and resumes the guest. Returns the time of that, as of
 * performance.now().
 */
export async function resumeVm(qmp: Qmp, state: string): Promise<number> {
	const {promise, resolve} = Promise.withResolvers<void>();
	// A failed migration ends QEMU, which gives the reason.
	using _ = qmp.onEvent(({event, data}) => {
		if (event === 'MIGRATION' && data?.status === 'completed') resolve();
	});
	await qmp.execute('migrate-set-capabilities', {
		capabilities: [...capabilities, {capability: 'events', state: true}],
	});
	await qmp.execute('migrate-incoming', {
		uri: (await canUseFiles(qmp)) ? `file:${state}` : `exec:cat ${quoted(state)}`,
	});
	await promise;
	await qmp.execute('cont');
	return performance.now();
}

/** Since QEMU 8.2; older ones have to start a program, which the sandbox must allow. */
async function canUseFiles(qmp: Qmp): Promise<boolean> {
	const {qemu} = await qmp.execute<{qemu: {major: number; minor: number}}>('query-version');
	return qemu.major > 8 || (qemu.major === 8 && qemu.minor >= 2);
}
