// SPDX-License-Identifier: GPL-2.0
import {createHash} from 'node:crypto';
import {once} from 'node:events';
import {existsSync} from 'node:fs';
import {mkdtempDisposable, readFile, writeFile} from 'node:fs/promises';
import http from 'node:http';
import type {AddressInfo} from 'node:net';
import {tmpdir} from 'node:os';
import path from 'node:path';
import test, {type ExecutionContext} from 'ava';
import {download} from './download.ts';
import {NetworkError, NotFoundError, UsageError} from './errors.ts';

const content = Buffer.from('0123456789'.repeat(1000));
const sha256 = createHash('sha256').update(content).digest('hex');
const quick = {retries: 2, minTimeoutMs: 1};

type Handler = (request: http.IncomingMessage, response: http.ServerResponse, count: number) => void;

async function world(
	t: ExecutionContext,
	handler: Handler,
): Promise<{url: string; destination: string; requests: () => number}> {
	const directory = await mkdtempDisposable(path.join(tmpdir(), 'download-'));
	t.teardown(() => directory.remove());
	let count = 0;
	const server = http.createServer((request, response) => {
		count += 1;
		handler(request, response, count);
	});
	await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
	t.teardown(() => {
		server.closeAllConnections();
		server.close();
	});
	const {port} = server.address() as AddressInfo;
	return {url: `http://127.0.0.1:${port}/file`, destination: path.join(directory.path, 'file'), requests: () => count};
}

test('a file arrives complete, and leaves no other file', async t => {
	const {url, destination} = await world(t, (_, response) => response.end(content));
	await download({url, destination, sha256}, quick);
	t.deepEqual(await readFile(destination), content);
	t.false(existsSync(`${destination}.part`));
});

test('a partial file is resumed where it ended', async t => {
	const ranges: (string | undefined)[] = [];
	const {url, destination} = await world(t, (request, response) => {
		ranges.push(request.headers.range);
		response.writeHead(206).end(content.subarray(4000));
	});
	await writeFile(`${destination}.part`, content.subarray(0, 4000));
	await download({url, destination, sha256}, quick);
	t.deepEqual(ranges, ['bytes=4000-']);
	t.deepEqual(await readFile(destination), content);
});

test('a server that ignores ranges sends the whole file, once', async t => {
	const {url, destination, requests} = await world(t, (_, response) => response.end(content));
	await writeFile(`${destination}.part`, content.subarray(0, 4000));
	await download({url, destination, sha256}, quick);
	t.deepEqual(await readFile(destination), content);
	t.is(requests(), 1);
});

test('a partial file that belongs to other content is discarded', async t => {
	const {url, destination} = await world(t, (request, response) => {
		const start = Number(/\d+/.exec(request.headers.range ?? '0')?.[0]);
		response.writeHead(start > 0 ? 206 : 200).end(content.subarray(start));
	});
	await writeFile(`${destination}.part`, 'x'.repeat(4000));
	await download({url, destination, sha256}, quick);
	t.deepEqual(await readFile(destination), content);
});

test('a transfer that breaks off is resumed by the next attempt', async t => {
	const {url, destination, requests} = await world(t, (request, response, count) => {
		if (count > 1) {
			const start = Number(/\d+/.exec(request.headers.range ?? '0')?.[0]);
			response.writeHead(start > 0 ? 206 : 200).end(content.subarray(start));
			return;
		}
		response.writeHead(200, {'content-length': content.length});
		response.write(content.subarray(0, 5000), () => response.destroy());
	});
	await download({url, destination, sha256}, quick);
	t.deepEqual(await readFile(destination), content);
	t.is(requests(), 2);
});

test('without a checksum, a transfer that breaks off begins anew: the file may be another one now', async t => {
	const ranges: (string | undefined)[] = [];
	const {url, destination} = await world(t, (request, response, count) => {
		ranges.push(request.headers.range);
		if (count > 1) {
			response.end(content);
			return;
		}
		response.writeHead(200, {'content-length': content.length});
		response.write('x'.repeat(5000), () => response.destroy());
	});
	await download({url, destination}, quick);
	t.deepEqual(await readFile(destination), content);
	t.deepEqual(ranges, [undefined, undefined]);
});

test('a wrong checksum is reported and nothing is kept', async t => {
	const {url, destination, requests} = await world(t, (_, response) => response.end('something else'));
	const error = await t.throwsAsync(download({url, destination, sha256}, quick), {instanceOf: UsageError});
	t.regex(error.message, /SHA-256 .* expected .*the file was discarded/);
	t.false(existsSync(destination));
	t.false(existsSync(`${destination}.part`));
	t.is(requests(), 1);
});

test('a missing file is requested once', async t => {
	const {url, destination, requests} = await world(t, (_, response) => response.writeHead(404).end());
	await t.throwsAsync(download({url, destination, sha256}, quick), {instanceOf: NotFoundError});
	t.is(requests(), 1);
});

for (const status of [503, 429]) {
	test(`a server that answers ${status} is asked again, then reported`, async t => {
		const {url, destination, requests} = await world(t, (_, response) => response.writeHead(status).end());
		const error = await t.throwsAsync(download({url, destination, sha256}, quick), {instanceOf: NetworkError});
		t.true(error.message.includes(`HTTP ${status}`), error.message);
		t.is(requests(), 3);
	});
}

