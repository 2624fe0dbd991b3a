// SPDX-License-Identifier: GPL-2.0
import {mkdir, mkdtempDisposable, readdir, writeFile} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import path from 'node:path';
import test from 'ava';
import {cacheDirectory} from '../host/cache.ts';
import {BuildError} from '../host/errors.ts';
import {readBareModule} from './bare-module.ts';
import {buildOnce} from './make.ts';

const cache = await mkdtempDisposable(path.join(tmpdir(), 'make-'));
process.env.PROBE_MATRIX_CACHE = cache.path;
test.after.always(() => cache.remove());

/** Builds a module against a kernel directory whose Makefile has this recipe for `modules`. */
async function build(name: string, recipe: string): Promise<string> {
	const tree = path.join(cache.path, name);
	await mkdir(tree);
	await writeFile(path.join(tree, 'Makefile'), `modules:\n${recipe}`);
	return buildOnce({
		name,
		sources: ['kmod/bprobe.h'],
		tools: [],
		key: '',
		commands: async copy => [['make', '-C', tree, `M=${path.join(copy, 'kmod')}`, 'modules']],
		async deliver(copy, to) {
			await writeFile(path.join(to, 'bprobe.ko'), await readBareModule(path.join(copy, 'kmod/bprobe.ko')));
		},
	});
}

const trees = [
	[
		'configured-without-modules',
		"\t@echo 'The present kernel configuration has modules disabled.'\n",
		/modules disabled/,
	],
	['nothing-to-do', '\t@true\n', /made no bprobe\.ko/],
	[
		'another-architecture',
		"\t@echo '  CC [M]  kmod/entry.o'; mkdir -p $(M) && touch $(M)/bprobe.o\n",
		/CC \[M\] {2}kmod/,
	],
	['headers-alone', "\t@echo 'scripts/Makefile.modpost: no such file, skipped' >&2\n", /modpost: no such file/],
] as const;

for (const [name, recipe, words] of trees) {
	test(`a kernel directory (${name}) whose build ends without a module is told with make's last lines`, async t => {
		const error = await t.throwsAsync(build(name, recipe), {instanceOf: BuildError, message: words});
		t.regex(error!.message, /does not build: make ended with 0, but made no bprobe\.ko\.\n/);
		const kept = (await readdir(cacheDirectory('build'))).filter(each => each.startsWith(name));
		t.deepEqual(kept, [], 'nothing is kept of it');
	});
}
