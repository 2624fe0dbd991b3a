// SPDX-License-Identifier: GPL-2.0
import {existsSync, readFileSync} from 'node:fs';
import path from 'node:path';
import {UsageError} from '../../host/errors.ts';

export type TestSettings = {
	/** Time for one test on an idle host. */
	readonly timeoutMs: number;
	/** Tests may run in a guest that others have used. */
	readonly isShared: boolean;
};

/** As in tools/testing/selftests/kselftest/runner.sh of Linux. */
const usualTimeoutS = 45;

/** A test without a limit still must not block a run for ever. */
const noTimeoutS = 24 * 60 * 60;

/**
 * Reads the file `settings` of a directory of tests: lines `NAME=VALUE`, with `timeout` in seconds as kselftest has it
 * (0 is no limit) and `share=yes`. Throws UsageError for a value that is wrong.
 */
export function readSettings(directory: string): TestSettings {
	const file = path.join(directory, 'settings');
	const settings = {timeoutMs: usualTimeoutS * 1000, isShared: false};
	if (!existsSync(file)) return settings;
	for (const line of readFileSync(file, 'utf8').split('\n')) {
		const [, name, value] = /^\s*(\w+)\s*=\s*(\S+)\s*$/.exec(line.replace(/#.*/, '')) ?? [];
		if (name === 'timeout') {
			if (!/^\d+$/.test(value!)) throw new UsageError(`${file}: timeout must be a number of seconds, not ${value}.`);
			settings.timeoutMs = (Number(value) || noTimeoutS) * 1000;
		} else if (name === 'share') {
			if (value !== 'yes' && value !== 'no') throw new UsageError(`${file}: share must be yes or no, not ${value}.`);
			settings.isShared = value === 'yes';
		} else if (line.replace(/#.*/, '').trim() !== '') {
			throw new UsageError(`${file}: "${line.trim()}" is neither timeout=SECONDS nor share=yes.`);
		}
	}
	return settings;
}
