// SPDX-License-Identifier: GPL-2.0
import {mkdtempDisposable, readFile} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import path from 'node:path';
import test, {type ExecutionContext} from 'ava';
import {library} from '../../build/guest-content.ts';
import {freshCache} from '../../test/fresh-cache.ts';
import {writeProgram} from '../../test/write-program.ts';
import {bprobeContent} from './guest-content.ts';

/** Makes what is asked of it, each file with the words of the program that it would be made by. */
const make = `#!/bin/sh
for word; do case $word in OUT=*) out=\${word#OUT=} ;; esac; done
mkdir -p "$out/include" "$out/programs/registers"
gcc >"$out/agent"
ld >"$out/bprobectl"
gcc >"$out/libbprobe.a"
clang >"$out/programs/registers/count.bpf.o"
touch "$out/programs/registers/count.bpf.d"
`;

/** A host whose tools are these; `install` puts another version of one in its place. */
async function openHost(t: ExecutionContext) {
	const {path: directory, remove} = await mkdtempDisposable(path.join(tmpdir(), 'tools-'));
	const before = process.env.PATH;
	process.env.PATH = `${directory}:${before}`;
	t.teardown(async () => {
		process.env.PATH = before;
		await remove();
	});
	const install = async (tool: string, version: string) =>
		writeProgram(path.join(directory, tool), `#!/bin/sh\necho ${tool} ${version}\n`);
	await writeProgram(path.join(directory, 'make'), make);
	for (const tool of ['gcc', 'clang', 'ld']) await install(tool, 'old');
	return {install};
}

/** What is pushed into guests, by its path there, and how often it had to be built. */
async function pushed() {
	let builds = 0;
	const files = await bprobeContent().files({
		onBuild() {
			builds++;
		},
	});
	const texts = files.map(async ({path: file, source}) => [file, (await readFile(source, 'utf8')).trim()] as const);
	return {builds, files, texts: Object.fromEntries(await Promise.all(texts))};
}

test.serial('what is pushed into guests was made by the tools of now, and is made once', async t => {
	await using _ = await freshCache();
	const {install} = await openHost(t);
	const of = {
		gcc: `${library}/agent`,
		ld: 'usr/bin/bprobectl',
		clang: `${library}/programs/registers/count.bpf.o`,
	};
	const old = {[of.gcc]: 'gcc old', [of.ld]: 'ld old', [of.clang]: 'clang old'};
	const first = await pushed();
	t.deepEqual([first.builds, first.texts], [1, old], 'the agent, bprobectl and the eBPF objects alone');
	t.deepEqual(
		first.files.map(({mode}) => mode),
		[0o755, 0o755, 0o644],
	);
	t.is((await pushed()).builds, 0);
	for (const tool of ['clang', 'gcc', 'ld'] as const) {
		await install(tool, 'of the update');
		const {builds, texts} = await pushed();
		t.deepEqual([builds, texts[of[tool]]], [1, `${tool} of the update`]);
		t.is((await pushed()).builds, 0);
	}
});
