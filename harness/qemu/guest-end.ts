// SPDX-License-Identifier: GPL-2.0
import {readFile} from 'node:fs/promises';
import path from 'node:path';
import {setTimeout as sleep} from 'node:timers/promises';
import {isTripleFault} from '../crash/triple-fault.ts';
import {freeBytesOf} from '../host/disk-space.ts';
import {diskFull, LinkLostError} from '../host/errors.ts';
import type {Machine} from './qemu-arguments.ts';
import type {QemuEnd, QemuProcess} from './qemu-process.ts';

/** `crash`: the guest reset or powered off; `infra`: QEMU was killed or failed. */
export type VmEnd = {readonly verdict: 'crash' | 'infra'; readonly message: string; readonly isDiskFull?: true};

/** Evidence of how a guest ended: the reason in QEMU's SHUTDOWN event, its reset log, and whether a disk was full. */
export type EndTraces = {
	readonly shutdownReason?: string;
	readonly log: string;
	/** The file that the guest's memory is written to, if no space is left for it. */
	readonly fullFile?: string;
};

/** How long the end of QEMU may take to be known after a connection to it was lost. */
const endMs = 2000;

/** A lost connection is a symptom; the end of QEMU is the reason, but is known a moment later. */
export async function endBehind(error: unknown, ended: Promise<VmEnd>): Promise<VmEnd | undefined> {
	if (!(error instanceof LinkLostError)) return undefined;
	return Promise.race([ended, sleep(endMs, undefined, {ref: false})]);
}

/** With less, a disk is full: file systems keep some blocks for themselves. */
const leastFreeBytes = 2 ** 20;

/** Resolves when QEMU has ended for whatever reason; never rejects. */
export async function endOf(
	process: Pick<QemuProcess, 'ended'>,
	{
		memory,
		resetLog,
		shutdownReason = () => undefined,
	}: {memory: Machine['memory'] | undefined; resetLog: string; shutdownReason?: () => string | undefined},
): Promise<VmEnd> {
	const end = await process.ended;
	const log = await readFile(resetLog, 'latin1').catch(() => '');
	const reason = shutdownReason();
	const written = memory?.use === 'written' ? memory.file : undefined;
	// A directory that is gone says nothing.
	const freeBytes = written === undefined ? undefined : await freeBytesOf(path.dirname(written)).catch(() => undefined);
	return describeEnd(end, {
		log,
		...(reason !== undefined && {shutdownReason: reason}),
		...(written !== undefined && freeBytes !== undefined && freeBytes < leastFreeBytes && {fullFile: written}),
	});
}

/**
 * The verdict on a guest whose QEMU has ended, the reason first. Guests run with `-no-reboot`, so a reset ends QEMU like
 * a power-off.
 */
export function describeEnd({code, signal, stderr}: QemuEnd, {shutdownReason, log, fullFile}: EndTraces): VmEnd {
	if (shutdownReason === 'guest-reset') {
		const how = isTripleFault(log) ? 'died of a triple fault' : 'reset itself';
		return {verdict: 'crash', message: `The guest ${how}.`};
	}
	if (shutdownReason === 'guest-shutdown') return {verdict: 'crash', message: 'The guest powered off.'};
	const how = howEnded({code, signal, stderr}, shutdownReason);
	// The host's kernel kills whoever writes to a page that has no room on the disk.
	if (signal === 'SIGBUS' && fullFile !== undefined)
		return {verdict: 'infra', message: `${diskFull(fullFile, undefined).message} ${how}`, isDiskFull: true};
	return {verdict: 'infra', message: how};
}

function howEnded({code, signal, stderr}: QemuEnd, shutdownReason: string | undefined): string {
	const said = lastWords(stderr);
	const how =
		shutdownReason === 'host-signal'
			? 'was terminated by a signal'
			: signal === undefined
				? `exited with ${code ?? 'no code'}`
				: `was killed by ${signal}`;
	return said === '' ? `QEMU ${how}.` : `QEMU ${how}: ${said}`;
}

/** What QEMU said, warnings last: a reader of the first line wants the error. */
function lastWords(stderr: string): string {
	const lines = stderr.trim().split('\n');
	const [errors, warnings] = [false, true].map(isWarning =>
		lines.filter(each => /\bwarning:/.test(each) === isWarning),
	);
	return [...errors!, ...warnings!].join('\n');
}
