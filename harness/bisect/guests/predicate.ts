import assert from 'node:assert/strict';
import {createHash} from 'node:crypto';
import {readFile} from 'node:fs/promises';
import path from 'node:path';
import type {GuestBuild} from '../../build/guest-build.ts';
import {type CaseContext, defineCase} from '../../engine/case.ts';
import {type Cell, planCells} from '../../engine/plan.ts';
import {errorCode, UsageError} from '../../host/errors.ts';
import {allCases} from '../../suites/bprobe/cases/all.ts';
import {bprobe} from '../../suites/bprobe/mechanism-bprobe.ts';

/** What is asked of each candidate. */
export type Predicate = {
	/** For people, after "asked: ". */
	readonly title: string;
	/** Stands for all that decides the answer. */
	readonly identity: string;
	/** Gets it ready for a kernel. */
	open(guestBuild: GuestBuild): Promise<OpenPredicate>;
};

export type OpenPredicate = {
	/** Of what it was made into for that kernel; two kernels alike in all else may differ in it by their headers. */
	readonly fingerprint: string;
} & (
	| {readonly cells: (repeats: number) => readonly Cell[]}
	/** What is wrong can be seen without a guest. */
	| {readonly symptom: string; readonly message: string}
);

/** Of predicates that are the same for all kernels. */
const alwaysTheSame = '';

/** Whether these cells pass. Throws UsageError when a glob matches nothing. */
export function casesPredicate(match: readonly string[]): Predicate {
	const plan = (kernel: string, repeat: number) =>
		planCells({kernels: [kernel], mechanisms: [bprobe], cases: allCases, match, repeat});
	const count = plan('any', 1).length;
	return {
		title: `${match.join(', ')} (${count} ${count === 1 ? 'cell' : 'cells'})`,
		identity: JSON.stringify(['cases', match]),
		open: async ({kernel}) => ({fingerprint: alwaysTheSame, cells: repeats => plan(kernel.id, repeats)}),
	};
}

/** As `git bisect run` has it: cannot be told here. */
const skipStatus = 125;

/** What a program answers in the guest: 0 is good, 125 does not apply, all else is bad. Throws UsageError for no file. */
export async function scriptPredicate(file: string, {deadlineMs}: {deadlineMs: number}): Promise<Predicate> {
	const data = await readScript(file);
	const name = path.basename(file);
	return {
		title: `what ${name} says`,
		identity: JSON.stringify(['script', createHash('sha256').update(data).digest('hex'), deadlineMs]),
		open: async ({kernel}) => ({
			fingerprint: alwaysTheSame,
			cells: repeat =>
				guestCells({kernel: kernel.id, id: 'bisect/script', deadlineMs, repeat}, async context => {
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
		// The shell of a guest would take any text for commands, and what lacks a first line for one of another kind.
		if (data.subarray(0, 2).toString() === '#!' || data.subarray(1, 4).toString() === 'ELF') return data;
		return Buffer.concat([Buffer.from('#!/bin/sh\n'), data]);
	} catch (error) {
		throw new UsageError(`The script ${file} cannot be read: ${errorCode(error)}.`, {cause: error});
	}
}

/** The cells of a case that is no part of the matrix. */
export function guestCells(
	{kernel, id, deadlineMs, repeat}: {kernel: string; id: string; deadlineMs: number; repeat: number},
	run: (context: CaseContext) => Promise<void>,
): readonly Cell[] {
	const definition = defineCase({id, needs: [], deadlineMs, run});
	return planCells({kernels: [kernel], mechanisms: [bprobe], cases: [definition], repeat});
}
