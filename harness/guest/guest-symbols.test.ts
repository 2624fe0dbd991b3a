// SPDX-License-Identifier: GPL-2.0
import {readdir, readFile, writeFile} from 'node:fs/promises';
import path from 'node:path';
import test from 'ava';
import {freshCache} from '../test/fresh-cache.ts';
import {keepKallsyms} from './guest-symbols.ts';

const kernel = 'ffffffff81000000 T _stext\nffffffff81002000 t do_it\n';
const modules = 'ffffffffc0267980 t fx_spin\t[fixtures]\nffffffffc0268000 T bp_open\t[bprobe]\n';

/** A guest that prints this as its symbols, and how often it was asked. */
function openGuest(text = kernel + modules) {
	const commands: string[] = [];
	const execBytes = async (command: string) => {
		commands.push(command);
		return Buffer.from(text);
	};
	return {commands, link: async () => ({execBytes})};
}

test.serial('a kernel with a file of symbols needs no guest for them', async t => {
	const {commands, link} = openGuest();
	t.is(await keepKallsyms({bzImage: '/bzImage', kallsyms: '/System.map'}, link), '/System.map');
	t.deepEqual(commands, []);
});

test.serial('the symbols of a kernel are read from its first guest, without those of modules, and kept', async t => {
	await using cache = await freshCache();
	const {commands, link} = openGuest();
	const file = (await keepKallsyms({bzImage: '/one'}, link))!;
	t.is(path.dirname(file), path.join(cache.path, 'symbols'));
	t.is(await readFile(file, 'utf8'), kernel);
	t.is(await keepKallsyms({bzImage: '/one'}, link), file);
	t.deepEqual(commands, ['cat /proc/kallsyms']);
	t.not(await keepKallsyms({bzImage: '/other'}, link), file);
	t.is(commands.length, 2);
	t.is((await readdir(path.dirname(file))).length, 2);
});

for (const [what, text] of [
	['is empty', ''],
	['holds something else', '\0'.repeat(100)],
] as const)
	test.serial(`a file of symbols that ${what}, as after a power loss, is made again`, async t => {
		await using _ = await freshCache();
		const {commands, link} = openGuest();
		const file = (await keepKallsyms({bzImage: '/one'}, link))!;
		await writeFile(file, text);
		t.is(await keepKallsyms({bzImage: '/one'}, link), file);
		t.is(await readFile(file, 'utf8'), kernel);
		t.is(commands.length, 2);
	});
