// SPDX-License-Identifier: GPL-2.0
import test from 'ava';
import {inspectHost} from './requirements.ts';

const tool = {package: 'tool', program: 'no-such-tool', why: 'tests use it', tests: true};
const needed = {package: 'needed', file: '/proc/self/exe', why: 'everybody uses it'};

for (const [includeTestTools, expected] of [
	[false, [{...needed, found: '/proc/self/exe'}]],
	[
		true,
		[
			{...tool, found: undefined},
			{...needed, found: '/proc/self/exe'},
		],
	],
] as const) {
	test(`tools that only tests use are ${includeTestTools ? 'looked for where tests run' : 'not asked of others'}`, async t => {
		t.deepEqual(await inspectHost({includeTestTools, requirements: [tool, needed]}), expected);
	});
}
