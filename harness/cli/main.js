#!/usr/bin/env node
// SPDX-License-Identifier: GPL-2.0
// This file and its imports are JavaScript: stripping types makes Node load a compiler, which takes longer than most
// commands. Stripped sources are in the compile cache, so with a warm cache the compiler is not loaded at all.
import {enableCompileCache} from 'node:module';
import path from 'node:path';
import {cacheRoot, makeDirectories} from '../host/cache-root.js';

try {
	const directory = path.join(cacheRoot(), 'compiled');
	makeDirectories(directory);
	enableCompileCache(directory);
} catch {
	// Only an optimization; a command that needs the cache reports the error.
}
const {main} = await import('./program.ts');
process.exitCode = await main();
