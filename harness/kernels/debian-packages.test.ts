// SPDX-License-Identifier: GPL-2.0
import {createHash} from 'node:crypto';
import {existsSync} from 'node:fs';
import {mkdir, readdir, readFile} from 'node:fs/promises';
import http from 'node:http';
import type {AddressInfo} from 'node:net';
import path from 'node:path';
import test, {type ExecutionContext} from 'ava';
import {PackageIndex} from '../host/debian/deb822.ts';
import {NotFoundError, UsageError} from '../host/errors.ts';
import {quietly} from '../test/capture-stderr.ts';
import {compressions} from '../test/compressions.ts';
import {debOf, type Entry} from '../test/deb-of.ts';
import {freshCache} from '../test/fresh-cache.ts';
import {writeProgram} from '../test/write-program.ts';
import {candidatesIn, fetchKernel, obtainDebianKernel, resolveDebianKernel} from './debian.ts';

type Sample = {readonly depends?: string; readonly version?: string; readonly files?: readonly Entry[]};

/** A mirror with these packages, and its index. */
async function openMirror(t: ExecutionContext, packages: Readonly<Record<string, Sample>>) {
	const cache = await freshCache();
	t.teardown(async () => cache[Symbol.asyncDispose]());
	const debs = new Map<string, Buffer>();
	const asked: string[] = [];
	const server = http.createServer((request, response) => {
		asked.push(request.url!);
		const deb = debs.get(request.url!);
		if (deb) response.end(deb);
		else response.writeHead(404).end();
	});
	await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
	t.teardown(() => {
		server.closeAllConnections();
		server.close();
	});
	const paragraphs = await Promise.all(
		Object.entries(packages).map(async ([name, {depends = '', version = '6.1.1-1', files = []}]) => {
			// Equal packages would be one download.
			const deb = await debOf([...files, {name: `./usr/lib/packages/${name}`, content: name}]);
			debs.set(`/${name}.deb`, deb);
			const sha256 = createHash('sha256').update(deb).digest('hex');
			return `Package: ${name}\nVersion: ${version}\nDepends: ${depends}\nFilename: ${name}.deb\nSize: ${deb.length}\nSHA256: ${sha256}`;
		}),
	);
	const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
	return {cache, asked, debs, url, paragraphs, index: new PackageIndex(paragraphs.join('\n\n'), url)};
}

const row = {id: 'debian-6.1', series: '6.1', suites: [{archive: 'debian', suite: 'tiny'}]} as const;

/** The packages of one build, without files. */
const build = (release: string, version: string, suffix = ''): Readonly<Record<string, Sample>> => ({
	[`linux-image-${release}${suffix}`]: {version, depends: `kmod, linux-base (>= 4.3), linux-binary-${release} | other`},
	[`linux-binary-${release}`]: {version},
	[`linux-headers-${release}`]: {
		version,
		depends: 'linux-headers-6.1.0-1-common (= 6.1.1-1), linux-kbuild-6.1, gcc-12',
	},
	'linux-headers-6.1.0-1-common': {},
	'linux-kbuild-6.1': {},
	'gcc-12': {},
});

test.serial('the packages of a kernel are its image, its headers, and what belongs to them; newest first', async t => {
	const {index} = await openMirror(t, {
		'linux-image-6.1.0-10-cloud-amd64-unsigned': {version: '6.1.10-1'},
		...build('6.1.0-9-cloud-amd64', '6.1.9-1'),
		...build('6.1.0-10-cloud-amd64', '6.1.10-1'),
		...build('6.1.0-11-cloud-amd64', '6.1.11-1', '-unsigned'),
		// Others: of another flavour, of another series, for debugging, without headers.
		...build('6.1.0-12-amd64', '6.1.12-1'),
		...build('6.10.0-1-cloud-amd64', '6.10.1-1'),
		'linux-image-6.1.0-13-cloud-amd64-dbg': {version: '6.1.13-1'},
		'linux-image-6.1.0-14-cloud-amd64': {version: '6.1.14-1'},
		...build('611.0-1-cloud-amd64', '611.1-1'),
	});
	const found = candidatesIn([index], row);
	t.deepEqual(
		found.map(({release, packages}) => [release, packages[0]!.name]),
		[
			['6.1.0-11-cloud-amd64', 'linux-image-6.1.0-11-cloud-amd64-unsigned'],
			['6.1.0-10-cloud-amd64', 'linux-image-6.1.0-10-cloud-amd64'],
			['6.1.0-10-cloud-amd64', 'linux-image-6.1.0-10-cloud-amd64-unsigned'],
			['6.1.0-9-cloud-amd64', 'linux-image-6.1.0-9-cloud-amd64'],
		],
	);
	t.deepEqual(
		found[1]!.packages.map(({name}) => name),
		[
			'linux-image-6.1.0-10-cloud-amd64',
			'linux-headers-6.1.0-10-cloud-amd64',
			'linux-binary-6.1.0-10-cloud-amd64',
			'linux-headers-6.1.0-1-common',
			'linux-kbuild-6.1',
		],
	);
});

