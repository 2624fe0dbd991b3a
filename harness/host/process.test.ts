// SPDX-License-Identifier: GPL-2.0
import {readFileSync} from 'node:fs';
import {setTimeout as sleep} from 'node:timers/promises';
import test from 'ava';
import {execa} from 'execa';
import {cpuMsOf, identityOf, isAlive} from './process.ts';

test('a process is told from others by when it began', t => {
	const own = identityOf(process.pid)!;
	t.is(own.pid, process.pid);
	t.true(isAlive(own));
	t.false(isAlive({...own, startTime: String(Number(own.startTime) - 1)}));
	t.false(isAlive({...own, pid: 1}));
	t.is(identityOf(4_194_305), undefined, 'no process has a larger pid than 4194304');
	t.true(cpuMsOf(process.pid) > 0);
});

test('a zombie is no process any more', async t => {
	// `sleep` does not wait for the child that it takes over from the shell.
	const parent = execa('sh', ['-c', 'true & exec sleep 60'], {reject: false});
	t.teardown(() => parent.kill());
	const children = `/proc/${parent.pid}/task/${parent.pid}/children`;
	let child = 0;
	while (child === 0) {
		child = Number.parseInt(readFileSync(children, 'utf8'), 10) || 0;
		await sleep(10);
	}
	while (!/ Z /.test(readFileSync(`/proc/${child}/stat`, 'utf8'))) await sleep(10);
	t.is(identityOf(child), undefined);
});
