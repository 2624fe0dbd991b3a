// SPDX-License-Identifier: GPL-2.0
import {existsSync} from 'node:fs';
import {cp, mkdtempDisposable, writeFile} from 'node:fs/promises';
import path from 'node:path';
import {BuildError} from '../host/errors.ts';
import {programs} from '../host/programs.ts';

// The same selection as in the kernel's scripts/package for header packages.
const fromSource = ['Makefile', 'Kbuild', 'include', 'scripts', 'arch/x86/include', 'ubuntu/include'];
const fromBuild = [
	'.config',
	'Module.symvers',
	'System.map',
	'include',
	'scripts',
	'arch/x86/include/generated',
	'arch/x86/module.lds',
	'tools/objtool/objtool',
];
const makefiles = ['Makefile', 'Makefile.um', 'Makefile_32.cpu', 'Makefile.cpu', 'Makefile.postlink', 'Kbuild'];

/**
 * Collects what modules are built against, sources and products, in one tree. Its paths are relative, so it may be
 * moved.
 */
export async function assembleModuleTree(source: string, build: string, to: string): Promise<void> {
	for (const part of [...fromSource, ...makefiles.map(name => `arch/x86/${name}`)]) await copy(source, part, to);
	for (const part of fromBuild) await copy(build, part, to);
}

async function copy(from: string, part: string, to: string): Promise<void> {
	if (!existsSync(path.join(from, part))) return;
	await cp(path.join(from, part), path.join(to, part), {
		recursive: true,
		force: true,
		verbatimSymlinks: true,
		// dtc is not needed on x86, and its links lead out of the tree.
		filter: file => !/\.(?:o|cmd|d)$|\/scripts\/dtc$|\/source$/.test(file),
	});
}

const proof = `#include <linux/module.h>
static int __init proof_init(void) { pr_info("proof\\n"); return 0; }
static void __exit proof_exit(void) { }
module_init(proof_init);
module_exit(proof_exit);
MODULE_LICENSE("GPL");
`;

/** Builds a module against the tree. Throws BuildError when that fails. */
export async function proveModuleTree(
	tree: string,
	{scratch, args, signal}: {scratch: string; args: readonly string[]; signal?: AbortSignal},
): Promise<void> {
	await using directory = await mkdtempDisposable(path.join(scratch, 'proof-'));
	await writeFile(path.join(directory.path, 'proof.c'), proof);
	await writeFile(path.join(directory.path, 'Makefile'), 'obj-m := proof.o\n');
	const {failed, all} = await programs()('make', ['-C', tree, `M=${directory.path}`, ...args, 'modules'], {
		all: true,
		reject: false,
		cancelSignal: signal,
	});
	signal?.throwIfAborted();
	if (failed || !existsSync(path.join(directory.path, 'proof.ko'))) {
		throw new BuildError(`No module can be built against ${tree}:\n${all.trim().split('\n').slice(-30).join('\n')}`);
	}
}
