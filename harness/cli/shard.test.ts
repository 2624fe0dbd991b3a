// SPDX-License-Identifier: GPL-2.0
import test from 'ava';
import {InvalidArgumentError} from 'commander';
import {parseShard} from './shard.ts';

test('a shard is one of its parts', t => {
	t.deepEqual(parseShard('1/1'), {index: 1, count: 1});
	t.deepEqual(parseShard('12/12'), {index: 12, count: 12});
	for (const text of ['0/5', '6/5', '1/0', '0/0', '5', '1/2/3', '-1/5', '1.5/2', ''])
		t.throws(() => parseShard(text), {instanceOf: InvalidArgumentError}, text);
});
