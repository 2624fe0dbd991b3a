// SPDX-License-Identifier: GPL-2.0
import {readFileSync} from 'node:fs';
import {readFile} from 'node:fs/promises';
import {BuildError, messageOf, UsageError} from '../host/errors.ts';
import {lostOptions, type Options, parseOptions} from './kconfig.ts';

/** Options that a suite needs in all of its kernels: those that are built here get them, others must have them. */
export type Fragment = {
	/** For messages. */
	readonly file: string;
	readonly options: Options;
};

/** Throws UsageError if the file cannot be read, or has a line that is no option. */
export function readFragment(file: string): Fragment {
	try {
		return {file, options: parseOptions(readFileSync(file, 'utf8'), file)};
	} catch (error) {
		if (error instanceof UsageError) throw error;
		throw new UsageError(`The kconfig fragment cannot be read: ${messageOf(error)}`, {cause: error});
	}
}

/** Throws BuildError, with the options that are missing, unless the .config has all of them. */
export async function requireOptions(name: string, config: string, {file, options}: Fragment): Promise<void> {
	const lost = lostOptions(options, parseOptions(await readFile(config, 'utf8'), config), () => true);
	if (lost.length > 0) throw new BuildError(`${name} does not have ${lost.join(', ')}, as ${file} asks.`);
}
