// SPDX-License-Identifier: GPL-2.0
import {cp, readdir, readFile, rm, writeFile} from 'node:fs/promises';
import path from 'node:path';
import type {GuestContent} from '../../harness/build/guest-content.ts';
import {projectRoot} from '../../harness/build/sources.ts';
import {cacheDirectory} from '../../harness/host/cache.ts';
import {bprobeContent} from '../../harness/suites/bprobe/guest-content.ts';

/** Where guests save the counters; scripts/coverage/kernel/coverage.c must match. */
export const savedIn = 'run/coverage';

const sources = path.join(import.meta.dirname, 'kernel');

/** Anything but a constructor: kernels without CONFIG_CONSTRUCTORS call none. */
const kbuild = `
counted := $(filter-out stubs.o,$(bprobe-y))
bprobe-y := coverage-begin.o $(bprobe-y) coverage.o coverage-end.o
$(foreach o,$(counted),$(eval CFLAGS_$(o) += -fprofile-arcs -ftest-coverage -fprofile-info-section -include $(src)/coverage.h))
`;

/** What is in guests that test bprobe, with a bprobe that counts which of its lines run. */
export async function countingContent(): Promise<GuestContent> {
	// Always the same place, so that objects are built once.
	const module = path.join(cacheDirectory('coverage'), 'kmod');
	await rm(module, {recursive: true, force: true});
	await cp(path.join(projectRoot, 'kmod'), module, {recursive: true});
	for (const file of await readdir(sources)) await cp(path.join(sources, file), path.join(module, file));
	const name = path.join(module, 'Kbuild');
	await writeFile(name, `${await readFile(name, 'utf8')}${kbuild}`);
	const content = bprobeContent({module});
	return {
		...content,
		// objtool may find fault with what the compiler adds.
		modules: content.modules.map(each => (each.name === 'bprobe' ? {...each, isStrict: false} : each)),
		async files(options) {
			// The directory has to be there before the module; a file makes it.
			const mark = {path: `${savedIn}/.made`, source: path.join(sources, 'coverage.h'), mode: 0o644};
			return [...(await content.files(options)), mark];
		},
	};
}
