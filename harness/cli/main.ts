#!/usr/bin/env node
import {enableCompileCache} from 'node:module';
import path from 'node:path';
import {cacheRoot, makeDirectories} from '../host/cache-root.ts';

// Before any other import, so that compiled code is cached and loads faster next time.
try {
	const directory = path.join(cacheRoot(), 'compiled');
	makeDirectories(directory);
	enableCompileCache(directory);
} catch {
	// Only an optimization; a command that needs the cache reports the error.
}
const {main} = await import('./program.ts');
process.exitCode = await main();
