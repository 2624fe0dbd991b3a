// SPDX-License-Identifier: GPL-2.0
import test from 'ava';
import {readFrame, readTraceLine} from './trace.ts';

const frame = {text: 'f+0x1/0x2', name: 'f'};
const own = {text: 'f.isra.0+0x1a/0x2b [a-b]', name: 'f.isra.0', module: 'a-b'};

for (const [line, read] of [
	[' f+0x1/0x2', {frame}],
	[' [<ffffffff810ec8b2>] f+0x1/0x2', {frame}],
	[' [<ffffffff810ec8b2>] ? f+0x1/0x2', {leftover: frame}],
	[' ? f+0x1/0x2', {leftover: frame}],
	['#1: f+0x1/0x2', {frame}],
	[' f+0x1/0x2 lib/f-g.c:52', {frame}],
	[' f.isra.0+0x1a/0x2b [a-b]', {frame: own}],
	[' f.isra.0+0x1a/0x2b [a-b 0123abcd]', {frame: own}],
	[' <IRQ> f+0x1/0x2', {frame, mark: 'IRQ'}],
	[' <<EOE>> f+0x1/0x2', {frame, mark: 'EOE'}],
	[' <IRQ>', {mark: 'IRQ'}],
	[' </IRQ>', {mark: '/IRQ'}],
	[' <#DB> other words', {mark: '#DB'}],
	[' <irq>', {}],
	['RIP: 0010:f+0x1/0x2', {isRegister: true, frame}],
	['RIP: e030:f+0x1/0x2', {isRegister: true, frame}],
	['RIP: 0010:[<ffffffff810d9c93>]  [<ffffffff810d9c93>] f+0x1/0x2', {isRegister: true, frame}],
	['IP: f+0x1/0x2', {isRegister: true, frame}],
	['RIP: 0010:f.isra.0+0x1a/0x2b [a-b 0123abcd]', {isRegister: true, frame: own}],
	['RIP: 0010:0x0', {isRegister: true, isNowhere: true}],
	['RIP: 0010:[<0000000000000000>] (null)', {isRegister: true, isNowhere: true}],
	['IP:           (null)', {isRegister: true, isNowhere: true}],
	['IP: ffffffffdeadbeef', {isRegister: true, isNowhere: true}],
	['RIP: 0033:0x7f1234567890', {}],
	['Call Trace:', {isStart: true}],
	[' Call trace: f+0x1/0x2', {isStart: true}],
	['NMI backtrace for cpu 1', {isStart: true}],
	['WARNING: CPU: 1 PID: 7 at a.c:1 f+0x1/0x2', {}],
	['f+0x1/0x2 is guilty', {}],
	['f+1/2', {}],
	['', {}],
] as const)
	test(`the line ${JSON.stringify(line)} of a trace is ${JSON.stringify(read)}`, t => {
		t.deepEqual(readTraceLine(line), read);
	});

test('the first function in a text is found, with its module', t => {
	t.deepEqual(readFrame('at: f.isra.0+0x1a/0x2b [a-b] in g+0x1/0x2'), own);
	t.deepEqual(readFrame('at mm/slub.c:1 f+0x1/0x2'), frame);
	t.is(readFrame('at mm/slub.c:1'), undefined);
});
