// SPDX-License-Identifier: GPL-2.0
import {createHash} from 'node:crypto';
import path from 'node:path';
import {cacheDirectory} from '../../host/cache.ts';
import type {SourceRepository} from './source-repository.ts';

/** Where commits of a repository are compiled. It is kept, so that the next bisect reuses its objects. */
export function buildDirectoryOf({directory, paths}: SourceRepository): string {
	const tree = path.join(directory, ...paths);
	const hash = createHash('sha256').update(tree).digest('hex').slice(0, 8);
	// Make takes spaces and colons apart.
	const name = path.basename(tree).replaceAll(/[^\w.+-]/g, '_');
	return cacheDirectory('bisect', `tree-${name}-${hash}`);
}
