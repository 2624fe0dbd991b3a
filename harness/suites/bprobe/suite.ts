// SPDX-License-Identifier: GPL-2.0
import path from 'node:path';
import {projectRoot} from '../../build/sources.ts';
import type {Suite} from '../../engine/suite.ts';
import {defaultKernel, fallbackKernel} from '../../kernels/default-kernels.ts';
import {type TargetKind, targetKinds} from './case.ts';
import {openBprobeContext, targetNeeds} from './context.ts';
import {bprobeContent} from './guest-content.ts';
import {knownFailing} from './known-failings.ts';
import {bprobe} from './mechanisms/bprobe.ts';
import {ftrace} from './mechanisms/ftrace.ts';
import {fentry, fexit, kprobe, kprobeMulti, kretprobe} from './mechanisms/kernel-mechanisms.ts';

/** The matrix of the module in kmod/. */
export const bprobeSuite: Suite = {
	name: 'bprobe',
	content: bprobeContent(),
	mechanisms: [bprobe, kprobe, kretprobe, kprobeMulti, fentry, fexit, ftrace],
	targets: targetKinds,
	knownFailing,
	targetNeeds: target => targetNeeds[target as TargetKind],
	kernels: {default: defaultKernel, fallback: fallbackKernel},
	sources: ['kmod', 'fixtures'].map(name => path.join(projectRoot, name)),
	modules: {directories: [path.join(projectRoot, 'kmod')], at: ([module]) => bprobeContent({module: module!})},
	// Loaded late, because cases may change while a standby process waits.
	cases: async () => (await import('./cases/all.ts')).allCases,
	open: openBprobeContext,
	beforeCell: ({ask}) => ask('reset', {}),
	release: ({ask}) => ask('release', {}),
};
