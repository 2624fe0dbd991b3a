// SPDX-License-Identifier: GPL-2.0
import {
	type BprobeInfo,
	type CallResult,
	type Hex,
	type ProbeInfo,
	type Registers,
	registerNames,
} from '../agent-protocol.ts';
import {assert} from '../assert.ts';
import type {CaseContext} from '../case.ts';

export type RegisterName = (typeof registerNames)[number];

export const generalRegisters = registerNames.filter(name => name !== 'flags' && name !== 'sp');
export const argumentRegisters = ['di', 'si', 'dx', 'cx', 'r8', 'r9'] as const;
/** The registers that a C function preserves, and its return value. */
export const keptByC = ['bx', 'bp', 'r12', 'r13', 'r14', 'r15', 'ax'] as const;

/** The flags that a caller or a function can set freely. */
export const flagBits = {
	cf: 0x1n,
	pf: 0x4n,
	af: 0x10n,
	zf: 0x40n,
	sf: 0x80n,
	if: 0x200n,
	df: 0x400n,
	of: 0x800n,
} as const;
export const allFlags = Object.values(flagBits).reduce((sum, bit) => sum | bit, 0n);
/** The flags that a call of the cell's target may have set: compiled code must not be called with the direction flag. */
export function settableFlags(context: CaseContext): bigint {
	const isAllowed = context.target.startsWith('asm') && context.claims('direction-flag');
	return isAllowed ? allFlags : allFlags & ~flagBits.df;
}

const interruptsOn = hex(flagBits.if);

export function hex(value: bigint | number): Hex {
	return `0x${BigInt.asUintN(64, BigInt(value)).toString(16)}`;
}

/** Only the flags in `flagBits`; the others depend on the processor and its state. */
export function flagsOf(registers: {readonly flags: Hex}): Hex {
	return hex(BigInt(registers.flags) & allFlags);
}

/** A different value in each register; interrupts on, all other flags clear. */
export function pattern(seed: number): Registers {
	const words = registerNames.map((name, index) => [
		name,
		hex(0x1000_0000_0000_0000n * BigInt(seed) + 0x0101_0101_0101n * BigInt(index + 1)),
	]);
	// The keys are the names of the type.
	return {...(Object.fromEntries(words) as Registers), flags: interruptsOn, sp: '0x0'};
}

type SomeRegisters = Partial<Record<RegisterName, Hex>>;

/** Fails if a register differs or is missing, and stores both sides as evidence. */
export function sameRegisters(
	context: CaseContext,
	what: string,
	{
		expected,
		seen,
		names = generalRegisters,
		by,
	}: {
		expected: SomeRegisters;
		seen: SomeRegisters;
		names?: readonly RegisterName[];
		/** Who saw what is expected, if that may be wrong itself. */
		by?: string;
	},
): void {
	const pick = (from: SomeRegisters) => Object.fromEntries(names.map(name => [name, wordOf(from, name)]));
	const [left, right] = [pick(expected), pick(seen)];
	const wrong = names.filter(name => left[name] !== right[name] || left[name] === missing);
	if (wrong.length === 0) return;
	context.evidence('registers', {what, expected: left, seen: right});
	const words = wrong.map(
		name => `${name} is ${right[name]}, ${by === undefined ? 'should be' : `${by} saw`} ${left[name]}`,
	);
	assert.fail(`${what}: ${words.join('; ')}`);
}

const missing = 'missing';

function wordOf(from: SomeRegisters, name: RegisterName): Hex | typeof missing {
	const value = from[name];
	if (value === undefined) return missing;
	return name === 'flags' ? flagsOf({flags: value}) : hex(BigInt(value));
}

/** The caller must find the registers and flags that it finds without a probe, and its stack pointer. */
export function sameForCaller(
	context: CaseContext,
	result: CallResult,
	{
		unprobed,
		names = context.target === 'c' ? keptByC : [...generalRegisters, 'flags'],
	}: {unprobed: CallResult; names?: readonly RegisterName[]},
): void {
	// With frame pointers, bp is the frame of each call's own caller. C functions keep it, assembly functions set it.
	const {bp} = context.target.startsWith('asm') ? result.ret : result.in;
	sameRegisters(context, 'found by the caller', {expected: {...unprobed.after, bp}, seen: result.after, names});
	assert.equal(result.after.sp, result.sp, 'the stack pointer after the call');
}

const noMisses: BprobeInfo['misses'] = {recursion: 0, nmi: 0, noRcu: 0, noFrame: 0, bpfBusy: 0, kprobe: 0};

/** Asserts the number of hits of a probe, and that there are no misses but these, of those that the mechanism counts. */
export function onlyHits(
	info: ProbeInfo & {readonly of: string},
	hits: number,
	misses: Partial<BprobeInfo['misses']> = {},
): void {
	const none = 'hook' in info ? noMisses : Object.fromEntries(Object.keys(info.misses).map(reason => [reason, 0]));
	const expected = {hits, misses: {...none, ...misses}};
	assert.deepEqual({hits: info.hits, misses: info.misses}, expected, `hits and misses of ${info.of}`);
}
