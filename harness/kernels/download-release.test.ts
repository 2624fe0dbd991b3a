// SPDX-License-Identifier: GPL-2.0
import {createHash} from 'node:crypto';
import {existsSync} from 'node:fs';
import fs, {mkdir, mkdtempDisposable, readdir, readFile, writeFile} from 'node:fs/promises';
import http from 'node:http';
import {syncBuiltinESMExports} from 'node:module';
import type {AddressInfo} from 'node:net';
import {tmpdir} from 'node:os';
import path from 'node:path';
import test, {type ExecutionContext} from 'ava';
import {execa} from 'execa';
import {NetworkError, NotFoundError, UsageError} from '../host/errors.ts';
import {fetchRelease, unpackRelease} from './download-release.ts';
import {obtainKernel} from './obtain.ts';
import {KernelUnavailableError} from './unavailable.ts';

const quick = {minTimeoutMs: 1};
const tarball = Buffer.from('not really a tarball, '.repeat(1000));
const sha256 = createHash('sha256').update(tarball).digest('hex');
const name = 'linux-6.6.30.tar.xz';

type Answer = (request: http.IncomingMessage, response: http.ServerResponse, count: number) => void;

const whole: Answer = (request, response) => {
	const start = Number(/\d+/.exec(request.headers.range ?? '0')![0]);
	response.writeHead(start > 0 ? 206 : 200).end(tarball.subarray(start));
};

/** A fake kernel.org and a private cache. Both are set by environment variables, so the tests are serial. */
async function world(
	t: ExecutionContext,
	answer: Answer,
	sums = `${sha256}  ${name}\n`,
): Promise<{requests: string[]; cache: string}> {
	const cache = await mkdtempDisposable(path.join(tmpdir(), 'release-'));
	const requests: string[] = [];
	const server = http.createServer((request, response) => {
		requests.push(`${request.url} ${request.headers.range ?? ''}`.trim());
		if (request.url === '/v6.x/sha256sums.asc') response.end(`-----BEGIN PGP SIGNED MESSAGE-----\n\n${sums}`);
		else answer(request, response, requests.length - 1);
	});
	await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
	process.env.PROBE_MATRIX_KERNEL_MIRROR = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
	process.env.PROBE_MATRIX_CACHE = cache.path;
	t.teardown(async () => {
		server.closeAllConnections();
		server.close();
		await cache.remove();
	});
	return {requests, cache: cache.path};
}

const leftIn = async (cache: string) =>
	existsSync(path.join(cache, 'tarballs')) ? readdir(path.join(cache, 'tarballs')) : [];

test.serial('a release is fetched once and verified against the checksum list beside it', async t => {
	const {requests} = await world(t, whole);
	const {file} = await fetchRelease('6.6.30', quick);
	t.deepEqual(await readFile(file), tarball);
	t.deepEqual(requests, ['/v6.x/sha256sums.asc', `/v6.x/${name}`]);
	await fetchRelease('6.6.30', quick);
	t.is(requests.filter(request => request.includes(name)).length, 1);
});

const fetching = `import {fetchRelease} from ${JSON.stringify(path.join(import.meta.dirname, 'download-release.ts'))};
	console.log((await fetchRelease('6.6.30')).file);`;

test.serial('a process that fetches the same release does not take the checksum list away from another', async t => {
	const {requests, cache} = await world(t, whole);
	const {readFile: read} = fs;
	const others: string[] = [];
	const replaceRead = (by: unknown) => {
		Object.assign(fs, {readFile: by});
		syncBuiltinESMExports();
	};
	t.teardown(() => replaceRead(read));
	// All of the other process is between the download of the list and its use.
	replaceRead(async (file: string, encoding: 'utf8') => {
		if (file.endsWith('.sums')) {
			replaceRead(read);
			const {stdout} = await execa(process.execPath, ['--input-type=module', '-e', fetching]);
			others.push(stdout);
		}
		return read(file, encoding);
	});
	const {file} = await fetchRelease('6.6.30', quick);
	t.deepEqual(others, [file]);
	const list = '/v6.x/sha256sums.asc';
	t.deepEqual(requests, [list, list, `/v6.x/${name}`]);
	t.deepEqual(await leftIn(cache), [path.basename(file)]);
});

