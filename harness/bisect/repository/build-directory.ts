import {createHash} from 'node:crypto';
import path from 'node:path';
import {cacheDirectory} from '../../host/cache.ts';
import type {SourceRepository} from './source-repository.ts';

/** Where commits of a repository are compiled; kept, so that what one bisect compiled serves the next one, too. */
export function buildDirectoryOf({directory}: SourceRepository): string {
	const hash = createHash('sha256').update(directory).digest('hex').slice(0, 8);
	return cacheDirectory('bisect', `tree-${path.basename(directory)}-${hash}`);
}
