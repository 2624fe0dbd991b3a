// SPDX-License-Identifier: GPL-2.0
import nodeAssert, {AssertionError} from 'node:assert/strict';

/**
 * The checks of cases. Each has to say what it compares, and a failure shows what was found, too: who reads it sees
 * neither the line nor the guest.
 */
type Assert = {
	equal<T>(actual: unknown, expected: T, what: string): asserts actual is T;
	notEqual(actual: unknown, expected: unknown, what: string): void;
	deepEqual<T>(actual: unknown, expected: T, what: string): asserts actual is T;
	notDeepEqual(actual: unknown, expected: unknown, what: string): void;
	ok(value: unknown, what: string): asserts value;
	match(text: string, pattern: RegExp, what: string): void;
	doesNotMatch(text: string, pattern: RegExp, what: string): void;
	/** The promise has to be rejected, with such an error. */
	rejects(promise: Promise<unknown>, error: RegExp | {readonly errno: string}, what: string): Promise<void>;
	fail(what: string): never;
};

const {equal, notEqual, deepEqual, notDeepEqual, ok, fail} = nodeAssert;

export const assert: Assert = {
	...{equal, notEqual, deepEqual, notDeepEqual, ok, fail},
	match(text, pattern, what) {
		if (!pattern.test(text)) throw failure(`${what}: does not match ${pattern}\n\n${text}`, text, pattern);
	},
	doesNotMatch(text, pattern, what) {
		if (pattern.test(text)) throw failure(`${what}: matches ${pattern}\n\n${text}`, text, pattern);
	},
	async rejects(promise, error, what) {
		const [end] = await Promise.allSettled([promise]);
		if (end.status === 'fulfilled') throw failure(`${what}: not refused`, end.value, error);
		const {reason} = end;
		if (!(reason instanceof Error)) throw reason;
		const isExpected =
			error instanceof RegExp ? error.test(String(reason)) : 'errno' in reason && reason.errno === error.errno;
		if (!isExpected)
			throw failure(`${what}: ${reason}, should be ${'errno' in error ? error.errno : error}`, reason, error);
	},
};

function failure(message: string, actual: unknown, expected: unknown): AssertionError {
	return new AssertionError({message, actual, expected});
}
