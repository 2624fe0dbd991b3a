// SPDX-License-Identifier: GPL-2.0
import test from 'ava';
import {UsageError} from '../errors.ts';
import {PackageIndex, parseReleaseHashes} from './deb822.ts';
import {closure, newest} from './resolve-dependencies.ts';

const index = new PackageIndex(
	[
		'Package: app\nVersion: 1.0\nPre-Depends: base\nDepends: lib (>= 2) | other, virtual,\n nothing [!amd64],script:any (>= 5)\nFilename: a.deb\nSize: 5\nSHA256: aa',
		'Package: lib\nVersion: 2.0\nFilename: l2.deb\nSHA256: l2',
		'Package: lib\nVersion: 10.0\nDepends: app\nFilename: l10.deb\nSHA256: l10',
		'Package: real\nProvides: more, virtual (= 1)\nVersion: 1\nFilename: r.deb\nSHA256: rr',
		'Package: base\nVersion: 1\nFilename: b.deb\nSHA256: bb',
		'Package: script\nVersion: 5\nFilename: s.deb\nSHA256: ss',
		'Package: nothing\nVersion: 1\nFilename: n.deb\nSHA256: nn',
		'Package: lib-extra\nVersion: 99\nDescription: a line\n Package: lib\nFilename: x.deb\nSHA256: xx',
	].join('\n\n'),
	'http://mirror',
);

test('a package is found by its whole name and its newest version wins', t => {
	t.is(newest([index], 'lib')?.url, 'http://mirror/l10.deb');
	t.is(newest([index], 'li'), undefined);
});

test('names are matched as a whole by a pattern', t => {
	t.deepEqual(
		index.match(/lib(?:-extra)?/).map(({version}) => version),
		['2.0', '10.0', '99'],
	);
	t.deepEqual(index.match(/lib-/), []);
});

test('a closure follows dependencies, alternatives and virtual packages, and survives a circle', t => {
	t.deepEqual(
		closure([index], ['app']).map(({name}) => name),
		['app', 'base', 'lib', 'nothing', 'real', 'script'],
	);
});

test('what is skipped is not followed', t => {
	t.deepEqual(
		closure([index], ['app'], {skip: ['lib', 'virtual', 'nothing', 'script']}).map(({name}) => name),
		['app', 'base'],
	);
});

test('a package nobody has is named', t => {
	t.throws(() => closure([index], ['ghost']), {instanceOf: UsageError, message: /ghost/});
});

test('a release file gives the SHA-256 of each index, not the MD5', t => {
	const hash = 'b'.repeat(64);
	const release = `Origin: Debian\nMD5Sum:\n ${'a'.repeat(32)} 5 main/Packages.xz\nSHA256:\n ${hash} 7 main/Packages.xz\nEnd: yes\n`;
	t.deepEqual([...parseReleaseHashes(release)], [['main/Packages.xz', {sha256: hash, sizeBytes: 7}]]);
});

test('a package nobody has is named with its alternatives', t => {
	t.throws(() => closure([index], ['ghost | spirit (>= 2)']), {
		instanceOf: UsageError,
		message: 'No package ghost or spirit in the Debian archive.',
	});
});

test('an alternative that is chosen already suffices; else it is the first one that there is', t => {
	const some = new PackageIndex(
		[
			'Package: top\nVersion: 1\nDepends: second, first | second, none | third\nFilename: t.deb\nSHA256: tt',
			'Package: first\nVersion: 1\nFilename: 1.deb\nSHA256: 11',
			'Package: second\nVersion: 1\nFilename: 2.deb\nSHA256: 22',
			'Package: third\nVersion: 1\nFilename: 3.deb\nSHA256: 33',
		].join('\n\n'),
		'http://mirror',
	);
	const names = (roots: readonly string[]) => closure([some], roots).map(({name}) => name);
	t.deepEqual(names(['top']), ['second', 'third', 'top']);
	t.deepEqual(names(['first | second']), ['first']);
	t.deepEqual(names(['top', 'top']), ['second', 'third', 'top']);
});

test('the newest package is taken from all indices, and a virtual one from that with the newest provider', t => {
	const other = new PackageIndex(
		[
			'Package: lib\nVersion: 9.9\nFilename: l99.deb\nSHA256: l99',
			'Package: base\nVersion: 2\nFilename: b2.deb\nSHA256: b2',
			'Package: newer\nProvides: virtual\nVersion: 2\nFilename: n2.deb\nSHA256: n2',
			'Package: c++\nProvides: virtual-c++, xvirtualx\nVersion: 9\nFilename: c.deb\nSHA256: cc',
		].join('\n\n'),
		'http://other',
	);
	t.is(newest([index, other], 'lib')?.version, '10.0');
	t.is(newest([other, index], 'base')?.url, 'http://other/b2.deb');
	t.deepEqual(
		closure([index, other], ['virtual']).map(({url}) => url),
		['http://other/n2.deb'],
	);
	t.deepEqual(
		closure([index, other], ['virtual-c++']).map(({name}) => name),
		['c++'],
	);
});
