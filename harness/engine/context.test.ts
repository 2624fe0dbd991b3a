// SPDX-License-Identifier: GPL-2.0
import {mkdtempDisposable, writeFile} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import path from 'node:path';
import test from 'ava';
import {execa} from 'execa';
import {FakeGuest, fakeCell, fakeSuite} from '../test/fake-guest.ts';
import {openContext} from './context.ts';
import type {Suite} from './suite.ts';

/** A guest whose shell is the host's; `dmesg` prints what the guest has said. */
class ShellGuest extends FakeGuest {
	override async exec(command: string) {
		if (command === 'dmesg') return super.exec(command);
		const {exitCode, stdout, stderr} = await execa('sh', ['-c', command], {reject: false, stripFinalNewline: false});
		return {code: exitCode ?? 1, stdout, stderr};
	}
}

function contextOf(guest: FakeGuest, mark = '7') {
	const {signal} = new AbortController();
	return openContext({cell: fakeCell(async () => {}), guest, mark, signal});
}

test('a file is pulled byte by byte, under any name', async t => {
	await using directory = await mkdtempDisposable(path.join(tmpdir(), 'pull-'));
	const file = path.join(directory.path, "a file's name");
	const data = Buffer.from(Array.from({length: 1000}, (_, index) => index % 256));
	await writeFile(file, data);
	const {context} = contextOf(new ShellGuest());
	t.deepEqual(await context.pull(file), data);
	await t.throwsAsync(context.pull(`${file}s`), {
		message: /a file's names cannot be read in the guest: .*No such file/,
	});
});

test('a case sees what the kernel said since it began', async t => {
	const guest = new ShellGuest();
	guest.say('[    1.0] of an earlier case');
	guest.say('[    1.1] probe-matrix: 7');
	await guest.console.refresh();
	const {context} = contextOf(guest);
	guest.say('[    1.2] of this case');
	t.is(await context.console(), '[    1.2] of this case\n');
	t.is(await context.dmesg(), '[    1.2] of this case\n');
	// The kernel's buffer has wrapped.
	t.regex(await contextOf(guest, '8').context.dmesg(), /of an earlier case/);
});

test('what a case did is undone from the last to the first, also after a step that fails', async t => {
	const done: string[] = [];
	const step = (name: string, error?: Error) => async () => {
		done.push(name);
		if (error) throw error;
	};
	const cell = fakeCell(async () => {});
	const suite: Suite = {
		...fakeSuite,
		open({undo}) {
			undo(step('first', new Error('of the first')));
			undo(step('second'));
			undo(step('third', new Error('of the third')));
			return {};
		},
	};
	const {signal} = new AbortController();
	const {close} = openContext({cell: {...cell, suite}, guest: new FakeGuest(), mark: '7', signal});
	await t.throwsAsync(close(), {message: 'of the third'});
	t.deepEqual(done, ['third', 'second', 'first']);
});
