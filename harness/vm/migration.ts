import {setTimeout as sleep} from 'node:timers/promises';
import {GuestError} from '../host/errors.ts';
import type {Qmp} from '../qemu/qmp.ts';

/** The memory is a file already, only the devices are written and read. */
const capabilities = [{capability: 'x-ignore-shared', state: true}];

/** Stops the guest for good and writes its devices to `state`; the file that is its memory is complete then. */
export async function save(qmp: Qmp, state: string, {signal}: {signal?: AbortSignal | undefined} = {}): Promise<void> {
	await qmp.execute('stop');
	await qmp.execute('migrate-set-capabilities', {capabilities});
	await qmp.execute('migrate', {uri: (await canUseFiles(qmp)) ? `file:${state}` : `exec:cat > ${shellQuote(state)}`});
	for (;;) {
		const {status, 'error-desc': why} = await qmp.execute<{status?: string; 'error-desc'?: string}>('query-migrate');
		if (status === 'completed') return;
		if (status === 'failed' || status === 'cancelled')
			throw new GuestError(`QEMU did not save the guest: ${why ?? status}.`);
		await sleep(10, undefined, {signal});
	}
}

/** Reads what `save` wrote into a QEMU that waits for it, and lets the guest run. Gives the moment it began to. */
export async function resumeVm(qmp: Qmp, state: string): Promise<number> {
	const {promise, resolve} = Promise.withResolvers<void>();
	// One that fails ends QEMU, which says why.
	using _ = qmp.onEvent(({event, data}) => {
		if (event === 'MIGRATION' && data?.status === 'completed') resolve();
	});
	await qmp.execute('migrate-set-capabilities', {
		capabilities: [...capabilities, {capability: 'events', state: true}],
	});
	await qmp.execute('migrate-incoming', {
		uri: (await canUseFiles(qmp)) ? `file:${state}` : `exec:cat ${shellQuote(state)}`,
	});
	await promise;
	await qmp.execute('cont');
	return performance.now();
}

/** Since 8.2; without, it has to be allowed to start a program. */
async function canUseFiles(qmp: Qmp): Promise<boolean> {
	const {qemu} = await qmp.execute<{qemu: {major: number; minor: number}}>('query-version');
	return qemu.major > 8 || (qemu.major === 8 && qemu.minor >= 2);
}

function shellQuote(text: string): string {
	return `'${text.replaceAll("'", String.raw`'\''`)}'`;
}