test.serial("a pinned release is verified against its pin, not against the server's list", async t => {
	const {requests, cache} = await world(t, whole);
	await t.throwsAsync(fetchRelease('4.15.18', quick), {
		instanceOf: UsageError,
		message: /has the SHA-256 .* expected 3f89cd71/,
	});
	t.deepEqual(requests, ['/v4.x/linux-4.15.18.tar.xz']);
	t.deepEqual(await leftIn(cache), []);
});

test.serial('a wrong checksum is reported and nothing is kept', async t => {
	const {cache} = await world(t, whole, `${'0'.repeat(64)}  ${name}\n`);
	await t.throwsAsync(fetchRelease('6.6.30', quick), {instanceOf: UsageError, message: /has the SHA-256/});
	t.deepEqual(await leftIn(cache), []);
});

test.serial('a download that breaks off is resumed where it ended', async t => {
	const {requests} = await world(t, (request, response, count) => {
		if (count > 1) return whole(request, response, count);
		response.writeHead(200, {'content-length': tarball.length});
		// End the connection after the bytes; destroying it would drop them.
		response.write(tarball.subarray(0, 5000), () => setTimeout(() => response.socket?.end(), 20));
	});
	const {file} = await fetchRelease('6.6.30', quick);
	t.deepEqual(await readFile(file), tarball);
	t.regex(requests.at(-1)!, /bytes=\d+-$/);
});

test.serial('a partial file of an earlier process is resumed', async t => {
	const {requests, cache} = await world(t, whole);
	await mkdir(path.join(cache, 'tarballs'));
	await writeFile(path.join(cache, 'tarballs', `${sha256}-${name}.part`), tarball.subarray(0, 7000));
	await fetchRelease('6.6.30', quick);
	t.is(requests.at(-1), `/v6.x/${name} bytes=7000-`);
});

test.serial('a release that the list lacks is rejected by name', async t => {
	const {cache} = await world(t, whole);
	await t.throwsAsync(fetchRelease('6.6.99', quick), {
		instanceOf: UsageError,
		message: /lists no linux-6\.6\.99\.tar\.xz/,
	});
	t.deepEqual(await leftIn(cache), []);
});

test.serial('a missing file is reported as missing', async t => {
	await world(t, (_, response) => response.writeHead(404).end());
	await t.throwsAsync(fetchRelease('6.6.30', quick), {instanceOf: NotFoundError});
});

test.serial('a server that stops sending counts as unreachable', async t => {
	await world(t, (_, response) => response.writeHead(200).write(tarball.subarray(0, 10)));
	await t.throwsAsync(fetchRelease('6.6.30', {...quick, idleMs: 200}), {
		instanceOf: NetworkError,
		message: /no data for 0\.2 s/,
	});
});

test.serial('a kernel that cannot be fetched is unavailable, with a reason and advice', async t => {
	const {cache} = await world(t, whole);
	process.env.PROBE_MATRIX_KERNEL_MIRROR = 'http://127.0.0.1:9';
	const error = await t.throwsAsync(obtainKernel('4.15.18+debug'), {instanceOf: KernelUnavailableError});
	t.is(error.kernel, '4.15.18+debug');
	t.regex(error.reason, /could not be downloaded/);
	t.is(error.advice, 'Give a Linux 4.15.18 tree with --source DIR.');
	t.true(error.message.startsWith('4.15.18+debug: unavailable: '));
	t.deepEqual(await leftIn(cache), []);
});

test.serial('a tarball is unpacked without its top directory; an invalid one is rejected', async t => {
	await using directory = await mkdtempDisposable(path.join(tmpdir(), 'unpack-'));
	const inside = (file: string) => path.join(directory.path, file);
	await mkdir(inside('linux-6.6.30/kernel'), {recursive: true});
	await writeFile(inside('linux-6.6.30/kernel/a.c'), 'x');
	await execa('tar', ['-cJf', inside('a.tar.xz'), '-C', directory.path, 'linux-6.6.30']);
	await unpackRelease(inside('a.tar.xz'), inside('out'), {});
	t.is(await readFile(inside('out/kernel/a.c'), 'utf8'), 'x');
	await writeFile(inside('b.tar.xz'), tarball);
	await t.throwsAsync(unpackRelease(inside('b.tar.xz'), inside('out'), {}), {
		instanceOf: UsageError,
		message: /cannot be unpacked/,
	});
});
