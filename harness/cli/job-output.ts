import {formatAnnotations, forWorkflow} from '../results/reports/annotations.ts';
import type {Reported} from '../results/reports/kernel-results.ts';

/**
 * Text for people, in which guests may have their say. A workflow of GitHub looks for commands in all that is printed:
 * there it finds only ours, which annotate the workflow's page with what went wrong.
 */
export function forJob(text: string, reported: Reported = {kernels: [], cells: []}): string {
	return forWorkflow(text) + (process.env.GITHUB_ACTIONS ? formatAnnotations(reported) : '');
}
