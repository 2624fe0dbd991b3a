import test from 'ava';
import {inspectHost} from './requirements.ts';

const tool = {package: 'tool', program: 'no-such-tool', why: 'tests use it', tests: true};
const needed = {package: 'needed', file: '/proc/self/exe', why: 'everybody uses it'};

for (const [CI, expected] of [
	['', ['needed']],
	['true', ['tool', 'needed']],
] as const) {
	test.serial(`what only tests use is asked for ${CI ? 'in CI' : 'nowhere but in CI'}`, async t => {
		const before = process.env.CI;
		t.teardown(() => {
			if (before === undefined) delete process.env.CI;
			else process.env.CI = before;
		});
		process.env.CI = CI;
		const findings = await inspectHost([tool, needed]);
		t.deepEqual(
			findings.map(finding => finding.package),
			expected,
		);
		t.is(findings.find(finding => finding.package === 'tool')?.found, undefined);
	});
}
