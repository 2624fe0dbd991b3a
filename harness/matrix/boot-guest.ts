import {readFile} from 'node:fs/promises';
import {setTimeout as sleep} from 'node:timers/promises';
import type {Payload} from '../build/payload.ts';
import {CommandFailedError} from '../host/errors.ts';
import {Guest as VmGuest} from '../vm/guest.ts';
import type {QemuEnd} from '../vm/qemu-process.ts';
import type {Guest, GuestEnd} from './guest.ts';

/** Boots a guest for the engine; `consolePath` keeps its console after it has ended. */
export async function bootGuest(
	payload: Payload,
	{signal, consolePath}: {signal?: AbortSignal; consolePath?: string} = {},
): Promise<Guest> {
	await using resources = new AsyncDisposableStack();
	const {vm, agent, link, readyMs} = resources.use(
		await VmGuest.boot(payload, {signal, ...(consolePath && {consolePath})}),
	);
	// Until now only errors were printed, for a fast boot; from now on every line is evidence,
	// and marks must not be dropped when they come fast.
	await link.exec('echo 7 > /proc/sys/kernel/printk; echo on > /proc/sys/kernel/printk_devkmsg');
	const options = new Set((await readFile(payload.kernel.config, 'utf8')).split('\n'));
	const owned = resources.move();
	return {
		release: payload.kernel.release,
		bootMs: Math.round(readyMs),
		hasOption: option => options.has(`${option}=y`),
		ask: (op, request) => agent.call(op, request),
		async exec(command) {
			try {
				return {code: 0, ...(await link.exec(command))};
			} catch (error) {
				if (!(error instanceof CommandFailedError)) throw error;
				return {code: error.code ?? -1, stdout: '', stderr: error.stderr};
			}
		},
		console: vm.console,
		ended: Promise.race([vm.exited.then(describeEnd), agent.gone.then(lost)]),
		addresses: new Map(),
		[Symbol.asyncDispose]: () => owned.disposeAsync(),
	};
}

function describeEnd({code, signal, stderr}: QemuEnd): GuestEnd {
	// The guest has no reboot: resetting ends QEMU as switching off does.
	if (code === 0) return {verdict: 'crash', message: 'The guest reset or switched itself off.'};
	return {verdict: 'infra', message: `QEMU ended ${signal ? `by ${signal}` : `with ${code}`}. ${stderr}`.trim()};
}

/** The link goes before QEMU, whose end says more. */
async function lost(error: Error): Promise<GuestEnd> {
	await sleep(1000, undefined, {ref: false});
	return {verdict: 'hang', message: error.message};
}
