import {existsSync} from 'node:fs';
import {chmod, readdir, writeFile} from 'node:fs/promises';
import path from 'node:path';
import type {Command} from './make.ts';
import {emptyDirectory} from './sources.ts';

/** Where the commands of the last build from nothing are, in the directory of the build. */
const recordedName = '.recorded';
const recorderName = '.recorder';

/**
 * Takes the place of make for kbuild's own calls. kbuild asks the compiler some hundred predicates before it looks at a
 * module, which takes longer than to compile one file of it; the answers lie in the environment of the makes that it
 * calls then. So those calls are written down, each as a script that makes it again.
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
	/** Where it is built; holds the modules' directory. */
	readonly directory: string;
	/** As far as `make`, that included. */
	readonly make: Command;
	readonly args: readonly string[];
	readonly isRestart: boolean;
};

/**
 * What builds the modules below `directory`: kbuild as a whole the first time, then what it called.
 */
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