test.serial('a build that lacks a part in the archive is left out, and a series without any is an error', async t => {
	const whole = build('6.1.0-9-cloud-amd64', '6.1.9-1');
	const {'linux-kbuild-6.1': _, ...lacking} = whole;
	const {index} = await openMirror(t, lacking);
	t.throws(() => candidatesIn([index], row), {
		instanceOf: UsageError,
		message: 'debian-6.1: no linux-image-6.1.*-cloud-amd64 with its headers in tiny.',
	});
	const other = new PackageIndex(
		'Package: linux-kbuild-6.1\nVersion: 6.1.9-1\nFilename: k.deb\nSHA256: aa',
		'http://k',
	);
	t.is(candidatesIn([index, other], row)[0]!.packages.at(-1)!.url, 'http://k/k.deb');
});

const release = '6.1.0-9-cloud-amd64';
const elsewhere = `include /usr/src/linux-headers-6.1.0-1-common/Makefile\n`;
const filesOf = (release: string): Readonly<Record<string, readonly Entry[]>> => ({
	[`linux-image-${release}`]: [
		{name: `./boot/vmlinuz-${release}`, content: Buffer.alloc(0x400, 'image')},
		{name: `./usr/lib/modules/${release}/modules.builtin`, content: ''},
		{name: './usr/share/doc/readme', content: 'not needed'},
	],
	[`linux-headers-${release}`]: [
		{name: `./usr/src/linux-headers-${release}/Makefile`, content: elsewhere},
		{name: `./usr/src/linux-headers-${release}/.config`, content: 'CONFIG_X=y\n'},
	],
	'linux-headers-6.1.0-1-common': [{name: './usr/src/linux-headers-6.1.0-1-common/Makefile', content: 'all:\n'}],
});

const withFiles = (of = release, version = '6.1.9-1') => {
	const files = filesOf(of);
	return Object.fromEntries(
		Object.entries(build(of, version)).map(([name, each]) => [name, {...each, files: files[name] ?? []}]),
	);
};

test.serial('a kernel is its unpacked packages; its headers work where they lie', async t => {
	const {index, asked, cache} = await openMirror(t, withFiles());
	const [found] = candidatesIn([index], row);
	const fetching = async () => (await quietly(() => fetchKernel('debian-6.1', found!, {}))).value;
	const kernel = await fetching();
	t.like(kernel, {id: 'debian-6.1', release, flavour: 'cloud', origin: `Debian linux-image-${release} 6.1.9-1`});
	t.is((await readFile(kernel.bzImage, 'utf8')).slice(0, 10), 'imageimage');
	t.is(await readFile(kernel.config, 'utf8'), 'CONFIG_X=y\n');
	t.true(existsSync(path.join(kernel.modules!, 'modules.builtin')));
	t.is(kernel.vmlinux, undefined, 'it has no entry for PVH');
	t.is(
		await readFile(path.join(kernel.buildTree, 'Makefile'), 'utf8'),
		'include $(dir $(abspath $(lastword $(MAKEFILE_LIST))))../linux-headers-6.1.0-1-common/Makefile\n',
	);
	t.false(existsSync(path.join(path.dirname(kernel.bzImage), '../usr/share')));
	t.deepEqual(await readdir(path.join(cache.path, 'debs')), []);
	t.is(asked.length, 5);
	await fetching();
	t.is(asked.length, 5, 'from the cache');
	// A build of the same release with other packages is another tree.
	const packages = found!.packages.map(each => ({...each, sha256: each.sha256.replace(/^./, 'x')}));
	await t.throwsAsync(quietly(() => fetchKernel('debian-6.1', {...found!, packages}, {})));
});

