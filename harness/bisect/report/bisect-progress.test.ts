// SPDX-License-Identifier: GPL-2.0
import test from 'ava';
import type {Step} from '../engine/journal.ts';
import {sayVerification} from './bisect-progress.ts';

const step: Step = {
	type: 'step',
	stage: 'commits',
	role: 'parent',
	candidate: {id: 'abc', title: 'abc: a commit'},
	verdict: 'skip',
	failed: 0,
	asked: 0,
	reason: 'It did not boot; the end of its console:\n::error::a guest said so',
	prepareMs: 0,
	ms: 0,
};

/** What `work` writes to standard error, inside a GitHub workflow if `workflow` is 'true'. */
function said(workflow: string, work: () => void): string {
	const before = process.env.GITHUB_ACTIONS;
	const {write} = process.stderr;
	let text = '';
	process.env.GITHUB_ACTIONS = workflow;
	process.stderr.write = (chunk: string | Uint8Array) => {
		text += String(chunk);
		return true;
	};
	try {
		work();
	} finally {
		process.stderr.write = write;
		if (before === undefined) delete process.env.GITHUB_ACTIONS;
		else process.env.GITHUB_ACTIONS = before;
	}
	return text;
}

test.serial('console text of a guest cannot inject GitHub workflow commands', t => {
	const plain = said('', () => sayVerification(step));
	t.regex(plain, /^probe-matrix: parent abc: a commit: skip, It did not boot.*:\n::error::a guest said so, 0 s\n$/);
	const [first, ...rest] = said('true', () => sayVerification(step))
		.trimEnd()
		.split('\n');
	const [, token] = /^::stop-commands::(\S+)$/.exec(first!) ?? [];
	t.is(rest.pop(), `::${token}::`);
	t.is(`${rest.join('\n')}\n`, plain);
});
