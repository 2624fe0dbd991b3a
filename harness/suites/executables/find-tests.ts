// SPDX-License-Identifier: GPL-2.0
import {readdirSync, readFileSync, statSync} from 'node:fs';
import path from 'node:path';
import {UsageError} from '../../host/errors.ts';

/** An executable file of a directory of tests. */
export type TestFile = {
	/** Its name in the directory. */
	readonly name: string;
	/** The interpreter that its first line names, if it is a script. */
	readonly interpreter?: string;
};

/**
 * The executables of a directory: its cases, in the order of their names. Throws UsageError if there are none, or if
 * one has a name that cannot be that of a case.
 */
export function findTests(directory: string): readonly TestFile[] {
	const files = readDirectory(directory).filter(name => statSync(path.join(directory, name)).isFile());
	const isExecutable = (name: string) => (statSync(path.join(directory, name)).mode & 0o111) !== 0;
	const executables = files.filter(isExecutable).toSorted();
	if (executables.length === 0) {
		const script = files.find(name => readHead(path.join(directory, name)).startsWith('#!'));
		const hint = script === undefined ? '' : ` ${script} is a script, but not executable: chmod +x it.`;
		throw new UsageError(`${directory} holds no tests: no file in it is executable.${hint}`);
	}
	return executables.map(name => {
		if (!/^[\w+][\w.+-]*$/.test(name))
			throw new UsageError(
				`${path.join(directory, name)} cannot be the name of a case: use only letters, digits and ._+- in it.`,
			);
		const interpreter = /^#! *(\S+)/.exec(readHead(path.join(directory, name)))?.[1];
		return {name, ...(interpreter !== undefined && {interpreter})};
	});
}

function readDirectory(directory: string): readonly string[] {
	try {
		return readdirSync(directory).filter(
			name => !name.startsWith('.') && statSync(path.join(directory, name), {throwIfNoEntry: false}),
		);
	} catch {
		throw new UsageError(`${directory} is not a directory of tests: it cannot be read.`);
	}
}

function readHead(file: string): string {
	return readFileSync(file).subarray(0, 256).toString('latin1').split('\n', 1)[0]!;
}
