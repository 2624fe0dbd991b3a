// SPDX-License-Identifier: GPL-2.0
import {accessSync, constants, readFileSync, rmSync, statfsSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import path from 'node:path';
import {cacheDirectory} from './cache.ts';
import {cacheRoot} from './cache-root.js';
import {formatSize} from './disk-space.ts';
import {diskFull, errorCode, messageOf, UsageError} from './errors.ts';

/** What make takes apart in the path of a directory. */
const unfit = /[\s:;#$%&|\\'"`]/;

/** QEMU maps the guest's memory and a translation cache of a gigabyte; a link of vmlinux takes two. */
const leastAddressSpace = 8 * 2 ** 30;
const leastFileSize = 2 * 2 ** 30;
/** A run with four guests has about 150 descriptors open. */
const leastOpenFiles = 256;
/** Modules without debug information, sockets and consoles of guests. */
const leastTemporary = 32 * 2 ** 20;

export type Place = {
	readonly cache?: string;
	readonly temporary?: string;
	/** The content of /proc/self/limits. */
	readonly limits?: string;
};

/** Why builds or guests would fail halfway on this host: sentences, none where all is well. */
export function problemsOfPlace({
	cache = cacheRoot(),
	temporary = tmpdir(),
	limits = readLimits(),
}: Place = {}): readonly string[] {
	return [...problemsOfCache(cache), ...problemsOfTemporary(temporary), ...problemsOfLimits(limits)];
}

/** Throws UsageError with the first problem. */
export function requireFitPlace(place?: Place): void {
	cacheDirectory();
	const [first] = problemsOfPlace(place);
	if (first !== undefined) throw new UsageError(first);
}

/** Throws UsageError for a directory in whose path make finds something else. */
export function requireFitPath(directory: string, what: string): void {
	const [sign] = unfit.exec(directory) ?? [];
	if (sign === undefined) return;
	throw new UsageError(`${what} ${directory} has ${nameOf(sign)} in its path, and make cannot build there; move it.`);
}

function problemsOfCache(cache: string): readonly string[] {
	const other = 'set PROBE_MATRIX_CACHE to another directory';
	const [sign] = unfit.exec(cache) ?? [];
	if (sign !== undefined) {
		return [`The cache ${cache} has ${nameOf(sign)} in its path, and make cannot build there; ${other}.`];
	}
	const program = path.join(cache, `.runs-${process.pid}`);
	try {
		writeFileSync(program, '#!/bin/sh\n', {mode: 0o755});
		accessSync(program, constants.X_OK);
		return [];
	} catch (error) {
		if (errorCode(error) === 'ENOSPC') return [diskFull(cache, error).message];
		if (errorCode(error) !== 'EACCES') return [`The cache ${cache} cannot be used (${messageOf(error)}); ${other}.`];
		return [`The cache ${cache} is on a mount with noexec, but the tools of builds run from there; ${other}.`];
	} finally {
		rmSync(program, {force: true});
	}
}

function problemsOfTemporary(temporary: string): readonly string[] {
	try {
		accessSync(temporary, constants.W_OK | constants.X_OK);
		const {bavail, bsize} = statfsSync(temporary);
		if (bavail * bsize >= leastTemporary) return [];
		return [
			`${temporary} has ${formatSize(bavail * bsize)} free, but ${formatSize(leastTemporary)} are needed; free some, or set TMPDIR.`,
		];
	} catch (error) {
		return [`Temporary files cannot be made in ${temporary} (${messageOf(error)}); set TMPDIR to another directory.`];
	}
}

function problemsOfLimits(limits: string): readonly string[] {
	// Node raises the soft limit of open files by itself.
	const rows = [
		['Max open files', 'hard', leastOpenFiles, 'ulimit -n', String],
		['Max address space', 'soft', leastAddressSpace, 'ulimit -v', formatSize],
		['Max file size', 'soft', leastFileSize, 'ulimit -f', formatSize],
	] as const;
	return rows.flatMap(([name, kind, least, command, format]) => {
		const [, soft, hard] = new RegExp(String.raw`^${name} +(\S+) +(\S+)`, 'm').exec(limits) ?? [];
		// Unlimited is no number.
		const limit = Number(kind === 'hard' ? hard : soft);
		if (!(limit < least)) return [];
		return [
			`The limit "${name.slice(4)}" is ${format(limit)}, but at least ${format(least)} are needed; raise it (\`${command}\`).`,
		];
	});
}

function readLimits(): string {
	try {
		return readFileSync('/proc/self/limits', 'utf8');
	} catch {
		return '';
	}
}

function nameOf(sign: string): string {
	return sign === ' ' ? 'a space' : sign === ':' ? 'a colon' : `the character ${JSON.stringify(sign)}`;
}
