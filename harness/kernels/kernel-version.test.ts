// SPDX-License-Identifier: GPL-2.0
import test from 'ava';
import {compareReleases, isRelease, releaseName} from './kernel-version.ts';

const ascending = [
	'3.2',
	'4.9.337',
	'4.15-rc1',
	'4.15-rc10',
	'4.15',
	'4.15.1',
	'4.15.18',
	'4.16-rc1',
	'5.0-rc1',
	'5.0',
	'10.0',
];

test('releases are in the order of their numbers; candidates come before their release', t => {
	for (const [low, a] of ascending.entries())
		for (const [high, b] of ascending.entries())
			t.is(Math.sign(compareReleases(a, b)), Math.sign(low - high), `${a} ${b}`);
});

test('a release equals itself with a zero, and with what a distribution adds', t => {
	for (const [a, b] of [
		['4.15', '4.15.0'],
		['5.0-rc1', '5.0-rc1+'],
		['6.1.192', '6.1.192-cloud-amd64'],
		['4.15', '4.15.0-72-generic'],
	] as const)
		t.is(compareReleases(a, b), 0, `${a} ${b}`);
});

test('releases of kernel.org have two or three numbers, or are candidates', t => {
	for (const text of ['4.15', '4.15.18', '4.4.302', '3.16.1000', '5.0-rc1', '6.12-rc10', '10.0'])
		t.true(isRelease(text), text);
	for (const text of [
		...[
			'',
			'4',
			'4.',
			'4.15.',
			'4.15.18.1',
			'v4.15',
			' 4.15',
			'4.15 ',
			'4.15-rc',
			'4.15-rc1x',
			'4.15-rc123',
			'4.15.18-',
		],
		...['4.15.0-72-generic', '123.4', '4.1234', '4.15.12345', '4.15\n'],
	])
		t.false(isRelease(text), JSON.stringify(text));
});

test('the name of a release at kernel.org has no zero at its end', t => {
	for (const [version, name] of [
		['4.15.0', '4.15'],
		['4.15.0-rc1', '4.15-rc1'],
		['4.15.10', '4.15.10'],
		['4.15.01', '4.15.01'],
		['4.0', '4.0'],
		['4.0.0', '4.0'],
		['4.15.18', '4.15.18'],
	] as const)
		t.is(releaseName(version), name);
});
