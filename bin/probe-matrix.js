#!/usr/bin/env node
// SPDX-License-Identifier: GPL-2.0
// A checkout runs its sources, so that working on it needs no build. A package holds only what was built from them.
import {existsSync} from 'node:fs';

const sources = new URL('../harness/cli/main.js', import.meta.url);
const built = new URL('../dist/cli/main.js', import.meta.url);
const [major = 0] = process.versions.node.split('.').map(Number);
if (major >= 24) await import(String(existsSync(sources) ? sources : built));
else {
	process.stderr.write(`probe-matrix: It needs Node 24.12 or newer; this is ${process.version}.\n`);
	process.exitCode = 2;
}
