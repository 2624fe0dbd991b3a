// SPDX-License-Identifier: GPL-2.0
import {cp, readdir, readFile, rm, writeFile} from 'node:fs/promises';
import path from 'node:path';
import type {GuestContent} from '../../harness/build/guest-content.ts';
import {hashPlaces, projectRoot} from '../../harness/build/sources.ts';
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
	// Always the same place: its path is in the counters.
	const module = path.join(cacheDirectory('coverage'), 'kmod');
	await rm(module, {recursive: true, force: true});
	await cp(path.join(projectRoot, 'kmod'), module, {recursive: true});
	for (const file of await readdir(sources)) await cp(path.join(sources, file), path.join(module, file));
	const name = path.join(module, 'Kbuild');
	await writeFile(name, `${await readFile(name, 'utf8')}${kbuild}`);
	const content = bprobeContent({module});
	// The compiler's notes lie beside the objects. A module of earlier sources, taken from the cache, would meet the notes
	// of later ones if both were built in one directory.
	const make = [`COVERAGE_OF=${hashPlaces([module])}`];
	return {
		...content,
		// objtool may find fault with what the compiler adds.
		modules: content.modules.map(each => (each.name === 'bprobe' ? {...each, isStrict: false, make} : each)),
		async files(options) {
			// The directory has to be there before the module; a file makes it.
			const mark = {path: `${savedIn}/.made`, source: path.join(sources, 'coverage.h'), mode: 0o644};
			return [...(await content.files(options)), mark];
		},
	};
}