test.serial('a package that the mirror has no more, or that is another, is an error, and nothing is kept', async t => {
	const {index, debs, cache} = await openMirror(t, withFiles());
	const [found] = candidatesIn([index], row);
	const deb = debs.get('/linux-kbuild-6.1.deb')!;
	debs.delete('/linux-kbuild-6.1.deb');
	const fetching = async () => (await quietly(() => fetchKernel('debian-6.1', found!, {}))).value;
	await t.throwsAsync(fetching(), {instanceOf: NotFoundError});
	debs.set('/linux-kbuild-6.1.deb', Buffer.concat([deb, Buffer.from('\n')]));
	await t.throwsAsync(fetching(), {instanceOf: UsageError, message: /has the SHA-256/});
	t.deepEqual(await readdir(path.join(cache.path, 'trees')), []);
	debs.set('/linux-kbuild-6.1.deb', deb);
	t.is((await fetching()).release, release);
});

test.serial('packages without a kernel in them are an error', async t => {
	const {[`linux-image-${release}`]: image, ...rest} = withFiles();
	const {index} = await openMirror(t, {[`linux-image-${release}`]: {...image, files: []}, ...rest});
	const [found] = candidatesIn([index], row);
	await t.throwsAsync(
		quietly(() => fetchKernel('debian-6.1', found!, {})),
		{instanceOf: UsageError, message: `The packages of Linux ${release} hold no kernel where one was expected.`},
	);
});

/** Sets variables of the environment until the end of the test. */
function setEnvironment(t: ExecutionContext, values: Readonly<Record<string, string>>): void {
	for (const [name, value] of Object.entries(values)) {
		const before = process.env[name];
		t.teardown(() => {
			if (before === undefined) delete process.env[name];
			else process.env[name] = before;
		});
		process.env[name] = value;
	}
}

test.serial('what Debian has published since is fetched if it is asked for, from each suite', async t => {
	const newer = '6.1.0-10-cloud-amd64';
	const {cache, asked, debs, url, paragraphs} = await openMirror(t, {
		...withFiles(),
		...withFiles(newer, '6.1.10-1'),
	});
	const programs = path.join(cache.path, 'programs');
	await mkdir(programs);
	// Nobody else can sign as Debian.
	await writeProgram(
		path.join(programs, 'gpgv'),
		'#!/bin/sh\necho "[GNUPG:] GOODSIG of Debian" >&2\nfor file; do :; done\nexec cat "$file"\n',
	);
	setEnvironment(t, {
		PATH: `${programs}:${process.env.PATH}`,
		PROBE_MATRIX_MIRROR: url,
		PROBE_MATRIX_SECURITY_MIRROR: url,
	});
	const publish = (suite: string, isIn: (paragraph: string) => boolean) => {
		const packages = Buffer.from(compressions['.xz']!(Buffer.from(paragraphs.filter(isIn).join('\n\n'))));
		const sha256 = createHash('sha256').update(packages).digest('hex');
		const file = 'main/binary-amd64/Packages.xz';
		debs.set(`/dists/${suite}/${file}`, packages);
		debs.set(`/dists/${suite}/InRelease`, Buffer.from(`SHA256:\n ${sha256} ${packages.length} ${file}\n`));
	};
	const suites = [
		{archive: 'debian', suite: 'tiny'},
		{archive: 'debian-security', suite: 'tiny-security'},
	] as const;
	const twoSuites = {series: '6.1', suites};
	const obtain = async (refresh: boolean) =>
		(await quietly(() => obtainDebianKernel('debian-6.1', twoSuites, {refresh}))).value.release;
	const resolve = async (refresh: boolean) => (await resolveDebianKernel('debian-6.1', twoSuites, {refresh})).release;
	const releasesAsked = () => asked.splice(0).filter(file => file.endsWith('/InRelease'));

	publish('tiny', paragraph => !paragraph.includes(newer));
	publish('tiny-security', () => false);
	t.is(await obtain(false), release);
	const each = suites.map(({suite}) => `/dists/${suite}/InRelease`).toSorted();
	t.deepEqual(releasesAsked().toSorted(), each);

	publish('tiny-security', paragraph => paragraph.includes(newer));
	t.is(await obtain(false), release);
	t.is(await resolve(false), release);
	t.deepEqual(asked, []);
	t.is(await resolve(true), newer);
	t.deepEqual(releasesAsked().toSorted(), each);
	t.is(await obtain(true), newer);
	t.deepEqual(releasesAsked().toSorted(), each);
	t.is(await obtain(false), newer);
	t.deepEqual(asked, []);

	debs.delete('/dists/tiny-security/InRelease');
	await t.throwsAsync(obtain(true), {instanceOf: NotFoundError, message: /has no suite tiny-security/});
	t.is(await obtain(false), newer);
});
