// SPDX-License-Identifier: GPL-2.0
import {mkdir, readdir} from 'node:fs/promises';
import path from 'node:path';
import test from 'ava';
import {cacheDirectory} from '../host/cache.ts';
import {freshCache} from '../test/fresh-cache.ts';
import {openConsoles} from './consoles.ts';

test.serial('the consoles of the last twenty runs are kept', async t => {
	await using _ = await freshCache();
	const runs = cacheDirectory('runs');
	const old = Array.from({length: 25}, (_, n) => `20260101T0000${String(n).padStart(2, '0')}Z-0000`);
	for (const id of old.slice(0, 14)) await mkdir(path.join(runs, id));
	const {id} = await openConsoles();
	t.deepEqual((await readdir(runs)).toSorted(), [...old.slice(0, 14), id]);
	for (const each of old.slice(14)) await mkdir(path.join(runs, each));
	const next = await openConsoles();
	t.deepEqual((await readdir(runs)).toSorted(), [...old.slice(7), ...[id, next.id].toSorted()]);
});
