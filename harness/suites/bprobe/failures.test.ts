// SPDX-License-Identifier: GPL-2.0
import {AssertionError} from 'node:assert/strict';
import test from 'ava';
import type {CallResult} from './agent-protocol.ts';
import {assert} from './assert.ts';
import type {CaseContext} from './case.ts';
import {wordsOf} from './cases/callers.ts';
import {hex, onlyHits, pattern, sameRegisters} from './cases/registers.ts';
import {tidily} from './cases/tidily.ts';

/** The message of a check that fails. */
function said(check: () => void): string {
	try {
		check();
	} catch (error) {
		if (error instanceof AssertionError) return error.message;
		throw error;
	}
	throw new Error('The check did not fail.');
}

test('a failed check says what it compared, and what it found', async t => {
	t.regex(
		said(() => assert.equal(64, 70, 'runs')),
		/^runs\n\n64 !== 70/,
	);
	t.regex(
		said(() => assert.deepEqual([1], [2], 'order')),
		/^order\n.*1.*2/s,
	);
	t.is(
		said(() => assert.match('two hits', /3 hits/, 'its end')),
		'its end: does not match /3 hits/\n\ntwo hits',
	);
	t.is(
		said(() => assert.doesNotMatch('a list', /list/, 'left')),
		'left: matches /list/\n\na list',
	);
	const refused = Object.assign(new Error('no'), {errno: 'EPERM'});
	for (const [promise, words] of [
		[Promise.resolve(7), 'attach: not refused'],
		[Promise.reject(refused), 'attach: Error: no, should be EBUSY'],
	] as const)
		await t.throwsAsync(assert.rejects(promise, {errno: 'EBUSY'}, 'attach'), {
			instanceOf: AssertionError,
			message: words,
		});
});

test('checks that hold say nothing', async t => {
	const refused = () => Promise.reject(Object.assign(new Error('EBUSY: no'), {errno: 'EBUSY'}));
	await t.notThrowsAsync(async () => {
		assert.match('3 hits', /3/, 'hits');
		assert.doesNotMatch('3 hits', /4/, 'hits');
		await assert.rejects(refused(), {errno: 'EBUSY'}, 'attach');
		await assert.rejects(refused(), /EBUSY/, 'attach');
	});
});

test('what cannot be tidied up does not hide why a case failed', async t => {
	const [first, second] = [new Error('the check'), new Error('the module is loaded already')];
	const fail = async (error: Error) => Promise.reject(error);
	await t.throwsAsync(
		tidily(
			() => fail(first),
			() => fail(second),
		),
		{is: first},
	);
	await t.throwsAsync(
		tidily(
			async () => 7,
			() => fail(second),
		),
		{is: second},
	);
	let isTidy = false;
	const tidy = async () => (isTidy = true);
	await t.throwsAsync(
		tidily(() => fail(first), tidy),
		{is: first},
	);
	t.true(isTidy);
	t.is(await tidily(async () => 7, tidy), 7);
});

/** A case's context that keeps only evidence. */
function contextOf() {
	const evidence: Record<string, unknown> = {};
	return {evidence, context: {evidence: (name: string, value: unknown) => (evidence[name] = value)} as CaseContext};
}

test('a register that one side lacks differs, whichever side that is', t => {
	const {context} = contextOf();
	const names = ['di', 'si'] as const;
	const both = {di: '0x1', si: '0x2'} as const;
	t.notThrows(() => sameRegisters(context, 'arguments', {expected: both, seen: both, names}));
	const check = (sides: Pick<Parameters<typeof sameRegisters>[2], 'expected' | 'seen' | 'by'>) =>
		said(() => sameRegisters(context, 'arguments', {...sides, names}));
	t.is(check({expected: both, seen: {di: '0x1'}}), 'arguments: si is missing, should be 0x2');
	t.is(check({expected: {di: '0x1'}, seen: both}), 'arguments: si is 0x2, should be missing');
	t.is(check({expected: {di: '0x1'}, seen: {di: '0x1'}}), 'arguments: si is missing, should be missing');
	t.is(
		check({expected: {...both, si: '0x0'}, seen: both, by: 'the caller'}),
		'arguments: si is 0x2, the caller saw 0x0',
	);
});

test('hits and misses that differ name the probe', t => {
	const info = {hits: 3, misses: {nmi: 0}, of: 'probe 2 (record at the return of fx_c)'};
	t.notThrows(() => onlyHits(info, 3));
	t.regex(
		said(() => onlyHits(info, 4)),
		/^hits and misses of probe 2 \(record at the return of fx_c\)\n/,
	);
	t.regex(
		said(() => onlyHits({...info, misses: {nmi: 1}}, 3)),
		/nmi: 1/,
	);
});

test('of the first bad call of a loop, the checks that failed are named', t => {
	const [input, ret] = [pattern(1), pattern(2)];
	const sp = hex(0xffff_c900_0000_1000n);
	const good = {
		...{in: input, ret, sp, stack: ['0x7', '0x8'], seenStack: ['0x7', '0x8'], pid: 12, cpuAfter: 1, beginNs: '0x9'},
		seen: {...input, sp: hex(BigInt(sp) - 8n)},
		after: {...ret, sp},
	} as unknown as CallResult;
	const wrong = (call: Partial<CallResult>, target: 'asm' | 'c' = 'asm') => wordsOf({...good, ...call}, target);
	const begin = 'that of task 12 on CPU 1 at 0x9 ns: ';
	t.is(wrong({seen: {...good.seen, r11: '0x0'}}), `${begin}r11 seen by the function is 0x0, should be ${input.r11}`);
	t.is(wrong({after: {...good.after, ax: '0x1'}}), `${begin}ax found by the caller is 0x1, should be ${ret.ax}`);
	t.is(wrong({seenStack: ['0x7', '0x0']}), `${begin}argument 8 seen by the function is 0x0, should be 0x8`);
	t.is(
		wrong({after: {...good.after, flags: '0x0'}}),
		`${begin}flags found by the caller is 0x0, should be ${ret.flags}`,
	);
	const ofC = {...good.after, ...input, ax: ret.ax, sp};
	t.is(wrong({after: {...ofC, bx: '0x0'}}, 'c'), `${begin}bx found by the caller is 0x0, should be ${input.bx}`);
});
