// SPDX-License-Identifier: GPL-2.0
import http from 'node:http';
import type {AddressInfo} from 'node:net';
import path from 'node:path';
import test, {type ExecutionContext} from 'ava';
import {cacheDirectory} from '../host/cache.ts';
import {NetworkError, NotFoundError, UsageError} from '../host/errors.ts';
import {writeCached} from '../host/json-cache.ts';
import {cacheKernel} from '../test/cached-kernel.ts';
import {freshCache} from '../test/fresh-cache.ts';
import {obtainKernel} from './obtain.ts';
import {recipeOf} from './recipe.ts';
import {KernelUnavailableError} from './unavailable.ts';

/** An empty cache, and a mirror that answers each request with this status, or none at all. */
async function openMirror(t: ExecutionContext, status?: number): Promise<string> {
	const cache = await freshCache();
	t.teardown(async () => cache[Symbol.asyncDispose]());
	let url = 'http://127.0.0.1:9';
	if (status !== undefined) {
		const server = http.createServer((_, response) => response.writeHead(status).end('no index'));
		await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
		t.teardown(() => {
			server.closeAllConnections();
			server.close();
		});
		url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
	}
	process.env.PROBE_MATRIX_MIRROR = url;
	process.env.PROBE_MATRIX_SECURITY_MIRROR = url;
	process.env.PROBE_MATRIX_KERNEL_MIRROR = url;
	return url;
}

for (const [what, status, cause] of [
	['cannot be reached', undefined, NetworkError],
	['does not have it', 404, NotFoundError],
] as const) {
	for (const id of ['debian-6.1', 'debian-6.12+debug'])
		test.serial(`a ${id} is unavailable, with what to do about it, if the mirror ${what}`, async t => {
			await openMirror(t, status);
			const error = (await t.throwsAsync(obtainKernel(id), {instanceOf: KernelUnavailableError}))!;
			t.is(error.kernel, id);
			t.is(error.advice, 'Set PROBE_MATRIX_MIRROR to a reachable Debian mirror that has it.');
			t.true(error.cause instanceof cause);
			t.is(error.reason, (error.cause as Error).message);
			t.is(error.message, `${id}: unavailable: ${error.reason} ${error.advice}`);
		});

	test.serial(`a release is unavailable, with what to do about it, if the mirror ${what}`, async t => {
		await openMirror(t, status);
		const error = (await t.throwsAsync(obtainKernel('4.15.18+debug'), {instanceOf: KernelUnavailableError}))!;
		t.is(error.kernel, '4.15.18+debug');
		t.is(error.advice, 'Give a Linux 4.15.18 tree with --source DIR.');
		t.true(error.cause instanceof cause);
	});
}

test.serial('what a mirror sends in place of a signed index is an error, not a kernel that is unavailable', async t => {
	await openMirror(t, 200);
	for (const id of ['debian-6.1', 'debian-6.12+debug']) {
		const error = (await t.throwsAsync(obtainKernel(id), {instanceOf: UsageError}))!;
		t.false(error instanceof KernelUnavailableError, error.message);
	}
});

test.serial("what was built from Debian's sources is found again, unless newer ones are asked for", async t => {
	await openMirror(t);
	const id = 'debian-6.12+debug';
	const kernel = await cacheKernel({id, release: '6.12.95', origin: 'Linux 6.12.95', flavour: 'debug'});
	const memo = async (recipe: string) =>
		writeCached(path.join(cacheDirectory('kernels'), `${id}.source.json`), {kernel, recipe});
	await memo((await recipeOf('6.12.95', 'debug')).identity);
	t.deepEqual(await obtainKernel(id), kernel);
	await t.throwsAsync(obtainKernel(id, {refresh: true}), {instanceOf: KernelUnavailableError});
	await memo('older');
	await t.throwsAsync(obtainKernel(id), {instanceOf: KernelUnavailableError});
});
