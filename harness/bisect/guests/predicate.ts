// SPDX-License-Identifier: GPL-2.0
import assert from 'node:assert/strict';
import {createHash} from 'node:crypto';
import {readFile} from 'node:fs/promises';
import path from 'node:path';
import type {GuestBuild} from '../../build/guest-build.ts';
import {hashPlaces} from '../../build/sources.ts';
import {type CaseContext, defineCase} from '../../engine/case.ts';
import {type Cell, planCells} from '../../engine/plan.ts';
import type {Suite} from '../../engine/suite.ts';
import {errorCode, UsageError} from '../../host/errors.ts';
import {counted} from '../../results/run/counted.ts';

/** The test that decides whether a candidate is good or bad. */
export type Predicate = {
	/** What is in the guests, and whose cases are asked. */
	readonly suite: Suite;
	/** For display, after "Tested: ". */
	readonly title: string;
	/** Covers everything that decides the answer; part of the journal's name. */
	readonly identity: string;
	/** Prepares the predicate for one kernel. */
	open(guestBuild: GuestBuild): Promise<OpenPredicate>;
};

export type OpenPredicate = {
	/** Of what was built for this kernel. Two kernels can differ in it alone, because their headers differ. */
	readonly fingerprint: string;
} & (
	| {readonly cells: (repeats: number) => readonly Cell[]}
	/** The candidate fails without a guest being booted. */
	| {readonly symptom: string; readonly message: string}
);

/** Fingerprint of predicates that do not depend on the kernel. */
const alwaysTheSame = '';

/**
 * Passes when all cells of these mechanisms pass that match these globs, also where a failing is known. Throws UsageError
 * when a glob matches nothing.
 */
export async function casesPredicate(
	asked: Suite,
	match: readonly string[],
	mechanisms: readonly string[] = [],
): Promise<Predicate> {
	const {knownFailing: _, ...suite} = asked;
	const cases = await suite.cases();
	const plan = (kernel: string, repeat: number) =>
		planCells({kernels: [kernel], suite, cases, match, mechanisms, repeat});
	const count = plan('any', 1).length;
	const by = mechanisms.length > 0 ? ` by ${mechanisms.join(', ')}` : '';
	return {
		suite,
		title: `${match.join(', ')}${by} (${counted(count, 'cell')})`,
		identity: JSON.stringify(['cases', identityOf(suite), match, ...mechanisms]),
		open: async ({kernel}) => ({fingerprint: alwaysTheSame, cells: repeats => plan(kernel.id, repeats)}),
	};
}

/** Answers of before must not count when the module, its tests or anything else in the guests is another one. */
function identityOf({name, sources}: Suite): readonly string[] {
	return [name, hashPlaces(sources)];
}

/** Same meaning as in `git bisect run`: this candidate cannot be tested. */
const skipStatus = 125;

/**
 * Runs a program in the guest: exit 0 is good, 125 skips, anything else is bad. Throws UsageError when it cannot be
 * read.
 */
export async function scriptPredicate(
	suite: Suite,
	file: string,
	{deadlineMs}: {deadlineMs: number},
): Promise<Predicate> {
	const data = await readScript(file);
	const name = path.basename(file);
	return {
		suite,
		title: `the exit status of ${name}`,
		identity: JSON.stringify([
			'script',
			identityOf(suite),
			createHash('sha256').update(data).digest('hex'),
			deadlineMs,
		]),
		open: async ({kernel}) => ({
			fingerprint: alwaysTheSame,
			cells: repeat =>
				guestCells({suite, kernel: kernel.id, id: 'bisect/script', deadlineMs, repeat}, async context => {
					await context.push({path: 'predicate', data, mode: 0o755});
					const {code, stdout, stderr} = await context.exec('cd /root && exec ./predicate');
					const words = `${stdout}\n${stderr}`.trim().split('\n').at(-1)!;
					context.evidence('output', `${stdout}${stderr}`.slice(-4000));
					if (code === skipStatus) context.skip(`${name} ended with ${code}: ${words}`);
					assert.equal(code, 0, `${name} ended with ${code}\n${words}`);
				}),
		}),
	};
}

async function readScript(file: string): Promise<Buffer> {
	try {
		const data = await readFile(file);
		// Shells differ in how they run a file without a shebang, so name the interpreter.
		if (data.subarray(0, 2).toString() === '#!' || data.subarray(1, 4).toString() === 'ELF') return data;
		return Buffer.concat([Buffer.from('#!/bin/sh\n'), data]);
	} catch (error) {
		throw new UsageError(`The script ${file} cannot be read: ${errorCode(error)}.`, {cause: error});
	}
}

/** Cells of a case that is not part of the matrix. */
export function guestCells(
	{
		suite,
		kernel,
		id,
		deadlineMs,
		repeat,
	}: {suite: Suite; kernel: string; id: string; deadlineMs: number; repeat: number},
	run: (context: CaseContext) => Promise<void>,
): readonly Cell[] {
	const definition = defineCase({id, deadlineMs, run});
	return planCells({kernels: [kernel], suite, cases: [definition], repeat});
}
