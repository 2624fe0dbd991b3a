// SPDX-License-Identifier: GPL-2.0
/**
 * Builds a kernel from Debian's source package with images/kconfig and runs the matrix on it. It shows that releases
 * other than 4.15.18 can be built from source, even if kernel.org is unreachable.
 *
 *   npx node scripts/linux-source.ts [5.10 | 6.1 | 6.12] [options of `probe-matrix run`]
 *
 * Downloads about 150 MB and takes a quarter of an hour on two cores. The exit status is that of the run.
 */
import path from 'node:path';
import {execa} from 'execa';
import {debianSource} from '../harness/kernels/debian-source.ts';
import {inspectTree} from '../harness/kernels/source-tree.ts';

const [series = '6.1', ...options] = process.argv.slice(2);
const main = path.resolve(import.meta.dirname, '../harness/cli/main.js');

const tree = await debianSource(series);
const {version} = await inspectTree(tree);
process.stderr.write(`linux-source: Linux ${version} in ${tree}\n`);
const run = await execa(
	process.execPath,
	[main, 'run', '--kernel', version.replace(/-.*/, ''), '--source', tree, ...options],
	{stdio: 'inherit', reject: false},
);
process.exitCode = run.exitCode ?? 2;
