// SPDX-License-Identifier: GPL-2.0
import test from 'ava';
import type {Step} from '../engine/journal.ts';
import {meaningOf} from './conclude-commit.ts';

const step = (lost: readonly string[]): Step => ({
	...{type: 'step', stage: 'commits', role: 'step', candidate: {id: 'a', title: 'a'}, verdict: 'bad'},
	...{failed: 3, asked: 3, prepareMs: 1, ms: 1, lost},
});

const [missing, other] = ['CONFIG_NEW=y (it is n)', 'CONFIG_X=m (it is y)'];
const of = (
	before: readonly string[],
	after: readonly string[],
	renames: readonly (readonly [string, string])[] = [],
) => meaningOf({parent: step(before), commit: step(after), isConfirmed: true}, new Map(renames));

test('a commit that brings an option which the configuration asks for may not bring the bug', t => {
	const {verification, renames} = of([missing, other], [other]);
	t.false(verification?.isConfirmed);
	t.is(
		verification?.doubt,
		`The result may be an option and not the bug: before it the kernel has not ${missing}, which the configuration asks for`,
	);
	t.is(renames, undefined);
});

test('a commit that renames the option tells the names', t => {
	const {renames} = of(
		[missing],
		[],
		[
			['CONFIG_OLD', 'CONFIG_NEW'],
			['CONFIG_A', 'CONFIG_B'],
		],
	);
	t.deepEqual([...renames!], [['CONFIG_OLD', 'CONFIG_NEW']]);
});

test('a commit from which on an option is lost is doubted as well', t => {
	t.regex(of([], [missing]).verification?.doubt ?? '', /from it on the kernel has not CONFIG_NEW=y/);
});

test('an option that is lost on both sides means nothing', t => {
	const {verification} = of([missing, other], [missing, other]);
	t.true(verification?.isConfirmed);
	t.is(verification?.doubt, undefined);
});

test('of many options five are named, and the others counted', t => {
	const options = (count: number) => Array.from({length: count}, (_, n) => `CONFIG_${n}=y (it is n)`);
	const doubt = (count: number) => of(options(count), []).verification?.doubt ?? '';
	t.regex(doubt(5), /CONFIG_3=y \(it is n\), CONFIG_4=y \(it is n\), which the configuration asks for$/);
	t.regex(doubt(6), /CONFIG_4=y \(it is n\) and 1 more, which the configuration asks for$/);
});
