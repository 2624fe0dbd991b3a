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
 * The executables of a directory: its cases, in the order of their names. Throws UsageError if there are none, if one
 * has a name that cannot be that of a case, or if a script is not executable and seems to be a test.
 */
export function findTests(directory: string): readonly TestFile[] {
	const files = readDirectory(directory).filter(name => statSync(path.join(directory, name)).isFile());
	const isExecutable = (name: string) => (statSync(path.join(directory, name)).mode & 0o111) !== 0;
	const executables = files.filter(isExecutable).toSorted();
	const forgotten = files.find(name => !isExecutable(name) && isUnusedScript(name, directory, files));
	if (forgotten !== undefined)
		throw new UsageError(
			`${path.join(directory, forgotten)} is a script, but not executable: chmod +x it, or take its first line away if it is no test.`,
		);
	if (executables.length === 0) throw new UsageError(`${directory} holds no tests: no file in it is executable.`);
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

/** A script that another one of the directory names is part of that one. */
function isUnusedScript(name: string, directory: string, files: readonly string[]): boolean {
	const isScript = (each: string) => readHead(path.join(directory, each)).startsWith('#!');
	if (!isScript(name)) return false;
	const stem = path.parse(name).name;
	return !files.some(
		each => each !== name && isScript(each) && readFileSync(path.join(directory, each), 'utf8').includes(stem),
	);
}

function readHead(file: string): string {
	return readFileSync(file).subarray(0, 256).toString('latin1').split('\n', 1)[0]!;
}
