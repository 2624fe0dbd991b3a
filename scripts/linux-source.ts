/**
 * Builds a kernel from Debian's source package with images/kconfig and runs the matrix on it: the proof that a release
 * other than 4.15.18 can be built from source, where kernel.org is out of reach.
 *
 *   npx node scripts/linux-source.ts [5.10 | 6.1 | 6.12] [options of `probe-matrix run`]
 *
 * Takes about 150 MB of download and a quarter of an hour on two cores; the exit status is that of the run.
 */
import {readdir, rm} from 'node:fs/promises';
import path from 'node:path';
import {execa} from 'execa';
import {loadIndex} from '../harness/host/debian/archive.ts';
import {newest} from '../harness/host/debian/closure.ts';
import {packageTree} from '../harness/host/debian/tree.ts';
import {debianRow} from '../harness/kernels/catalogue.ts';
import {inspectTree} from '../harness/kernels/source-tree.ts';

const [series = '6.1', ...options] = process.argv.slice(2);
const main = path.resolve(import.meta.dirname, '../harness/cli/main.ts');

const tree = await sourceTree(series);
const {version} = await inspectTree(tree);
process.stderr.write(`linux-source: Linux ${version} in ${tree}\n`);
const run = await execa(
	process.execPath,
	[main, 'run', '--kernel', version.replace(/-.*/, ''), '--source', tree, ...options],
	{stdio: 'inherit', reject: false},
);
process.exitCode = run.exitCode ?? 2;

async function sourceTree(wanted: string): Promise<string> {
	const row = debianRow(`debian-${wanted}`);
	if (!row) throw new Error(`There is no debian-${wanted} in images/kernels.json.`);
	const name = `linux-source-${wanted}`;
	const found = newest(await Promise.all(row.suites.map(suite => loadIndex(suite))), name);
	if (!found) throw new Error(`The suites of debian-${wanted} have no ${name}.`);
	const root = await packageTree(name, [found], {
		keep: file => file.startsWith('usr/src/'),
		async finish(directory) {
			const tarball = path.join(directory, 'usr/src', `${name}.tar.xz`);
			await execa('tar', ['-xJf', tarball, '-C', directory, '--no-same-owner']);
			await rm(tarball);
		},
	});
	const directory = (await readdir(root)).find(entry => entry.startsWith('linux-source'));
	if (!directory) throw new Error(`${name} holds no tree of that name.`);
	return path.join(root, directory);
}
