import type {Payload} from '../build/payload.ts';
import {CommandFailedError} from '../host/errors.ts';
import {Guest as VmGuest} from '../vm/guest.ts';
import type {Guest} from './guest.ts';

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
	const owned = resources.move();
	return {
		release: payload.kernel.release,
		bootMs: Math.round(readyMs),
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
		ended: Promise.race([
			vm.exited.then(({code, signal: by}) => `QEMU ended ${by ? `by ${by}` : `with ${code}`}.`),
			agent.gone.then(error => error.message),
		]),
		addresses: new Map(),
		[Symbol.asyncDispose]: () => owned.disposeAsync(),
	};
}
