import {existsSync, mkdirSync} from 'node:fs';
import {homedir} from 'node:os';
import path from 'node:path';

/**
 * `$PROBE_MATRIX_CACHE`, `$XDG_CACHE_HOME/probe-matrix` or `~/.cache/probe-matrix`. JavaScript for the reason that
 * harness/cli/main.js gives.
 *
 * @returns {string}
 */
export function cacheRoot() {
	const {PROBE_MATRIX_CACHE: own, XDG_CACHE_HOME: xdg} = process.env;
	return path.resolve(own || path.join(xdg || path.join(homedir(), '.cache'), 'probe-matrix'));
}

/**
 * Not mkdir's own `recursive`: below /proc, Node's tries for ever.
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
