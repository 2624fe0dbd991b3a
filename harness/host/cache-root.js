// SPDX-License-Identifier: GPL-2.0
import {existsSync, mkdirSync} from 'node:fs';
import {homedir} from 'node:os';
import path from 'node:path';

/**
 * `$PROBE_MATRIX_CACHE`, `$XDG_CACHE_HOME/probe-matrix` or `~/.cache/probe-matrix`. For why
 * this is JavaScript, see harness/cli/main.js.
 *
 * @returns {string}
 */
export function cacheRoot() {
	const {PROBE_MATRIX_CACHE: own, XDG_CACHE_HOME: xdg} = process.env;
	return path.resolve(own || path.join(xdg || path.join(homedir(), '.cache'), 'probe-matrix'));
}

/**
 * Creates a directory and its parents. mkdir's `recursive` is not used, because Node's never returns below /proc.
 *
 * @param {string} directory
 */
export function makeDirectories(directory) {
	if (existsSync(directory)) return;
	makeDirectories(path.dirname(directory));
	try {
		mkdirSync(directory);
	} catch (error) {
		// Another process created it first.
		if (!existsSync(directory)) throw error;
	}
}
