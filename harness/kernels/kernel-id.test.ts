// SPDX-License-Identifier: GPL-2.0
import {mkdir, mkdtempDisposable} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import path from 'node:path';
import test from 'ava';
import {UsageError} from '../host/errors.ts';
import {debianRow, knownKernels, nightlyKernels, pinnedSha256, unknownKernel, whyNoFlavour} from './catalogue.ts';
import {fileNameOf, parseKernelId} from './kernel-id.ts';

const releases = {
	'4.15.18': ['4.15.18', 'base', '4.15.18'],
	'4.15.18+debug': ['4.15.18', 'debug', '4.15.18+debug'],
	'4.15.0': ['4.15', 'base', '4.15'],
	'5.0-rc1+orc': ['5.0-rc1', 'orc', '5.0-rc1+orc'],
	'4.15.0-72-generic': ['4.15.18', 'base', '4.15.18'],
	'4.15.0-72-generic+nopreempt': ['4.15.18', 'nopreempt', '4.15.18+nopreempt'],
	'ubuntu:4.15.0-72.81': ['4.15.18', 'base', '4.15.18'],
	'ubuntu:4.15.0-72.81~16.04.1': ['4.15.18', 'base', '4.15.18'],
	'Ubuntu 4.15.0-72.81-generic 4.15.18': ['4.15.18', 'base', '4.15.18'],
	'Ubuntu 5.0.0-8.9-generic 5.0': ['5.0', 'base', '5.0'],
	'4.15.0-22-generic': ['4.15.17', 'base', '4.15.17'],
	'4.15.0-23-generic': ['4.15.18', 'base', '4.15.18'],
} as const;

for (const [text, [version, flavour, id]] of Object.entries(releases)) {
	test(`${text} is release ${version}, flavour ${flavour}`, t => {
		t.deepEqual(parseKernelId(text), {kind: 'release', version, flavour, id});
	});
}

test('a flavour of a Debian series is built from its source package', t => {
	t.deepEqual(parseKernelId('debian-6.12+kcsan'), {
		kind: 'debian-source',
		series: '6.12',
		flavour: 'kcsan',
		id: 'debian-6.12+kcsan',
	});
});

test('a night takes flavours that its release has, and those of images/kernels.json', t => {
	const kernels = nightlyKernels('4.15.18');
	t.true(
		['4.15.18', 'debian-7.2', '4.15.18+debug', 'debian-6.12+debug', 'debian-6.12+kcsan'].every(id =>
			kernels.includes(id),
		),
	);
	t.false(kernels.includes('4.15.18+kcsan'));
	t.true(nightlyKernels('5.8').includes('5.8+kcsan'));
	for (const id of kernels) t.is(parseKernelId(id).id, id);
});

const refused = {
	'debian-6.2': /nearest are debian-5\.10/,
	'debian-6.1+fast': /no flavour "fast"/,
	'4.15.18+fast': /no flavour "fast", only debug, kcsan, nopreempt, orc/,
	'4.15.18+kcsan': /kcsan needs Linux 5\.8 or newer/,
	'5.7.19+kcsan': /kcsan needs Linux 5\.8 or newer/,
	'4.15.0-5-generic': /nearest known is 4\.15\.0-6 \(4\.15\)/,
	'5.4.0-100-generic': /no series 5\.4\.0.*it has 4\.15\.0/,
	'ubuntu:bionic': /is not an Ubuntu name such as ubuntu:4\.15\.0-72\.81/,
	'': /nearest are/,
	'4.15.18 ': /did you mean 4\.15\.18\?$/,
	'debain-6.1': /did you mean debian-6\.1\?$/,
	'debian6.12': /did you mean debian-6\.12\?$/,
	'linux-6.12': /nearest are/,
	'/no/such/tree+fast': /no flavour "fast"/,
};

for (const [text, message] of Object.entries(refused)) {
	test(`${JSON.stringify(text)} is rejected with the nearest known ids`, t => {
		t.throws(() => parseKernelId(text), {instanceOf: UsageError, message});
	});
}

