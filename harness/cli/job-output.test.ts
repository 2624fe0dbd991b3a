// SPDX-License-Identifier: GPL-2.0
import test from 'ava';
import {parseRun} from '../results/run/read-run.ts';
import {withWorkflow} from '../test/fake-cli.ts';
import {asText, fakeRun} from '../test/fake-run.ts';
import {forJob} from './job-output.ts';

const failed = parseRun(asText(fakeRun({cells: {'k a/b': 'fail', 'k a/c': 'pass'}})), 'x');
const text = 'a table\n  ::error title=x::a guest said so\n';

test.serial('outside of a GitHub workflow, text is unchanged', t => {
	withWorkflow(undefined, () => t.is(forJob(text, failed), text));
});

test.serial('in a GitHub workflow, guest text cannot inject commands, and failures are annotated', t => {
	withWorkflow('true', () => {
		const [first, ...rest] = forJob(text, failed).trimEnd().split('\n');
		const token = /^::stop-commands::(\S+)$/.exec(first!)![1];
		const end = rest.indexOf(`::${token}::`);
		t.is(rest.slice(0, end).join('\n'), text.trimEnd());
		t.deepEqual(
			rest.slice(end + 1).map(line => line.split('::')[1]),
			['error title=k › a/b%3A fail'],
		);
	});
});
