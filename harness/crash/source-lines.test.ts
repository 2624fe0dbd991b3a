// SPDX-License-Identifier: GPL-2.0
import {mkdtempDisposable, writeFile} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import path from 'node:path';
import test from 'ava';
import {execa} from 'execa';
import {withSourceLines} from './source-lines.ts';

test('frames in files with debug information get source lines, others are unchanged', async t => {
	await using directory = await mkdtempDisposable(path.join(tmpdir(), 'source-'));
	const source = path.join(directory.path, 'a.c');
	const object = path.join(directory.path, 'a.ko');
	await writeFile(source, 'int f(int x)\n{\n\treturn x + 1;\n}\n');
	await execa('gcc', ['-g', '-O1', '-c', source, '-o', object]);
	const frames = ['f+0x0/0x4 [a]', 'unknown+0x1/0x2 [a]', 'f+0x1/0x4 [other]', 'do_syscall_64+0x5d/0x90'];
	const [first, ...others] = await withSourceLines(frames, {a: object});
	t.regex(first ?? '', /^f\+0x0\/0x4 \[a\] a\.c:[23]$/);
	t.deepEqual(others, frames.slice(1));
});

test('the line of a caller is that of its call, not of what follows', async t => {
	await using directory = await mkdtempDisposable(path.join(tmpdir(), 'source-'));
	const source = path.join(directory.path, 'a.c');
	const object = path.join(directory.path, 'a.ko');
	await writeFile(source, 'void g(int);\nvoid f(int x)\n{\n\tg(x);\n\tx++;\n\tg(x);\n}\n');
	await execa('gcc', ['-g', '-O0', '-fno-pic', '-c', source, '-o', object]);
	const {stdout} = await execa('objdump', ['-d', object]);
	// Where the first call returns to is where the next instruction begins.
	const [, next] = /\tcall.*\n\s*([\da-f]+):/.exec(stdout)!;
	const frame = `f+0x${next}/0x40 [a]`;
	t.deepEqual(await withSourceLines([frame, frame], {a: object}), [`${frame} a.c:5`, `${frame} a.c:4`]);
});

test('a name that two functions have says nothing', async t => {
	await using directory = await mkdtempDisposable(path.join(tmpdir(), 'source-'));
	const module = path.join(directory.path, 'a.ko');
	const objects = [];
	for (const name of ['one', 'two']) {
		const source = path.join(directory.path, `${name}.c`);
		objects.push(path.join(directory.path, `${name}.o`));
		await writeFile(source, `static int f(int x)\n{\n\treturn x + 1;\n}\nint (*const ${name})(int) = f;\n`);
		await execa('gcc', ['-g', '-O1', '-c', source, '-o', objects.at(-1)!]);
	}
	await execa('ld', ['-r', ...objects, '-o', module]);
	t.deepEqual(await withSourceLines(['f+0x0/0x4 [a]'], {a: module}), ['f+0x0/0x4 [a]']);
});

test('a missing module file leaves frames unchanged', async t => {
	t.deepEqual(await withSourceLines(['f+0x0/0x4 [a]'], {a: '/nowhere/a.ko'}), ['f+0x0/0x4 [a]']);
});
