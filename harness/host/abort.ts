/** Calls `act` once when `signal` aborts, at once if it has; disposing it takes that back. */
export function onAbort(signal: AbortSignal | undefined, act: () => void): Disposable {
	if (signal?.aborted) act();
	else signal?.addEventListener('abort', act, {once: true});
	return {[Symbol.dispose]: () => signal?.removeEventListener('abort', act)};
}

/** The result of `work`; rejects with the signal's reason if that aborts first. `work` goes on then, unobserved. */
export async function abortable<T>(work: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
	// If it loses the race, its own failure must not count as unhandled.
	work.catch(() => {});
	const {promise, reject} = Promise.withResolvers<never>();
	using _ = onAbort(signal, () => reject(signal?.reason));
	return await Promise.race([promise, work]);
}
