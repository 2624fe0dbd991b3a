// SPDX-License-Identifier: GPL-2.0
import {formatAnnotations, forWorkflow} from '../results/reports/annotations.ts';
import type {Reported} from '../results/reports/kernel-results.ts';

/**
 * Text that may quote a guest's console. In a GitHub workflow, which executes commands in all output, it is printed so
 * that only our annotations take effect: one for each failed kernel and cell in `reported`.
 */
export function forJob(text: string, reported: Reported = {kernels: [], cells: []}): string {
	return forWorkflow(text) + (process.env.GITHUB_ACTIONS ? formatAnnotations(reported) : '');
}
