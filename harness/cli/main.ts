#!/usr/bin/env node
import {enableCompileCache} from 'node:module';
import path from 'node:path';
import {cacheRoot} from '../host/cache-root.ts';

// Before anything else is loaded: what has been compiled once is read the next time.
enableCompileCache(path.join(cacheRoot(), 'compiled'));
const {main} = await import('./program.ts');
process.exitCode = await main();
