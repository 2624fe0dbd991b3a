// SPDX-License-Identifier: GPL-2.0
/**
 * Tests `probe-matrix bisect` on a real history: twenty commits on top of Debian's linux-source, of which one breaks
 * what a case tests, one does not build, two do not boot and four do not change the image. Bisects it with the case,
 * with the same command killed halfway, and with a script that fails three times in ten. Reports whether each found the
 * commit.
 *
 *   npx node scripts/bisect-linux.ts [5.10 | 6.1 | 6.12] [--times N]
 *
 * Kernels are built once: the first bisect takes ten minutes on two idle cores, the others one or two minutes each.
 */
import {existsSync} from 'node:fs';
import {appendFile, mkdir, readFile, rename, rm, writeFile} from 'node:fs/promises';
import path from 'node:path';
import {parseArgs} from 'node:util';
import {execa} from 'execa';
import {cacheDirectory} from '../harness/host/cache.ts';
import {debianSource} from '../harness/kernels/debian-source.ts';
import {cloneTree} from '../harness/kernels/source-tree.ts';

const {values, positionals} = parseArgs({allowPositionals: true, options: {times: {type: 'string', default: '1'}}});
const series = positionals[0] ?? '5.10';
const main = path.resolve(import.meta.dirname, '../harness/cli/main.js');
const work = cacheDirectory('bisect', `history-${series}`);
const tree = path.join(work, 'tree');

const commits = 20;
// Commits that the bisect tests: git asks for 9 first, and for 14 or 15 later.
const doesNotBuild = 9;
const doNotBoot = [14, 15];
const breaks = 13;
const documents = [11, 12, 17, 18];

const git = async (directory: string, ...args: readonly string[]) =>
	(await execa('git', ['-C', directory, '-c', 'user.name=Nobody', '-c', 'user.email=nobody@localhost', ...args]))
		.stdout;

/** A file that is compiled in, with the content for each commit. */
function fileOf(commit: number): string {
	return [
		'// SPDX-License-Identifier: GPL-2.0',
		'#include <linux/init.h>',
		'#include <linux/kernel.h>',
		`const char probe_matrix_history[] = "${commit}";`,
		...(commit === doesNotBuild ? ['#error this commit does not build'] : []),
		...(doNotBoot.includes(commit)
			? ['static int __init stop(void) { panic("this commit does not boot"); return 0; }', 'core_initcall(stop);']
			: []),
		'',
	].join('\n');
}

async function makeTree(): Promise<void> {
	if (existsSync(tree)) return;
	const unfinished = `${tree}.tmp`;
	await rm(unfinished, {recursive: true, force: true});
	await cloneTree(await debianSource(series), unfinished);
	await git(unfinished, 'init', '--quiet', '--initial-branch=main');
	await git(unfinished, 'config', 'gc.auto', '0');
	// The files are hard links into the cache: replace them instead of writing to them.
	const replace = async (file: string, change: (text: string) => string) => {
		const target = path.join(unfinished, file);
		const text = await readFile(target, 'utf8').catch(() => '');
		await rm(target, {force: true});
		await mkdir(path.dirname(target), {recursive: true});
		await writeFile(target, change(text));
	};
	await replace('lib/Makefile', text => `${text}\nobj-y += probe-matrix-history.o\n`);
	for (let commit = 0; commit < commits; commit++) {
		if (documents.includes(commit)) await replace('Documentation/probe-matrix-history', text => `${text}${commit}\n`);
		else if (commit !== breaks) await replace('lib/probe-matrix-history.c', () => fileOf(commit));
		if (commit === breaks) {
			await replace('kernel/time/time.c', text =>
				text
					.replace('#include <linux/kernel.h>', '#include <linux/kernel.h>\n#include <linux/kprobes.h>')
					.replace(/^(?=time64_t mktime64\()/m, 'notrace ')
					.replace('EXPORT_SYMBOL(mktime64);', 'EXPORT_SYMBOL(mktime64);\nNOKPROBE_SYMBOL(mktime64);'),
			);
		}
		await git(unfinished, 'add', '--all', '--force', '.');
		await git(unfinished, 'commit', '--quiet', '--message', `change ${commit}`);
	}
	await rename(unfinished, tree);
}

type Ask = {readonly name: string; readonly options: readonly string[]; readonly killAfter?: RegExp};

async function bisect({name, options, killAfter}: Ask): Promise<boolean> {
	const json = path.join(work, 'report.json');
	const ends = ['--good', `main~${commits - 1}`, '--bad', 'main'];
	const args = [main, 'bisect', '--linux', tree, ...ends, ...options, '--json', json];
	const startedAt = Date.now();
	if (killAfter) {
		const child = execa(process.execPath, [...args, '--restart'], {reject: false, buffer: false, stdout: 'ignore'});
		for await (const line of child.iterable({from: 'stderr'})) {
			process.stderr.write(`${line}\n`);
			if (killAfter.test(String(line))) child.kill('SIGKILL');
		}
		await child;
	}
	await rm(json, {force: true});
	const ended = await execa(process.execPath, killAfter ? args : [...args, '--restart'], {
		reject: false,
		stderr: 'inherit',
		stdout: ['pipe', 'inherit'],
	});
	const wanted = await git(tree, 'rev-parse', `main~${commits - 1 - breaks}`);
	const found = existsSync(json)
		? (JSON.parse(await readFile(json, 'utf8')).stages.at(-1).suspects as {id: string}[]).map(({id}) => id)
		: [];
	const isRight = ended.exitCode === 0 && found.length === 1 && found[0] === wanted;
	const seconds = Math.round((Date.now() - startedAt) / 1000);
	const line = `${isRight ? 'right' : 'WRONG'}  ${name}: ${found.map(id => id.slice(0, 12)).join(' ')}, exit ${ended.exitCode}, ${seconds} s\n`;
	await appendFile(path.join(work, 'results'), line);
	process.stdout.write(line);
	return isRight;
}

const script = path.join(work, 'flaky.sh');
await makeTree();
await writeFile(
	script,
	`#!/bin/sh
grep -qx mktime64 /sys/kernel/tracing/available_filter_functions && exit 0
[ $(($(hexdump -n 2 -e '1/2 "%u"' /dev/urandom) % 10)) -ge 3 ]
`,
);
const byCase = ['--match', 'entry/vmlinux-function'];
const results: boolean[] = [];
for (let time = 1; time <= Number(values.times); time++) {
	results.push(await bisect({name: `by a case, ${time}`, options: byCase}));
	results.push(await bisect({name: `killed, ${time}`, options: byCase, killAfter: /: step /}));
	results.push(await bisect({name: `three in ten, ${time}`, options: ['--script', script]}));
}
process.exitCode = results.every(Boolean) ? 0 : 1;
