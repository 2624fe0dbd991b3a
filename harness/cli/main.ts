#!/usr/bin/env node
import {enableCompileCache} from 'node:module';
import path from 'node:path';
import {cacheRoot, makeDirectories} from '../host/cache-root.ts';

// Before anything else is loaded: what has been compiled once is read the next time.
try {
	const directory = path.join(cacheRoot(), 'compiled');
	makeDirectories(directory);
	enableCompileCache(directory);
} catch {
	// It saves time, no more; a command that needs the cache says what is wrong with it.
}
const {main} = await import('./program.ts');
process.exitCode = await main();
