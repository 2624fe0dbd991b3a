// SPDX-License-Identifier: GPL-2.0
import {mkdtempDisposable, writeFile} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import path from 'node:path';
import test from 'ava';
import type {GuestModule} from '../build/module-build.ts';
import {AgentError, LinkLostError, LoadError} from '../host/errors.ts';
import {fakeSuite} from '../test/fake-guest.ts';
import type {Instance} from './instance.ts';
import {loadSuite} from './load-suite.ts';

type Fault = {
	/** What inserting a module makes the kernel print. */
	readonly says?: string;
	readonly error?: Error;
};

/** Loads modules into a guest in which those named in `faults` fail. Returns what was done there, in order. */
async function load(
	modules: readonly Partial<GuestModule>[],
	{faults = {}, agent}: {faults?: Readonly<Record<string, Fault>>; agent?: string} = {},
) {
	await using directory = await mkdtempDisposable(path.join(tmpdir(), 'insert-'));
	const source = path.join(directory.path, 'file');
	await writeFile(source, 'content');
	const done: string[] = [];
	let text = 'said before\n';
	const call = async (op: string, request: {module?: string; parameters?: string; path?: string}) => {
		done.push([op, request.module ?? request.path, request.parameters].filter(each => each !== undefined).join(' '));
		const fault = faults[request.module ?? ''];
		text += fault?.says ?? '';
		if (fault?.error) throw fault.error;
		return {};
	};
	const guest = {
		link: async () => ({
			exec: async (command: string) => void done.push(command.startsWith("mkdir -p '/' && cd '/'") ? 'push' : command),
		}),
		agent: {call},
		vm: {
			console: {
				get end() {
					return text.length;
				},
				from: (position: number) => text.slice(position),
				refresh: () => Promise.reject(new Error('the console is gone')),
			},
		},
	} as unknown as Instance;
	const files = [{path: 'usr/lib/x.ko', source, mode: 0o644}];
	const content = {...fakeSuite.content, ...(agent !== undefined && {agent})};
	const built = modules.map(each => ({name: 'x', file: '/x.ko', bare: '/bare/x.ko', ...each}));
	const [settled] = await Promise.allSettled([loadSuite(guest, {files, content, modules: built})]);
	return {done, settled};
}

const exists = new AgentError('insmod', {errno: 'EEXIST', message: 'File exists'});

test('files come first, then the agent of the suite, then each module in its order, with its parameters', async t => {
	const modules = [
		{file: '/a/two.ko', parameters: 'n=1 m=2'},
		{file: '/b/one-x.ko'},
		{file: '/c/empty.ko', parameters: ''},
	];
	const {done, settled} = await load(modules, {agent: '/usr/lib/agent'});
	t.deepEqual(done, ['push', 'become /usr/lib/agent', 'insmod two n=1 m=2', 'insmod one-x', 'insmod empty ']);
	// A header and a block for each of two files, and the end of the archive.
	t.is(settled.status === 'fulfilled' && settled.value.bytes, 2560);
	t.deepEqual((await load([{file: '/b/one.ko'}])).done, ['push', 'insmod one'], 'without an agent of its own');
});

test('a module of the kernel may be loaded already, one under test may not', async t => {
	const faults = {x: {error: exists}};
	const {done, settled} = await load([{isKernels: true}, {file: '/next.ko'}], {faults});
	t.is(settled.status, 'fulfilled');
	t.deepEqual(done, ['push', 'insmod x', 'insmod next']);
	const own = await load([{}, {file: '/next.ko'}], {faults});
	t.true(own.settled.status === 'rejected' && own.settled.reason instanceof LoadError);
	t.is(own.settled.status === 'rejected' && own.settled.reason.message, 'x.ko does not load: File exists (EEXIST)');
	t.deepEqual(own.done, ['push', 'insmod x'], 'what depends on it is not tried');
	const other = {x: {error: new AgentError('insmod', {errno: 'ENOEXEC', message: 'Exec format error'})}};
	const {settled: refused} = await load([{isKernels: true}], {faults: other});
	t.is(refused.status === 'rejected' && refused.reason.message, 'x.ko does not load: Exec format error (ENOEXEC)');
});

test('why a module does not load comes with the last that the kernel said about it', async t => {
	const lines = Array.from({length: 20}, (_, n) => `line ${n}`);
	const {settled} = await load([{}], {faults: {x: {error: exists, says: `${lines.join('\n')}\n`}}});
	t.is(
		settled.status === 'rejected' && settled.reason.message,
		`x.ko does not load: File exists (EEXIST)\nThe kernel says:\n${lines.slice(8).join('\n')}`,
	);
});

const oops = '[    1.0] kernel BUG at drivers/ring.c:7!\n[    1.0] RIP: 0010:ring_init+0x1/0x2 [x]\n';

test('a kernel that dies of a module is the fault of that module; a lost link alone is not', async t => {
	const error = new LinkLostError('the agent is gone');
	const {settled} = await load([{}], {faults: {x: {error, says: oops}}});
	t.true(settled.status === 'rejected' && settled.reason instanceof LoadError);
	t.regex(
		String(settled.status === 'rejected' && settled.reason.message),
		/^x\.ko does not load: kernel BUG in ring_init \[x\]\nThe kernel says:\n\[ {4}1\.0\] kernel BUG at/,
	);
	t.is(settled.status === 'rejected' && settled.reason.cause, error);
	const alone = await load([{}], {faults: {x: {error, says: 'words\n'}}});
	t.is(alone.settled.status === 'rejected' && alone.settled.reason, error);
});
