// SPDX-License-Identifier: GPL-2.0
import test from 'ava';
import {compareVersions} from './package-version.ts';

const ascending = [
	['1.0~rc1-1', '1.0-1'],
	['6.1.99-1', '6.1.192-2'],
	['6.1.192-2', '6.1.192-10'],
	['9.9', '1:0.1'],
	['1.0', '1.0-1'],
	['6.12.95-1~bpo12+1', '6.12.95-1'],
	['1.0a', '1.0+b'],
	['1:7.2+dfsg-7+deb12u9', '1:7.2+dfsg-7+deb12u18'],
] as const;

for (const [low, high] of ascending) {
	test(`${low} is older than ${high}`, t => {
		t.true(compareVersions(low, high) < 0);
		t.true(compareVersions(high, low) > 0);
	});
}

test('a version equals itself and its form with zeros', t => {
	t.is(compareVersions('1:2.3-4', '1:2.3-4'), 0);
	t.is(compareVersions('1.02', '1.2'), 0);
});
