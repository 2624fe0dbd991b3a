// SPDX-License-Identifier: GPL-2.0
import {mkdtempDisposable, writeFile} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import path from 'node:path';
import test from 'ava';
import {execa} from 'execa';
import {cacheDirectory} from '../host/cache.ts';
import {obtainKernel} from '../kernels/obtain.ts';
import {bprobeContent} from '../suites/bprobe/guest-content.ts';
import {readBareModule} from './bare-module.ts';
import {buildGuest} from './guest-build.ts';

test('bare modules of two commits are equal wherever they were built, and differ between kernels', async t => {
	t.timeout(10 * 60_000);
	const {modules} = await buildGuest(await obtainKernel('debian-6.1'), bprobeContent());
	for (const {file} of modules) {
		const module = await readBareModule(file);
		t.true(module.length > 10_000);
		t.false(module.includes(cacheDirectory('objects')), file);
		t.false(module.includes(cacheDirectory('trees')), file);
	}
});

test('bare modules are equal if they differ in debug information and build id only', async t => {
	await using work = await mkdtempDisposable(path.join(tmpdir(), 'bare-'));
	const made = async (id: string, options: readonly string[] = []) => {
		const [source, object, module] = ['c', 'o', 'ko'].map(end => path.join(work.path, `m.${end}`)) as [
			string,
			string,
			string,
		];
		await writeFile(source, 'int f(int x)\n{\n\treturn x + 1;\n}\n');
		await execa('gcc', ['-c', '-o', object, ...options, source]);
		await execa('ld', ['-r', `--build-id=0x${id}`, '-o', module, object]);
		return (await readBareModule(module)).toString('base64');
	};
	const bare = await made('11111111');
	t.is(await made('22222222'), bare);
	t.is(await made('11111111', ['-g']), bare);
	t.not(await made('11111111', ['-O2']), bare);
});
