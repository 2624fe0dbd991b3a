// SPDX-License-Identifier: GPL-2.0
import {cp, mkdtempDisposable, symlink} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import path from 'node:path';
import {execa} from 'execa';
import project from '../../package.json' with {type: 'json'};
import {projectRoot} from '../build/sources.ts';

/**
 * Packs the project as `npm pack` does; returns the file. The checkout gets no dist/, which another process may be
 * making, too.
 */
export async function packProject(to: string): Promise<string> {
	await using sources = await mkdtempDisposable(path.join(tmpdir(), 'pack-'));
	const names = project.files.filter(name => !/^!|^dist$/.test(name));
	for (const name of [...names, 'harness', 'bin', 'package.json', 'tsconfig.json', 'tsconfig.build.json', 'README.md'])
		await cp(path.join(projectRoot, name), path.join(sources.path, name), {recursive: true});
	await symlink(path.join(projectRoot, 'node_modules'), path.join(sources.path, 'node_modules'));
	await execa('npm', ['pack', '--pack-destination', to], {cwd: sources.path});
	return path.join(to, `probe-matrix-${project.version}.tgz`);
}
