// SPDX-License-Identifier: GPL-2.0
import type {Edit} from './edits.ts';

export const harnessBuildEdits: readonly Edit[] = [
	{
		name: 'build-id-kept',
		file: 'harness/build/bare-module.ts',
		old: "'--remove-section', '.note.gnu.build-id', ",
		new: '',
		effect: 'Modules that behave the same differ, so a bisect runs each of them.',
		catchers: ['harness/build/bare-module.test.ts'],
	},
	{
		name: 'cpio-not-padded',
		file: 'harness/build/cpio.ts',
		old: 'data, padding(data.length)];',
		new: 'data];',
		effect: 'The kernel finds a broken initramfs, and no guest boots.',
		catchers: ['harness/build/cpio.test.ts'],
	},
	{
		name: 'warning-only-once',
		file: 'harness/build/make.ts',
		old: 'if (!hasWarnings && !isRestart) await rm(mark);',
		new: 'if (!isRestart) await rm(mark);',
		effect:
			'After an incremental build that failed because of warnings, the next run makes nothing anew, sees no warning and accepts the module.',
		catchers: ['harness/build/guest-build.test.ts'],
	},
	{
		name: 'parameters-not-in-identity',
		file: 'harness/build/guest-build.ts',
		old: "const order = modules.map(({name, parameters = ''}) => `${name} ${parameters}`);",
		new: 'const order = modules.map(({name}) => name);',
		effect:
			'After a change of module parameters in the suite, guests are restored from the old snapshot, whose module was inserted with the old ones.',
		catchers: ['harness/build/guest-build.test.ts'],
	},
	{
		name: 'initramfs-of-old-modules',
		file: 'harness/build/initramfs.ts',
		old: '[recipe, parts.kernel.modules, parts.userland, parts.programs]',
		new: '[recipe, parts.userland, parts.programs]',
		effect:
			'After an update of a Debian kernel its guests boot with the cached initramfs, whose drivers are those of the old release, and do not come up.',
		catchers: ['harness/build/initramfs.test.ts'],
	},
	{
		name: 'initramfs-stale',
		file: 'harness/build/initramfs.ts',
		old: "...['images/guest.json', 'images/guest-packages.json'],",
		new: "'images/guest-packages.json',",
		effect:
			'After an edit of the list of drivers in images/guest.json, guests still boot with the old initramfs from the cache.',
		catchers: ['harness/build/initramfs.test.ts'],
	},
	{
		name: 'host-gcc-remembered-for-ever',
		file: 'harness/build/toolchain.ts',
		old: '(memory: {identity: string}) => memory.identity === identity;',
		new: "({identity: of}: {identity: string}) => typeof of === 'string';",
		effect:
			"After the host's gcc was upgraded or downgraded, its old version is still assumed: modules of newer Debian kernels are built by a compiler that is too old and fail, or one is fetched in vain.",
		catchers: ['harness/build/toolchain.test.ts'],
	},
	{
		name: 'initramfs-keeps-old-init',
		file: 'harness/build/initramfs.ts',
		old: '[recipe, parts.kernel.modules, parts.userland, parts.programs]',
		new: '[recipe, parts.kernel.modules, parts.userland]',
		effect: 'Guests go on booting with the init and the base agent of before an edit.',
		catchers: ['harness/build/initramfs.test.ts'],
	},
	{
		name: 'identity-without-modes',
		file: 'harness/build/guest-build.ts',
		old: 'hash.update(`\\0${file.path}\\0${file.mode}\\0`)',
		new: 'hash.update(`\\0${file.path}\\0`)',
		effect:
			'After a chmod of a pushed file (a helper of the tests, a file of the suite), the loaded snapshot with the old mode is still used, so the change has no effect in guests.',
		catchers: ['harness/build/guest-build.test.ts'],
	},
	{
		name: 'toolchain-mounts',
		file: 'harness/build/toolchain.ts',
		old: "...['--ro-bind', cacheRoot(), cacheRoot(), '--bind', directory, directory, '--chdir', directory],",
		new: "...['--bind', directory, directory, '--ro-bind', cacheRoot(), cacheRoot(), '--chdir', directory],",
		effect:
			'The read-only mount of the cache covers the build directory in it: no module can be built for a kernel whose compiler is newer than that of the host ("Read-only file system").',
		catchers: ['harness/build/toolchain.test.ts'],
	},
	{
		name: 'kbuild-commands-errexit',
		file: 'harness/build/kbuild-commands.ts',
		old: "'sh', '-e', '-c', scripts",
		new: "'sh', '-c', scripts",
		effect:
			'In an incremental build of a module of several files, a compiler error in one is followed by modpost, which links the old objects: the build counts as good, and the old module is tested.',
		catchers: ['harness/build/kbuild-commands.test.ts'],
	},
];
