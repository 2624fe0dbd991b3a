// SPDX-License-Identifier: GPL-2.0
/** Calls `act` once when `signal` aborts, at once if it already has. Dispose the result to cancel. */
export function onAbort(signal: AbortSignal | undefined, act: () => void): Disposable {
	if (signal?.aborted) act();
	else signal?.addEventListener('abort', act, {once: true});
	return {[Symbol.dispose]: () => signal?.removeEventListener('abort', act)};
}

/** The result of `work`. Rejects with the signal's reason if it aborts first; `work` then goes on unobserved. */
export async function abortable<T>(work: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
	// If `work` loses the race, its rejection must not be unhandled.
	work.catch(() => {});
	const {promise, reject} = Promise.withResolvers<never>();
	using _ = onAbort(signal, () => reject(signal?.reason));
	return await Promise.race([promise, work]);
}
