// SPDX-License-Identifier: GPL-2.0
import test from 'ava';
import {probeMatrix} from '../test/fake-cli.ts';
import {freshCache} from '../test/fresh-cache.ts';

test('kernels are listed in columns', async t => {
	await using _ = await freshCache();
	const {exitCode, stdout} = await probeMatrix('kernels', 'list');
	t.is(exitCode, 0);
	const rows = stdout.split('\n');
	t.true(rows.length >= 5, stdout);
	const [, , , word] = rows[0]!.split(/ {2,}/);
	t.is(word, 'not in the cache');
	t.is(new Set(rows.map(row => row.indexOf(word!))).size, 1, stdout);
	t.true(rows.every(row => row.length <= 80 && row === row.trimEnd()));
});
