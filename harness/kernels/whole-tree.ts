// SPDX-License-Identifier: GPL-2.0
import {existsSync} from 'node:fs';
import path from 'node:path';
import {UsageError} from '../host/errors.ts';
import type {SourceTree} from './source-tree.ts';

/** Files from all parts of a tree that every build of every release needs. */
export const essentials = [
	'Kbuild',
	'Kconfig',
	'arch/x86/Kconfig',
	'arch/x86/boot/Makefile',
	'arch/x86/entry/entry_64.S',
	'arch/x86/kernel/vmlinux.lds.S',
	'block/Makefile',
	'crypto/Makefile',
	'drivers/Makefile',
	'fs/Makefile',
	'include/linux/kernel.h',
	'include/uapi/linux/types.h',
	'init/main.c',
	'ipc/Makefile',
	'kernel/Makefile',
	'lib/Makefile',
	'mm/Makefile',
	'net/Makefile',
	'scripts/Makefile.build',
	'scripts/Makefile.clean',
	'scripts/kconfig/Makefile',
	'scripts/mod/Makefile',
	'security/Makefile',
	'tools/build/Makefile.build',
	'tools/objtool/Makefile',
	'usr/Makefile',
] as const;

/** Throws UsageError if essential files are missing; otherwise make would fail in the middle of a build. */
export function requireWholeTree({directory, version}: SourceTree): void {
	const missing = essentials.filter(file => !existsSync(path.join(directory, file)));
	if (missing.length === 0) return;
	const [first] = missing;
	const others = missing.length > 1 ? ` and ${missing.length - 1} more` : '';
	throw new UsageError(
		`${directory} is not a whole tree of Linux ${version}: it has no ${first}${others} of the files that every build needs. Unpack or check it out again.`,
	);
}
