// SPDX-License-Identifier: GPL-2.0
import {mkdtempDisposable, writeFile} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import path from 'node:path';
import test from 'ava';
import type {CellEvent} from '../results/run/events.ts';
import {kernelsOf, readLastFailed, writeLastFailed} from './last-failed.ts';

const cache = await mkdtempDisposable(path.join(tmpdir(), 'last-failed-'));
process.env.PROBE_MATRIX_CACHE = cache.path;
test.after.always(() => cache.remove());

const cell = (kernel: string, id: string, target?: string): CellEvent => ({
	...{type: 'cell', kernel, mechanism: 'm', case: id, repeat: 0, verdict: 'fail', durationMs: 1},
	...(target !== undefined && {target}),
});

test.serial('each suite has the cells that did not pass in its own last run', async t => {
	await writeLastFailed('one', [cell('debian-6.1', 'a/b', 'x'), cell('./a tree', 'a/c'), cell('./a tree', 'a/c')]);
	await writeLastFailed('two', [cell('debian-6.1', 'd/e')]);
	const failed = await readLastFailed('one');
	t.deepEqual([...failed], ['debian-6.1 a/b[x]', './a tree a/c']);
	t.deepEqual(kernelsOf(failed), ['debian-6.1', './a tree']);
	await writeLastFailed('one', []);
	await t.throwsAsync(readLastFailed('one'), {name: 'UsageError', message: /^Nothing failed in the last run of one/});
	t.is((await readLastFailed('two')).size, 1);
});

test.serial('a damaged file counts as none', async t => {
	for (const text of ['', '\0\0', 'null', '[]', '{"two": 7}', '{"two": [7]}']) {
		await writeFile(path.join(cache.path, 'last-failed.json'), text);
		await t.throwsAsync(readLastFailed('two'), {name: 'UsageError'}, text);
	}
	await writeLastFailed('two', [cell('k', 'd/e')]);
	t.is((await readLastFailed('two')).size, 1);
});
