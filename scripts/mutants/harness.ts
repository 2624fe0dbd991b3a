// SPDX-License-Identifier: GPL-2.0
import type {Edit} from './edits.ts';
import {harnessBisectEdits} from './harness-bisect.ts';
import {harnessBisectsEdits} from './harness-bisects.ts';
import {harnessBuildEdits} from './harness-build.ts';
import {harnessCliEdits} from './harness-cli.ts';
import {harnessCrashEdits} from './harness-crash.ts';
import {harnessEngineEdits} from './harness-engine.ts';
import {harnessGuestEdits} from './harness-guest.ts';
import {harnessHostEdits} from './harness-host.ts';
import {harnessKernelsEdits} from './harness-kernels.ts';
import {harnessLinkEdits} from './harness-link.ts';
import {harnessNightlyEdits} from './harness-nightly.ts';
import {harnessQemuEdits} from './harness-qemu.ts';
import {harnessReportsEdits} from './harness-reports.ts';
import {harnessResultsEdits} from './harness-results.ts';
import {harnessSuitesEdits} from './harness-suites.ts';

/** The edits of harness/, by its rooms. Tests of AVA have to notice them; most take seconds, and none boots a guest. */
export const harnessEdits: readonly Edit[] = [
	...harnessBisectEdits,
	...harnessBisectsEdits,
	...harnessBuildEdits,
	...harnessCliEdits,
	...harnessCrashEdits,
	...harnessEngineEdits,
	...harnessGuestEdits,
	...harnessHostEdits,
	...harnessKernelsEdits,
	...harnessLinkEdits,
	...harnessNightlyEdits,
	...harnessQemuEdits,
	...harnessReportsEdits,
	...harnessResultsEdits,
	...harnessSuitesEdits,
];
