// SPDX-License-Identifier: GPL-2.0
import {mkdtempDisposable, readdir, readFile, utimes} from 'node:fs/promises';
import http from 'node:http';
import type {AddressInfo} from 'node:net';
import {tmpdir} from 'node:os';
import path from 'node:path';
import test, {type ExecutionContext} from 'ava';
import {captureStderr} from '../../test/capture-stderr.ts';
import {UsageError} from '../errors.ts';
import {loadIndex} from './archive.ts';

/** An archive with this release file, as mirror of a private cache. Its index is another one than the release file says. */
async function openArchive(t: ExecutionContext, release: string, {index = 'another index'}: {index?: string} = {}) {
	const cache = await mkdtempDisposable(path.join(tmpdir(), 'archive-'));
	t.teardown(() => cache.remove());
	const archive = {release};
	const asked: string[] = [];
	const server = http.createServer((request, response) => {
		asked.push(request.url!);
		response.end(request.url!.endsWith('/InRelease') ? archive.release : index);
	});
	await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
	t.teardown(() => {
		server.closeAllConnections();
		server.close();
	});
	process.env.PROBE_MATRIX_CACHE = cache.path;
	process.env.PROBE_MATRIX_MIRROR = `http://127.0.0.1:${(server.address() as AddressInfo).port}/debian/`;
	return {asked, archive, server, kept: () => readdir(path.join(cache.path, 'index'))};
}

const samples = path.join(import.meta.dirname, 'samples');
const sample = (name: string) => readFile(path.join(samples, `${name}.InRelease`), 'utf8');

for (const name of ['unsigned', 'good'] as const) {
	test.serial(
		`of a suite without a signature by Debian (${name}) nothing else is asked for, and nothing kept`,
		async t => {
			// The key of the samples is good, but none of Debian's.
			const {asked, kept} = await openArchive(t, await sample(name));
			await t.throwsAsync(loadIndex({archive: 'debian', suite: 'tiny'}), {
				instanceOf: UsageError,
				message: /is not signed by a key of .*debian-archive-keyring/,
			});
			t.deepEqual(asked, ['/debian/dists/tiny/InRelease']);
			t.deepEqual(await kept(), []);
		},
	);
}

test.serial('an index that is not the one that was signed is rejected, and not kept', async t => {
	const {asked, kept} = await openArchive(t, await sample('good'));
	const keyring = path.join(samples, 'keyring.gpg');
	await t.throwsAsync(loadIndex({archive: 'debian', suite: 'tiny'}, {keyring}), {
		instanceOf: UsageError,
		message: /Packages\.xz has the SHA-256 [\da-f]{64}, expected e3b0c442[\da-f]{56}; the file was discarded/,
	});
	t.deepEqual(asked, ['/debian/dists/tiny/InRelease', '/debian/dists/tiny/main/binary-amd64/Packages.xz']);
	t.deepEqual(await kept(), ['debian_tiny.InRelease']);
});

test.serial(
	'an index is asked for anew when it is old; a bad one never replaces it, and offline it serves',
	async t => {
		const good = await sample('good');
		// The release file names the hash of nothing. No index is nothing, so each load fails with it after the release file.
		const {asked, archive, server, kept} = await openArchive(t, good, {index: ''});
		const options = {keyring: path.join(samples, 'keyring.gpg')};
		const load = () => t.throwsAsync(loadIndex({archive: 'debian', suite: 'tiny'}, options));
		const times = () => asked.filter(url => url.endsWith('/InRelease')).length;
		const age = async (hours: number) => {
			const then = Date.now() / 1000 - hours * 3600;
			await utimes(path.join(process.env.PROBE_MATRIX_CACHE!, 'index/debian_tiny.InRelease'), then, then);
		};
		t.regex((await load()).message, /^Command failed.*: xz /);
		await age(11);
		await load();
		t.is(times(), 1);
		await age(13);
		await load();
		t.is(times(), 2);
		await age(13);
		archive.release = await sample('changed');
		t.regex((await load()).message, /is not signed by a key/);
		t.is(times(), 3);
		server.closeAllConnections();
		server.close();
		const said = await captureStderr(async () => {
			t.regex((await load()).message, /Packages\.xz could not be downloaded/);
		});
		t.regex(said, /cannot be reached; using the index of tiny from 13 h ago\.\n/);
		t.deepEqual(
			(await kept()).filter(name => name.endsWith('InRelease')),
			['debian_tiny.InRelease'],
		);
	},
);

test.serial('a mirror of the main archive is not asked for security updates', async t => {
	const {asked} = await openArchive(t, await sample('good'));
	const {fetch} = globalThis;
	const urls: string[] = [];
	t.teardown(() => {
		globalThis.fetch = fetch;
	});
	// What would go to other hosts must not.
	globalThis.fetch = async url => {
		urls.push(url instanceof Request ? url.url : url.toString());
		return new Response('', {status: 404});
	};
	const mirrors = async (security: string | undefined) => {
		delete process.env.PROBE_MATRIX_SECURITY_MIRROR;
		if (security !== undefined) process.env.PROBE_MATRIX_SECURITY_MIRROR = security;
		await t.throwsAsync(loadIndex({archive: 'debian-security', suite: 'tiny-security'}));
		return urls.splice(0);
	};
	t.deepEqual(await mirrors(undefined), ['http://deb.debian.org/debian-security/dists/tiny-security/InRelease']);
	t.deepEqual(await mirrors('http://mirror/security/'), ['http://mirror/security/dists/tiny-security/InRelease']);
	delete process.env.PROBE_MATRIX_SECURITY_MIRROR;
	t.deepEqual(asked, []);
});
