// SPDX-License-Identifier: GPL-2.0
import assert from 'node:assert/strict';
import type {CaseContext} from '../../engine/case.ts';
import type {TestFile} from './find-tests.ts';
import {parseTap} from './ktap.ts';

/** What kselftest calls the exit status of a test that does not apply. */
const skipStatus = 4;

/** The most of a test's output that is kept as evidence. */
const keptChars = 16_000;

/** Runs one executable in the guest, in the directory of the tests, and judges its exit status and its output. */
export async function runTest({name, interpreter}: TestFile, directory: string, context: CaseContext): Promise<void> {
	const output: Buffer[] = [];
	const all: Buffer[] = [];
	const {code, signal} = await context.stream(`cd '${directory}' && exec ./${name}`, {
		onStdout(chunk) {
			output.push(chunk);
			all.push(chunk);
		},
		onStderr(chunk) {
			all.push(chunk);
		},
	});
	const words = Buffer.concat(all).toString().trimEnd();
	if (words !== '') context.evidence('output', words.slice(-keptChars));
	const tap = parseTap(Buffer.concat(output).toString());
	for (const subtest of tap?.subtests ?? []) context.subtest(subtest);
	const last = words.split('\n').at(-1) ?? '';
	if (signal !== undefined) assert.fail(`${name} was killed by SIG${signal}\n${last}`);
	if (code === skipStatus)
		context.skip(last || `${name} ended with ${skipStatus}, which means that it does not apply.`);
	if (code === 127 && interpreter !== undefined && /not found/.test(words))
		assert.fail(
			`${name} does not start: guests have no ${interpreter}. Write it for /bin/sh, which is busybox, or compile it.`,
		);
	const failed = (tap?.subtests ?? []).filter(({verdict}) => verdict === 'fail').map(each => each.name);
	if (code !== 0)
		assert.fail(`${name} ended with ${code}\n${failed.length > 0 ? `failed: ${failed.join(', ')}` : last}`);
	if (failed.length > 0) assert.fail(`failed: ${failed.join(', ')}`);
	if (tap?.trouble !== undefined) assert.fail(tap.trouble);
}
