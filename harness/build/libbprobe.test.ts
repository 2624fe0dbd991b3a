// SPDX-License-Identifier: GPL-2.0
import {mkdtempDisposable} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import path from 'node:path';
import test from 'ava';
import {execa} from 'execa';
import {projectRoot} from './sources.ts';

test('libbprobe reads the extension block, completes stacks, names numbers and passes probes', async t => {
	await using directory = await mkdtempDisposable(path.join(tmpdir(), 'libbprobe-'));
	const program = path.join(directory.path, 'program');
	const library = ['ext', 'pass', 'probe'].map(name => path.join(projectRoot, `guest/libbprobe/${name}.c`));
	const include = ['guest/libbprobe', 'kmod'].map(name => `-I${path.join(projectRoot, name)}`);
	const source = path.join(projectRoot, 'harness/test/libbprobe.c');
	await execa('gcc', ['-D_GNU_SOURCE', '-Wall', '-Werror', ...include, '-o', program, source, ...library]);
	const {stdout} = await execa(program);
	t.deepEqual(stdout.split('\n'), [
		'registers: 100 101 102 103 104 105 106 107 108 109 110 111 112 113 114 115 116 117 118 119 120',
		'unknown register: -1 EINVAL',
		'arguments: 114 113 112 111 109 108 200 201 202 203 204 205 206 207',
		'no argument: -1 -1 EINVAL',
		'stack complete: 10 20 30',
		'stack without the caller: 10 15 20 30',
		'stack of one: 10 15',
		'stack of a recursion: 10 10 20 10',
		'stack without caller known: 10 20 30',
		'stack cut: 10 15 20',
		'points: entry return ?',
		'hooks: ftrace kprobe ?',
		'misses: recursion, nmi, no rcu, no frame, bpf busy, kprobe, ?,',
		'sent: 0',
		'received: another, close-on-exec 1',
		'received without: -1 EPROTO',
		'sent to nobody: -1 EPIPE',
	]);
});
