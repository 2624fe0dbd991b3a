// SPDX-License-Identifier: GPL-2.0
import {mkdir, writeFile} from 'node:fs/promises';
import path from 'node:path';
import {git} from '../bisect/repository/git.ts';

/**
 * A tree that is built in a moment: `make` is called as for Linux, and puts files where Linux has them. Its image is the
 * files `image` and `driver`, then the configuration, so that a test can read from it what was built. elfcore.c, to which
 * a quirk applies, is compiled as Linux compiles it: if it is newer than its object.
 */
const makefile = `VERSION = 5
PATCHLEVEL = 10
SUBLEVEL = 0
allnoconfig:
	sed -n 's/^config //p' Kconfig | while read name; do grep "^CONFIG_$$name=" $(KCONFIG_ALLCONFIG) || :; done >$(O)/.config
bzImage: $(O)/elfcore.o
	mkdir -p $(O)/arch/x86/boot $(O)/include/config
	cat image driver $(O)/.config >$(O)/arch/x86/boot/bzImage
	cp /bin/true $(O)/vmlinux
	echo 5.10.0 >$(O)/include/config/kernel.release
modules: bzImage
	@test ! -e broken.c || { echo "$(CURDIR)/broken.c:1:2: error: it is broken"; exit 1; }
$(O)/elfcore.o: kernel/elfcore.c
	cp $< $@
	echo compiled >>$(O)/compilations
`;

/** Contents of files by path; undefined removes a file. */
export type Files = Readonly<Record<string, string | undefined>>;

const first: Files = {
	Makefile: makefile,
	'arch/x86/Makefile': '',
	'kernel/elfcore.c': 'Elf32_Half __weak elf_core_extra_phdrs(void);\n',
	// What is not a plain `config` is known, but not taken.
	Kconfig: 'config OLD\n\tbool "an option"\nmenuconfig REFUSED\n',
	image: 'the first\n',
	driver: 'it works\n',
};

/**
 * Makes a repository with a first commit, and one more for each of `changes`. Returns their hashes in order. The tree is
 * in its directory `place`.
 */
export async function makeTinyLinux(
	directory: string,
	changes: readonly Files[],
	{place = ''}: {place?: string} = {},
): Promise<readonly string[]> {
	await mkdir(directory);
	await git(directory, ['init', '--quiet', '--initial-branch=main']);
	for (const [number, files] of [first, ...changes].entries()) {
		for (const [name, text] of Object.entries(files)) {
			const file = path.join(directory, place, name);
			await mkdir(path.dirname(file), {recursive: true});
			if (text === undefined) await git(directory, ['rm', '--quiet', file]);
			else await writeFile(file, text);
		}
		await git(directory, ['add', '--all']);
		const author = ['-c', 'user.name=Nobody', '-c', 'user.email=nobody@localhost'];
		await git(directory, [...author, 'commit', '--quiet', `--message=change ${number}`]);
	}
	return (await git(directory, ['rev-list', '--reverse', 'main'])).split('\n');
}
