// SPDX-License-Identifier: GPL-2.0
import {say} from '../host/say.ts';

export class InterruptedError extends Error {
	override readonly name = 'InterruptedError';
}

/** npm forwards a terminal's Ctrl-C, so one key press may arrive twice. */
const samePressMs = 1000;

/**
 * Aborts the returned signal at the first SIGINT, SIGTERM or SIGHUP, so that resources are released; a second one exits
 * at once with 130. With `isQuiet` it prints nothing: the parent process does.
 */
export function interruptible({isQuiet = false}: {isQuiet?: boolean} = {}): AbortSignal {
	const controller = new AbortController();
	let firstAt: number | undefined;
	const onSignal = (name: NodeJS.Signals) => {
		if (firstAt === undefined) {
			firstAt = performance.now();
			process.exitCode = 130;
			if (!isQuiet) say(`${name}: stopping the guests; press again to exit immediately.`);
			controller.abort(new InterruptedError(`interrupted by ${name}`));
		} else if (performance.now() - firstAt > samePressMs) {
			process.exit(130);
		}
	};
	for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(name, onSignal);
	return controller.signal;
}
