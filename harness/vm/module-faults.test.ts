// SPDX-License-Identifier: GPL-2.0
import test from 'ava';
import {AgentError, LinkLostError, LoadError} from '../host/errors.ts';
import type {Instance} from './instance.ts';
import {loadSuite, type SuiteFiles} from './load-suite.ts';

/** Loads one module into a guest whose agent refuses it like this, and whose console then says so. */
async function loads(error: Error | undefined, {said = '', isKernels = false} = {}): Promise<void> {
	// The parts of a guest that are asked while a suite is loaded.
	const guest = {
		link: async () => ({exec: async () => ({stdout: '', stderr: ''})}),
		agent: {
			async call() {
				if (error) throw error;
			},
		},
		vm: {console: {end: 0, refresh: async () => {}, from: () => said}},
	} as unknown as Instance;
	const module = {name: 'ring', file: '/ring.ko', bare: '/ring.ko', ...(isKernels && {isKernels})};
	await loadSuite(guest, {files: [], modules: [module], content: {}} as unknown as SuiteFiles);
}

const refused = new AgentError('insmod', {errno: 'ENOMEM', message: 'no memory'});
const isThere = new AgentError('insmod', {errno: 'EEXIST', message: 'File exists'});
const gone = new LinkLostError('The agent in the guest is gone.');
const oops = '[    1.5] kernel BUG at ring.c:40!\n[    1.5] RIP: 0010:ring_init+0x1/0x20 [ring]\n';

test('a module that is refused is at fault', async t => {
	await t.throwsAsync(loads(refused), {instanceOf: LoadError, message: /^ring\.ko does not load: no memory/});
});

test('a module that kills the kernel is at fault', async t => {
	await t.throwsAsync(loads(gone, {said: oops}), {
		instanceOf: LoadError,
		message: /^ring\.ko does not load: kernel BUG in ring_init \[ring\]\nThe kernel says:\n/,
	});
});

test('a guest that is lost without a report is at fault, not the module', async t => {
	await t.throwsAsync(loads(gone), {is: gone});
});

test('only modules of the kernel may be there already', async t => {
	await t.notThrowsAsync(loads(undefined));
	await t.notThrowsAsync(loads(isThere, {isKernels: true}));
	await t.throwsAsync(loads(isThere), {instanceOf: LoadError});
});
