// SPDX-License-Identifier: GPL-2.0
import {readdir, readFile} from 'node:fs/promises';
import path from 'node:path';
import test from 'ava';
import {testedKernels} from '../../test/tested-kernels.ts';

const head = "// SPDX-License-Identifier: GPL-2.0\nimport {declareKernel} from '../../test/declare-kernel.ts';\n";

test('npm test runs the matrix on exactly the kernels in testedKernels', async t => {
	const stubs: Record<string, string> = {};
	for (const name of await readdir(import.meta.dirname)) {
		const text = name.endsWith('.test.ts') ? await readFile(path.join(import.meta.dirname, name), 'utf8') : '';
		if (text.startsWith(head)) stubs[name] = text;
	}
	const wanted = testedKernels.map(id => [`${id}.test.ts`, `${head}\nawait declareKernel('${id}');\n`]);
	t.deepEqual(stubs, Object.fromEntries(wanted));
});
