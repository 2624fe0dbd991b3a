// SPDX-License-Identifier: GPL-2.0
import {appendFile, mkdtempDisposable} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import path from 'node:path';
import test from 'ava';
import {CrashDetector} from '../crash/crash-detector.ts';
import {readSample} from '../test/crash-sample.ts';
import {Console} from './console.ts';

const samples = path.join(import.meta.dirname, '../crash/samples');

for (const name of ['debian-7.2/oops', '4.15.18+debug/lockdep-inversion', 'debian-6.1/soft-lockup'])
	test(`a report that is written in pieces keeps its title: ${name}`, async t => {
		const {expected, console: text} = readSample(path.join(samples, `${name}.txt`));
		const bytes = Buffer.from(text.replaceAll('\n', '\r\n'), 'latin1');
		await using directory = await mkdtempDisposable(path.join(tmpdir(), 'console-'));
		for (const size of [1, 7, 64, 1000]) {
			const file = path.join(directory.path, `console-${size}`);
			await using console = await Console.open(file);
			const detector = new CrashDetector();
			console.onLine(line => detector.push(line));
			for (let from = 0; from < bytes.length; from += size) {
				await appendFile(file, bytes.subarray(from, from + size));
				// Reads end wherever the writes happen to be.
				if (from % 3 === 0) await console.refresh();
			}
			await appendFile(file, '\r\n');
			await console.refresh();
			t.deepEqual(
				detector.reports.map(({title}) => title),
				expected.map(({title}) => title),
				`pieces of ${size} bytes`,
			);
		}
	});
