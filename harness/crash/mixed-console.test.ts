// SPDX-License-Identifier: GPL-2.0
import {readdirSync} from 'node:fs';
import path from 'node:path';
import test from 'ava';
import {readSample} from '../test/crash-sample.ts';
import {findKernelReports} from './crash-detector.ts';

const directory = path.join(import.meta.dirname, 'samples');
const samples = readdirSync(directory, {recursive: true, encoding: 'utf8'})
	.filter(file => file.endsWith('.txt'))
	.map(name => ({name, ...readSample(path.join(directory, name))}));
const stamp = /^\[ *\d+\.\d+\] /;

for (const {name, expected, console} of samples) {
	const titles = expected.map(({title}) => title);
	const lines = console.split('\n');
	const titlesOf = (text: string) => findKernelReports(text).map(({title}) => title);

	test(`the console may have other line ends, prefixes or none: ${name}`, t => {
		const change = (edit: (line: string) => string) => titlesOf(lines.map(edit).join('\n'));
		t.deepEqual(
			change(line => `${line}\r`),
			titles,
			'CR LF',
		);
		t.deepEqual(
			change(line => line.replace(stamp, '')),
			titles,
			'no time stamps',
		);
		t.deepEqual(
			change(line => `<4>${line}`),
			titles,
			'levels',
		);
		t.deepEqual(
			change(line => line.replace(stamp, '$&'.trimEnd()).replace(/^(\[ *\d+\.\d+\]) ?/, '$1[  T123] ')),
			titles,
			'tasks',
		);
		t.deepEqual(
			change(line => line.replace(/^(\[ *\d+\.\d+\]) /, '$1[    C1] ')),
			titles,
			'CPUs',
		);
	});

	test(`another CPU may print at the same time: ${name}`, t => {
		for (let seed = 1; seed <= 5; seed++) {
			const other = samples[(seed * 7 + name.length) % samples.length]!;
			const mixed = mix(tagged(lines, 'T1'), tagged(other.console.split('\n'), 'C2'), seed);
			t.deepEqual(
				titlesOf(mixed.join('\n')).toSorted(),
				[...titles, ...other.expected.map(({title}) => title)].toSorted(),
				`${other.name}, seed ${seed}`,
			);
		}
	});
}

function tagged(lines: readonly string[], printer: string): readonly string[] {
	return lines.map(line => line.replace(/^(\[ *\d+\.\d+\]) /, `$1[${printer.padStart(6)}] `));
}

/** Lines of both, each in their order. */
function mix(one: readonly string[], other: readonly string[], seed: number): readonly string[] {
	const rest = [one.toReversed(), other.toReversed()] as const;
	const mixed: string[] = [];
	let state = seed;
	while (rest[0].length + rest[1].length > 0) {
		state = (state * 1_103_515_245 + 12_345) % 2 ** 31;
		const [first, second] = (state >> 16) % 2 === 0 ? rest : rest.toReversed();
		mixed.push(first?.pop() ?? second?.pop() ?? '');
	}
	return mixed;
}
