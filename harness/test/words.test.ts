// SPDX-License-Identifier: GPL-2.0
import {readdirSync, readFileSync} from 'node:fs';
import path from 'node:path';
import test from 'ava';

const harness = path.join(import.meta.dirname, '..');

// Tests take the module of this project as their example.
const isExempt = (file: string) => /^(?:suites|test)\/|\.test\.ts$|\/samples\//.test(file);

test('only suites/ names the module of this project and its fixtures', t => {
	const files = readdirSync(harness, {recursive: true, encoding: 'utf8'}).filter(
		file => /\.[jt]s$/.test(file) && !isExempt(file),
	);
	t.true(files.length > 200, `${files.length} files`);
	const naming = files.filter(file => /bprobe|fixtures/i.test(readFileSync(path.join(harness, file), 'utf8')));
	t.deepEqual(naming, []);
});
