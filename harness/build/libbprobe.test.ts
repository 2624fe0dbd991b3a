// SPDX-License-Identifier: GPL-2.0
import {mkdtempDisposable} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import path from 'node:path';
import test from 'ava';
import {execa} from 'execa';
import {projectRoot} from './sources.ts';

test('libbprobe reads the extension block, completes stacks, names numbers, passes probes and looks up names', async t => {
	await using directory = await mkdtempDisposable(path.join(tmpdir(), 'libbprobe-'));
	const program = path.join(directory.path, 'program');
	const library = ['ext', 'list', 'match', 'pass', 'probe', 'symbols'].map(name =>
		path.join(projectRoot, `guest/libbprobe/${name}.c`),
	);
	const include = ['guest/libbprobe', 'kmod'].map(name => `-I${path.join(projectRoot, name)}`);
	const source = path.join(projectRoot, 'harness/test/libbprobe.c');
	await execa('gcc', [
		'-D_GNU_SOURCE',
		...['fopen', 'open', 'ioctl', 'realloc'].map(name => `-D${name}=${name}_of_test`),
		'-Wall',
		'-Werror',
		'-fsanitize=address,undefined',
		...include,
		'-o',
		program,
		source,
		...library,
	]);
	const {stdout} = await execa(program);
	t.deepEqual(stdout.split('\n'), [
		'registers: 100 101 102 103 104 105 106 107 108 109 110 111 112 113 114 115 116 117 118 119 120',
		'unknown register: -1 EINVAL',
		'arguments: 114 113 112 111 109 108 200 201 202 203 204 205 206 207',
		'no argument: -1 -1 EINVAL',
		'stack complete: 10 20 30',
		'stack without the caller: 10 15 20 30',
		'stack of one: 10 15',
		'stack of one, cut: 10',
		'stack of a recursion: 10 10 20 10',
		'stack without caller known: 10 20 30',
		'stack cut: 10 15 20',
		'stack cut behind the caller: 10 15',
		'points: entry return ?',
		'hooks: ftrace kprobe ?',
		'misses: recursion, nmi, no rcu, no frame, bpf busy, kprobe, ?,',
		'sent: 0',
		'received: another, close-on-exec 1',
		'received without: -1 EPROTO',
		'sent to nobody: -1 EPIPE',
		'listed: entry ffffffff81000000 7 ftrace 1 2 30 twice, return ffffffff81000020 8 kprobe 4 5 60 once [fixtures], 0',
		'listed until told to stop: entry ffffffff81000000 7 ftrace 1 2 30 twice, 9',
		'once, room for 2: 1 ffffffff81000020 2 0',
		'twice, room for 2: 2 ffffffff81000000 ffffffff81000040 0',
		'twice, room for 1: 2 ffffffff81000000 2 0',
		'none, room for 2: 0 1 2 0',
		'hidden, room for 2: -1 1 2 EPERM',
		'matched all: 3 ffffffff81000008 ffffffff81000020 ffffffff81000030',
		'matched none: 0',
		'matched two: 2 ffffffff81000008 ffffffff81000020',
		'matched but what is refused: 2 ffffffff81000008 ffffffff81000030',
		'matched two but what is refused: 2 ffffffff81000008 ffffffff81000030',
		'matched without memory for symbols: -1 ENOMEM',
		'matched without memory for one function: -1 ENOMEM',
		'names: twice+0x0, once+0xa [fixtures], twice+0x4 [fixtures], hidden+0x5,',
		'info: size 224 of 224, index 0, 1 bytes set 0',
		'info of 3: size 224 of 224, index 3, 2 bytes set 0',
		'a list without a device: -1 EBADF, failed 3 of 3',
	]);
});
