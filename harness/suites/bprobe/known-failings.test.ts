// SPDX-License-Identifier: GPL-2.0
import {readFileSync} from 'node:fs';
import path from 'node:path';
import test from 'ava';
import {projectRoot} from '../../build/sources.ts';
import {allCases} from './cases/all.ts';
import {knownFailing} from './known-failings.ts';
import {bprobeSuite} from './suite.ts';

type Row = {mechanism: string; cases: string[]; targets?: string[]};
const rows = JSON.parse(readFileSync(path.join(projectRoot, 'images/known-mechanisms.json'), 'utf8')) as Row[];
const cell = {kernel: 'k', mechanism: 'kretprobe', case: 'return/context-leaks-nothing', target: 'c'} as const;
const kernel = (release: string, ...options: string[]) => ({
	release,
	hasOption: (each: string) => options.includes(each),
});

test('each row names a mechanism, cases and targets that exist, and none is bprobe', t => {
	const mechanisms = bprobeSuite.mechanisms.slice(1).map(({id}) => id);
	for (const {mechanism, cases, targets = []} of rows) {
		t.true(mechanisms.includes(mechanism), mechanism);
		const found = cases.map(id => allCases.find(each => each.id === id));
		t.false(found.includes(undefined), cases.join(', '));
		for (const target of targets)
			t.true(
				found.some(each => each?.targets?.includes(target)),
				`${cases[0]}[${target}]`,
			);
	}
});

test('a row holds from its first release until the one that mended it', t => {
	const reasonOn = (release: string) => knownFailing(cell, kernel(release))?.reason;
	t.regex(reasonOn('4.15.18') ?? '', /^ss is not set/);
	t.regex(reasonOn('5.10.0-32-cloud-amd64') ?? '', /^ss is not set/);
	t.is(reasonOn('6.1.0-56-cloud-amd64'), undefined);
	t.is(reasonOn('6.8.12'), undefined);
	t.regex(reasonOn('6.9.1') ?? '', /^cs has 16 bits/);
	t.regex(reasonOn('6.12.3') ?? '', /^cs has 16 bits/);
});

test('a row holds for its mechanism, its targets, and kernels with its options', t => {
	t.is(knownFailing({...cell, mechanism: 'bprobe'}, kernel('4.15.18')), undefined);
	const unharmed = {...cell, mechanism: 'kprobe', case: 'entry/function-unharmed'};
	t.is(knownFailing(unharmed, kernel('6.1.0')), undefined);
	t.truthy(knownFailing({...unharmed, target: 'asm-fentry'}, kernel('6.1.0')));
	const stack = {...cell, mechanism: 'kprobe', case: 'entry/call-stack'};
	t.is(knownFailing(stack, kernel('4.15.18')), undefined);
	t.truthy(knownFailing(stack, kernel('4.15.18', 'CONFIG_FRAME_POINTER_UNWINDER')));
});
