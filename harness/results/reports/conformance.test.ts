// SPDX-License-Identifier: GPL-2.0
import test from 'ava';
import type {CellEvent} from '../run/events.ts';
import {conformanceOf} from './conformance.ts';

const cell = (mechanism: string, about: Partial<CellEvent>): CellEvent => ({
	type: 'cell',
	kernel: 'a',
	mechanism,
	case: 'return/flags',
	repeat: 0,
	verdict: 'pass',
	durationMs: 1,
	...about,
});
const unclaimed = (mechanism: string, about: Partial<CellEvent> = {}) =>
	cell(mechanism, {verdict: 'skip', message: `${mechanism} does not claim flags.`, ...about});

function answersOf(cells: readonly CellEvent[]): Record<string, string> {
	const [row] = conformanceOf(cells, undefined)!.rows;
	return Object.fromEntries(
		[...row!.fields].map(([mechanism, fields]) => [
			mechanism,
			fields.map(({kernel, answer}) => `${kernel} ${answer}`).join(', '),
		]),
	);
}

test('one mechanism alone has nothing beside it', t => {
	t.is(conformanceOf([cell('bprobe', {})], undefined), undefined);
});

test('an answer stands for all targets of a case on a kernel', t => {
	const answers = answersOf([
		cell('bprobe', {target: 'asm'}),
		cell('bprobe', {target: 'c', kernel: 'b'}),
		cell('kprobe', {target: 'asm'}),
		cell('kprobe', {target: 'c', verdict: 'known', message: 'flags'}),
		unclaimed('kprobe', {kernel: 'b'}),
		cell('fexit', {verdict: 'skip', message: 'Linux has it since 5.5.'}),
		unclaimed('fexit', {target: 'c'}),
		cell('fexit', {kernel: 'b', verdict: 'infra', message: 'no guest'}),
	]);
	t.deepEqual(answers, {
		bprobe: 'a yes, b yes',
		kprobe: 'a no, b not claimed',
		fexit: 'a not there, b open',
	});
});

test('what has no verdict on one target leaves the answer open, whatever others say', t => {
	for (const verdict of ['infra', 'inconclusive'] as const) {
		const cells = [cell('bprobe', {}), cell('kprobe', {target: 'asm'}), cell('kprobe', {target: 'c', verdict})];
		t.is(answersOf(cells).kprobe, 'a open', verdict);
		t.is(answersOf([...cells, cell('kprobe', {target: 'fentry', verdict: 'fail'})]).kprobe, 'a no', verdict);
	}
});

test('a crash or a hang is a no, with its evidence', t => {
	const crash = cell('kprobe', {verdict: 'crash', message: 'BUG'});
	const {rows} = conformanceOf([cell('bprobe', {}), cell('kprobe', {}), crash], undefined)!;
	t.deepEqual(rows[0]!.fields.get('kprobe'), [{kernel: 'a', answer: 'no', evidence: [crash]}]);
});

test('a case that only one mechanism claims is no row', t => {
	const {rows} = conformanceOf([cell('bprobe', {}), unclaimed('kprobe')], undefined)!;
	t.deepEqual(rows, []);
});
