// SPDX-License-Identifier: GPL-2.0
import {mkdtempDisposable, writeFile} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import path from 'node:path';
import test from 'ava';
import {execa} from 'execa';
import {Symbols} from './symbols.ts';

test('a module is loaded where its .text begins; functions of other sections are elsewhere', async t => {
	await using directory = await mkdtempDisposable(path.join(tmpdir(), 'symbols-'));
	const source = path.join(directory.path, 'a.c');
	const object = path.join(directory.path, 'a.ko');
	await writeFile(
		source,
		`__attribute__((section(".text.unlikely"))) int rare(int x) { return x; }
int first(int x) { return x + 1; }
int second(int x) { return x + 2; }
`,
	);
	await execa('gcc', ['-O1', '-fno-toplevel-reorder', '-c', source, '-o', object]);
	const base = 0xffffffffc0100000n;
	const symbols = await Symbols.read(undefined, [{name: 'ring', file: object, base}]);
	t.is(symbols.nameOf(base), 'first+0x0 [ring]');
	t.is(symbols.nameOf(base - 1n), undefined);
	t.regex(symbols.nameOf(base + 0x40n) ?? '', /^second\+0x[\da-f]+ \[ring\]$/);
	t.is(symbols.nameOf(base + 0x20000n), undefined);
});

test('functions of the kernel are in kallsyms, with those of modules', async t => {
	await using directory = await mkdtempDisposable(path.join(tmpdir(), 'symbols-'));
	const kallsyms = path.join(directory.path, 'kallsyms');
	await writeFile(
		kallsyms,
		'ffffffff81000100 t above\nffffffff81000000 T _text\nffffffff81000050 D data\nffffffff81000040 w weak\n',
	);
	const symbols = await Symbols.read(kallsyms, []);
	t.deepEqual(
		[0xffffffff81000030n, 0xffffffff81000060n, 0xffffffff81000100n, 0xffffffff80ffffffn].map(at => symbols.nameOf(at)),
		['_text+0x30', 'weak+0x20', 'above+0x0', undefined],
	);
});
