import {setTimeout as sleep} from 'node:timers/promises';
import type {Ask} from './case.ts';
import type {Guest} from './guest.ts';

/** Of a request, after which a guest is suspected; the kernel's own detectors have spoken by then (guest-settings.ts). */
const unansweredMs = 8000;
/** For a command over SSH, in a guest that is suspected. */
const commandMs = 2000;

type Options = {readonly slowness: number; readonly onSilent: (error: Error) => void};

/**
 * A request may take its time, as the removal of a module does; a guest that leaves one unanswered and lets no command in
 * either is silent, and waiting for the case's deadline would tell no more. Guests that answer are not disturbed.
 */
export function listen(
	{ask, exec}: Pick<Guest, 'ask' | 'exec'>,
	{slowness, onSilent}: Options,
): {ask: Ask} & Disposable {
	const pending = new Map<number, number>();
	let lastNumber = 0;
	let knownGoodAt = 0;
	let isAsking = false;
	const timed = (async (op, request) => {
		const number = ++lastNumber;
		pending.set(number, performance.now());
		try {
			return await ask(op, request);
		} finally {
			pending.delete(number);
		}
	}) as Ask;
	const timer = setInterval(
		async () => {
			const [oldest] = pending.values();
			if (isAsking || oldest === undefined) return;
			if (performance.now() - Math.max(oldest, knownGoodAt) < unansweredMs * slowness) return;
			isAsking = true;
			const hasAnswered = await within(commandMs * slowness, exec('true'));
			isAsking = false;
			if (hasAnswered || pending.size === 0) knownGoodAt = performance.now();
			else onSilent(new Error(`No answer for ${Math.round((performance.now() - oldest) / 100) / 10} s.`));
		},
		Math.min(500, unansweredMs * slowness),
	);
	return {ask: timed, [Symbol.dispose]: () => clearInterval(timer)};
}

/** Whether the work is done in time, and well. */
async function within(ms: number, work: Promise<unknown>): Promise<boolean> {
	const isDone = work.then(
		() => true,
		() => false,
	);
	return Promise.race([isDone, sleep(ms, false)]);
}
