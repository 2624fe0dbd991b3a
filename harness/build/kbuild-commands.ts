// SPDX-License-Identifier: GPL-2.0
import {existsSync} from 'node:fs';
import {chmod, readdir, writeFile} from 'node:fs/promises';
import path from 'node:path';
import type {Command} from './make.ts';
import {emptyDirectory} from './sources.ts';

/** In the build directory: the recorded commands of the last full build. */
const recordedName = '.recorded';
const recorderName = '.recorder';

/**
 * Stands in for make when kbuild calls itself. Before kbuild looks at a module, it runs the compiler some hundred times
 * to probe its options, which takes longer than compiling one file. It passes the results on in the environment of the
 * makes that it calls. So those calls are recorded, each as a script that repeats it.
 */
const recorder = `#!/bin/sh
quoted() { printf "%s" "$1" | sed "s/'/'\\\\\\\\''/g; 1s/^/'/; \\$s/\\$/'/"; }
case " $* " in
*scripts/Makefile.*)
	if [ -z "$PROBE_MATRIX_RECORDED" ]; then
		export PROBE_MATRIX_RECORDED=1
		{
			export -p
			# No job server is there any more.
			echo 'MAKEFLAGS=$(printf "%s" "$MAKEFLAGS" | sed "s/ *-j[0-9]*//; s/ *--jobserver-[a-z]*=[^ ]*//")'
			echo "cd $(quoted "$(pwd)") || exit"
			printf 'exec make -j2'
			for argument; do printf ' %s' "$(quoted "$argument")"; done
			echo
		} >"\${0%/*}/${recordedName}/$(date +%s%N)"
	fi
esac
exec make "$@"
`;

/** How make is called for one directory of modules. */
type KbuildOptions = {
	/** The build directory; the modules' directory is below it. */
	readonly directory: string;
	/** The command up to and including `make`. */
	readonly make: Command;
	readonly args: readonly string[];
	readonly isRestart: boolean;
};

/** The commands that build the modules below `directory`: kbuild as a whole the first time, then the recorded calls. */
export async function kbuildCommands(options: KbuildOptions): Promise<readonly Command[]> {
	const {directory, make, args, isRestart} = options;
	const recorded = path.join(directory, recordedName);
	const recorderFile = path.join(directory, recorderName);
	if (!isRestart && existsSync(recorded)) {
		const scripts = (await readdir(recorded)).toSorted().map(name => path.join(recorded, name));
		if (scripts.length > 0)
			return [[...make.slice(0, -1), 'sh', '-e', '-c', scripts.map(each => `sh ${each}`).join('\n')]];
	}
	emptyDirectory(recorded);
	await writeFile(recorderFile, recorder);
	await chmod(recorderFile, 0o700);
	return [[...make, '--no-print-directory', '-j2', ...args, `MAKE=${recorderFile}`]];
}
