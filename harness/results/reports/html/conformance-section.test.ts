// SPDX-License-Identifier: GPL-2.0
import test from 'ava';
import type {CellEvent} from '../../run/events.ts';
import {conformanceOf} from '../conformance.ts';
import {conformanceSection} from './conformance-section.ts';

const cell = (mechanism: string, kernel: string, about: Partial<CellEvent> = {}): CellEvent => ({
	...{type: 'cell', kernel, mechanism, case: 'return/flags', repeat: 0, verdict: 'pass', durationMs: 1},
	...about,
});
const message = 'kprobe does not claim flags.';

/** The chips of each mechanism, as `class: text`, with the target of a link. */
function chipsOf(cells: readonly CellEvent[], anchors: ReadonlyMap<CellEvent, string>): readonly string[] {
	const {text} = conformanceSection(conformanceOf(cells, undefined)!, anchors);
	const [, row] = /<tr><th scope="row">return\/flags<\/th>(.*)<\/tr>/.exec(text) ?? [];
	return [...row!.matchAll(/<td>(.*?)<\/td>/g)].map(([, field]) =>
		[...field!.matchAll(/<(\w+) class="chip ([\w-]+)"(?: href="(\S+)")?>([^<]*)</g)]
			.map(([, tag, kind, target = '', words]) => `${tag} ${kind} ${target}${words}`)
			.join('; '),
	);
}

test('an answer of all kernels stands alone, others have their kernels, and a no leads to its evidence', t => {
	const failed = cell('kretprobe', 'b', {verdict: 'known'});
	const untold = cell('kretprobe', 'c', {verdict: 'fail'});
	const chips = chipsOf(
		[
			...['a', 'b', 'c'].map(kernel => cell('bprobe', kernel)),
			...['a', 'b'].map(kernel => cell('kprobe', kernel)),
			cell('kprobe', 'c', {verdict: 'skip', message}),
			...[cell('kretprobe', 'a'), failed, untold],
			...['a', 'b', 'c'].map(kernel => cell('fexit', kernel, {verdict: 'skip', message: 'Linux has it since 5.5.'})),
		],
		new Map([[failed, 'f1']]),
	);
	t.deepEqual(chips, [
		'span v-pass yes',
		'span v-pass yes: a, b; span v-skip not claimed: c',
		'a v-fail #f1no: b; span v-fail no: c; span v-pass yes: a',
		'span v-skip not there',
	]);
});
