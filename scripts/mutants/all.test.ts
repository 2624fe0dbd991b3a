// SPDX-License-Identifier: GPL-2.0
import {access, readFile} from 'node:fs/promises';
import path from 'node:path';
import test from 'ava';
import {projectRoot} from '../../harness/build/sources.ts';
import {planCells} from '../../harness/engine/plan.ts';
import {fallbackKernel} from '../../harness/kernels/default-kernels.ts';
import {bprobeSuite} from '../../harness/suites/bprobe/suite.ts';
import {allEdits} from './all.ts';
import {edited, isTest} from './groups.ts';

const cases = await bprobeSuite.cases();

test('all edits apply, and what must notice them exists', async t => {
	const names = allEdits.map(({name}) => name);
	t.deepEqual(
		names.filter((name, n) => names.indexOf(name) !== n),
		[],
		'names that two edits have',
	);
	for (const edit of allEdits) {
		const text = await readFile(path.join(projectRoot, edit.file), 'utf8');
		t.truthy(edited(edit, text), `${edit.name} applies to ${edit.file}`);
		if (edit.equivalent !== undefined) continue;
		const cells = edit.catchers.filter(catcher => !isTest(catcher));
		for (const file of edit.catchers.filter(isTest))
			await t.notThrowsAsync(access(path.join(projectRoot, file)), `${edit.name}: ${file}`);
		const kernels = [edit.kernel ?? fallbackKernel];
		if (cells.length > 0)
			t.notThrows(
				() => planCells({kernels, suite: bprobeSuite, cases, match: cells}),
				`${edit.name}: ${cells.join(', ')}`,
			);
	}
});