test('a server that stops sending is a network error', async t => {
	const {url, destination} = await world(t, (_, response) => {
		response.writeHead(200, {'content-length': content.length}).write('01234');
	});
	const error = await t.throwsAsync(download({url, destination, sha256}, {retries: 0, idleMs: 100}), {
		instanceOf: NetworkError,
	});
	t.regex(error.message, /no data for/);
});

test('a server that never answers is a network error', async t => {
	const {url, destination} = await world(t, () => {});
	// Without an end of its own, the download would go on until this one.
	const signal = AbortSignal.timeout(20_000);
	const error = await t.throwsAsync(download({url, destination, sha256}, {retries: 0, idleMs: 100, signal}), {
		instanceOf: NetworkError,
	});
	t.regex(error.message, /no data for/);
});

test('a refused connection is a network error that names the reason', async t => {
	const {destination} = await world(t, () => {});
	const closed = http.createServer().listen(0, '127.0.0.1');
	await once(closed, 'listening');
	const {port} = closed.address() as AddressInfo;
	closed.close();
	await once(closed, 'close');
	const url = `http://127.0.0.1:${port}/`;
	const error = await t.throwsAsync(download({url, destination}, quick), {
		instanceOf: NetworkError,
	});
	t.regex(error.message, /127\.0\.0\.1.*connection refused/);
});

test('an abort ends a download with its reason', async t => {
	const controller = new AbortController();
	const {url, destination} = await world(t, () => controller.abort(new RangeError('enough')));
	await t.throwsAsync(download({url, destination}, {...quick, signal: controller.signal}), {instanceOf: RangeError});
});

test('two callers that want the same file download it once', async t => {
	const {url, destination, requests} = await world(t, (_, response) => response.end(content));
	await Promise.all([download({url, destination, sha256}, quick), download({url, destination, sha256}, quick)]);
	t.is(requests(), 1);
});

test('a file that is here and whole is not requested; one that is damaged or cannot be checked is', async t => {
	const {url, destination, requests} = await world(t, (_, response) => response.end(content));
	await writeFile(destination, content);
	await download({url, destination, sha256}, quick);
	t.is(requests(), 0);
	for (const [n, damaged] of ['', 'x'.repeat(content.length)].entries()) {
		await writeFile(destination, damaged);
		await download({url, destination, sha256}, quick);
		t.deepEqual(await readFile(destination), content);
		t.is(requests(), n + 1);
	}
	await download({url, destination}, quick);
	t.is(requests(), 3);
});

test('a partial file that is longer than the file is discarded', async t => {
	const ranges: (string | undefined)[] = [];
	const {url, destination} = await world(t, (request, response) => {
		ranges.push(request.headers.range);
		if (request.headers.range === undefined) response.end(content);
		else response.writeHead(416).end();
	});
	await writeFile(`${destination}.part`, Buffer.concat([content, content]));
	await download({url, destination, sha256}, quick);
	t.deepEqual(ranges, ['bytes=20000-', undefined]);
	t.deepEqual(await readFile(destination), content);
});

test('the begin of a download is told, but not that of its rest', async t => {
	let begins = 0;
	const {url, destination} = await world(t, (request, response) => {
		const start = Number(/\d+/.exec(request.headers.range ?? '0')?.[0]);
		response.writeHead(start > 0 ? 206 : 200).end(content.subarray(start));
	});
	const options = {...quick, onBegin: () => void begins++};
	await writeFile(`${destination}.part`, content.subarray(0, 4000));
	await download({url, destination, sha256}, options);
	t.is(begins, 0);
	await download({url, destination: `${destination}.other`, sha256}, options);
	t.is(begins, 1);
});

test('the begin of a download that the server refuses is not told', async t => {
	const {url, destination} = await world(t, (_, response) => response.writeHead(404).end());
	await t.throwsAsync(download({url, destination}, {...quick, onBegin: () => t.fail()}), {instanceOf: NotFoundError});
});

for (const status of [403, 400]) {
	test(`a server that refuses with ${status} is asked once`, async t => {
		const {url, destination, requests} = await world(t, (_, response) => response.writeHead(status).end());
		const error = await t.throwsAsync(download({url, destination, sha256}, quick), {instanceOf: UsageError});
		t.is(error.message, `The server answered HTTP ${status} for ${url}.`);
		t.false(error instanceof NetworkError);
		t.is(requests(), 1);
	});
}

test('a file is asked for as it is, not compressed for the way', async t => {
	let encoding: string | undefined;
	const {url, destination} = await world(t, (request, response) => {
		encoding = request.headers['accept-encoding'];
		response.end(content);
	});
	await download({url, destination, sha256}, quick);
	t.is(encoding, 'identity');
});

test('a destination that cannot be written is told at once', async t => {
	const {url, destination, requests} = await world(t, (_, response) => response.end(content));
	await t.throwsAsync(download({url, destination: path.join(destination, 'deep/file'), sha256}, quick), {
		code: 'ENOENT',
	});
	t.is(requests(), 1);
});
