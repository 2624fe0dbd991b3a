// SPDX-License-Identifier: GPL-2.0
import {UsageError} from '../host/errors.ts';
import {parseKernelId} from '../kernels/kernel-id.ts';
import type {PredicateOptions} from './predicate-options.ts';

export type BisectOptions = PredicateOptions & {
	readonly good?: string;
	readonly bad?: string;
	readonly goodConfig?: string;
	readonly badConfig?: string;
	readonly linux?: string;
	readonly config?: string;
	readonly configMap?: ReadonlyMap<string, string>;
	readonly module?: string | true;
	readonly tests?: string;
	readonly suite?: string;
	readonly kernel?: string;
	readonly anyFailure?: boolean;
	readonly fixed?: boolean;
	readonly confidence: number;
	readonly source?: string;
	readonly report?: string;
	readonly json?: string;
	readonly dryRun?: boolean;
	readonly restart?: boolean;
};

/** Rejects combinations in which an option would be ignored. Throws UsageError. */
export function requireCompatible({
	linux,
	module,
	config,
	configMap,
	goodConfig,
	kernel,
	source,
	...rest
}: BisectOptions): void {
	const isHistory = bisectsModule({module, kernel, linux, ...rest});
	// A module that is tested by --tests is the same for all commits.
	const isTested = typeof module === 'string' && rest.tests !== undefined && kernel === undefined;
	if (linux !== undefined && module !== undefined && !isTested)
		throw new UsageError('--linux and --module are mutually exclusive.');
	if (config !== undefined && linux === undefined)
		throw new UsageError('--config needs --linux; other kernels have their own configurations.');
	if (config !== undefined && goodConfig !== undefined)
		throw new UsageError('--config cannot be used with --good-config and --bad-config.');
	if (configMap !== undefined && config === undefined && goodConfig === undefined)
		throw new UsageError('--config-map needs --config, or --good-config and --bad-config.');
	if (kernel !== undefined && !isHistory)
		throw new UsageError('--kernel needs --module; otherwise --good and --bad name the kernels.');
	if (source !== undefined && goodConfig !== undefined) throw new UsageError(sourceIsForReleases);
}

/**
 * Whether the history of a module is bisected. A module that is named together with kernels, or with a Linux tree, is
 * what runs on them.
 */
export function bisectsModule({module, tests, kernel, linux, good, bad}: Partial<BisectOptions>): boolean {
	if (module === undefined || linux !== undefined) return false;
	if (typeof module !== 'string' || tests === undefined || kernel !== undefined) return true;
	return ![good, bad].every(end => end !== undefined && isKernelName(end));
}

/** Whether it names a kernel of the catalogue or a release, and not a revision. */
function isKernelName(text: string): boolean {
	try {
		return parseKernelId(text).kind !== 'directory';
	} catch {
		return false;
	}
}

export const sourceIsForReleases = '--source builds releases only; commits are built from --linux.';

/**
 * Options of a configuration bisect, or undefined for other kinds. Throws UsageError for incomplete or conflicting
 * options.
 */
export function configsOf({goodConfig, badConfig, good, bad, linux, module, dryRun}: BisectOptions) {
	if (goodConfig === undefined && badConfig === undefined) return undefined;
	if (goodConfig === undefined || badConfig === undefined)
		throw new UsageError('--good-config and --bad-config need each other.');
	if (linux === undefined || [good, bad, module].some(option => option !== undefined))
		throw new UsageError(
			'--good-config and --bad-config need --linux, whose HEAD is built, and exclude --good, --bad and --module.',
		);
	if (dryRun) throw new UsageError('--dry-run does not support --good-config and --bad-config.');
	return {goodConfig, badConfig, linux};
}

/**
 * The older end as `good` and the newer as `bad`; a search for a fix takes them the other way round. Throws UsageError
 * when one of them is missing.
 */
export function endsOf({good, bad, fixed}: BisectOptions): {good: string; bad: string} {
	if (good === undefined || bad === undefined) throw new UsageError('--good and --bad are required.');
	return fixed ? {good: bad, bad: good} : {good, bad};
}