test('a directory may have a plus in its name, with or without a flavour', async t => {
	await using directory = await mkdtempDisposable(path.join(tmpdir(), 'id-'));
	const tree = path.join(directory.path, 'linux+debug');
	t.like(parseKernelId(tree), {kind: 'directory', directory: path.join(directory.path, 'linux'), flavour: 'debug'});
	await mkdir(tree);
	t.like(parseKernelId(tree), {kind: 'directory', directory: tree, flavour: 'base'});
	t.like(parseKernelId(`${tree}+orc`), {kind: 'directory', directory: tree, flavour: 'orc', id: `${tree}+orc`});
});

test('different ids have different file names without slashes', t => {
	const names = ['/a/b', '/a_b', '/a%2fb', '4.15.18+debug', `/a/${'b'.repeat(300)}`, `/c/${'b'.repeat(300)}`].map(id =>
		fileNameOf({id}),
	);
	t.is(new Set(names).size, names.length);
	t.false(names.some(name => name.includes('/') || name.length > 120));
});

test('the line of /proc/version_signature is taken with its end', t => {
	t.like(parseKernelId('Ubuntu 4.15.0-72.81-generic 4.15.18\n'), {version: '4.15.18'});
});

test('a Debian series is its cloud image', t => {
	t.deepEqual(parseKernelId('debian-6.1'), {kind: 'debian', id: 'debian-6.1', flavour: 'cloud'});
});

test('a directory is known by its whole path, however it is given', t => {
	for (const [text, directory] of [
		['.', process.cwd()],
		['..', path.dirname(process.cwd())],
		['./no/../such', path.join(process.cwd(), 'such')],
		['/no/such/tree/', '/no/such/tree'],
	] as const)
		t.deepEqual(parseKernelId(text), {kind: 'directory', directory, flavour: 'base', id: directory});
	t.deepEqual(parseKernelId('./linux+debug'), {
		...{kind: 'directory', directory: path.join(process.cwd(), 'linux'), flavour: 'debug'},
		id: `${path.join(process.cwd(), 'linux')}+debug`,
	});
});

test('names of what every object has are no kernels', t => {
	for (const name of ['constructor', 'toString', '__proto__', 'constructor+debug']) {
		t.throws(() => parseKernelId(name), {instanceOf: UsageError, message: /^Unknown kernel /});
		t.is(debianRow(name), undefined);
		t.is(pinnedSha256(name), undefined);
	}
	t.is(whyNoFlavour('3.2', 'constructor'), undefined);
});

test('a flavour fits the release that it is there since, and later ones', t => {
	t.is(whyNoFlavour('5.8', 'kcsan'), undefined);
	t.is(whyNoFlavour('5.8.0', 'kcsan'), undefined);
	t.is(whyNoFlavour('5.8-rc7', 'kcsan'), 'kcsan needs Linux 5.8 or newer');
	t.is(whyNoFlavour('3.2', 'debug'), undefined);
});

test('the nearest kernels of an unknown one have its version, then its distribution', t => {
	const nearest = (id: string) => /the nearest are (.*?)\. Any/.exec(unknownKernel(id).message)?.[1]?.split(', ') ?? [];
	t.is(nearest('debian-kernel-6.12')[0], 'debian-6.12');
	t.is(nearest('linux-6.12')[0], 'debian-6.12');
	t.is(nearest('release-4.15.18')[0], '4.15.18');
	t.true(nearest('debian-0.1').every(id => id.startsWith('debian-')));
	t.false(nearest('linux-0.1')[0]!.startsWith('debian-'));
	t.is(nearest('x').length, 3);
});

test('releases come before series of Debian, as reports show them', t => {
	const isDebian = knownKernels().map(id => id.startsWith('debian-'));
	t.deepEqual(
		isDebian,
		isDebian.toSorted((a, b) => Number(a) - Number(b)),
	);
	t.true(isDebian.includes(true) && isDebian.includes(false));
});
