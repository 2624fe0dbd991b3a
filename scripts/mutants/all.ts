// SPDX-License-Identifier: GPL-2.0
import type {Edit} from './edits.ts';
import {entryEdits} from './entry.ts';
import {fixtureEdits} from './fixtures.ts';
import {frameEdits} from './frames.ts';
import {harnessEdits} from './harness.ts';
import {hookEdits} from './hooks.ts';
import {libraryEdits} from './library.ts';
import {requestEdits} from './requests.ts';
import {returnEdits} from './returns.ts';
import {runningEdits} from './running.ts';
import {symbolEdits} from './symbols.ts';
import {unloadingEdits} from './unloading.ts';

export const allEdits: readonly Edit[] = [
	...entryEdits,
	...returnEdits,
	...runningEdits,
	...frameEdits,
	...unloadingEdits,
	...requestEdits,
	...symbolEdits,
	...hookEdits,
	...libraryEdits,
	...fixtureEdits,
	...harnessEdits,
];
