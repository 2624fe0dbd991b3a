import test from 'ava';
import {inspectHost} from './requirements.ts';

const tool = {package: 'tool', program: 'no-such-tool', why: 'tests use it', tests: true};
const needed = {package: 'needed', file: '/proc/self/exe', why: 'everybody uses it'};

for (const [hasTests, expected] of [
	[false, [{...needed, found: '/proc/self/exe'}]],
	[
		true,
		[
			{...tool, found: undefined},
			{...needed, found: '/proc/self/exe'},
		],
	],
] as const) {
	test(`what only tests use is ${hasTests ? 'looked for where tests run' : 'not asked of others'}`, async t => {
		t.deepEqual(await inspectHost({hasTests, requirements: [tool, needed]}), expected);
	});
}
