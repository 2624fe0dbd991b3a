// SPDX-License-Identifier: GPL-2.0
import test from 'ava';

/** For a test file: waiting for a fake guest does not keep the process alive, unlike the connection to a real one. */
export function keepAlive(): void {
	const alive = setInterval(() => {}, 1000);
	test.after.always('the process may end', () => clearInterval(alive));
}
