// SPDX-License-Identifier: GPL-2.0
import test from 'ava';
import {abortable, onAbort} from './abort.ts';

const never = new Promise<never>(() => {});

test('abortable returns the result or error of work that ends first', async t => {
	const {signal} = new AbortController();
	t.is(await abortable(Promise.resolve(1), signal), 1);
	t.is(await abortable(Promise.resolve(2), undefined), 2);
	await t.throwsAsync(abortable(Promise.reject(new Error('broken')), signal), {message: 'broken'});
});

test('abortable rejects with the reason of an abort that comes first, or that came before', async t => {
	const controller = new AbortController();
	const working = abortable(never, controller.signal);
	controller.abort(new Error('late'));
	await t.throwsAsync(working, {message: 'late'});
	await t.throwsAsync(abortable(Promise.resolve(1), controller.signal), {message: 'late'});
});

test('work that fails after an abort is not an unhandled rejection', async t => {
	const {promise, reject} = Promise.withResolvers<never>();
	await t.throwsAsync(abortable(promise, AbortSignal.abort(new Error('aborted'))), {message: 'aborted'});
	// AVA fails the file on an unhandled rejection.
	reject(new Error('too late'));
	await new Promise(resolve => setImmediate(resolve));
	t.pass();
});

test('onAbort acts once, at once if already aborted, and never after disposal', t => {
	const calls: string[] = [];
	const controller = new AbortController();
	const kept = onAbort(controller.signal, () => calls.push('kept'));
	onAbort(controller.signal, () => calls.push('disposed'))[Symbol.dispose]();
	controller.abort();
	onAbort(controller.signal, () => calls.push('late'));
	kept[Symbol.dispose]();
	t.deepEqual(calls, ['kept', 'late']);
});
