import {UsageError} from '../host/errors.ts';
import type {QuestionOptions} from './question-options.ts';

export type BisectOptions = QuestionOptions & {
	readonly good?: string;
	readonly bad?: string;
	readonly goodConfig?: string;
	readonly badConfig?: string;
	readonly linux?: string;
	readonly config?: string;
	readonly module?: string | true;
	readonly kernel?: string;
	readonly anyFailure: boolean;
	readonly confidence: number;
	readonly source?: string;
	readonly report?: string;
	readonly json?: string;
	readonly dryRun: boolean;
	readonly anew: boolean;
};

/** Nobody may believe that an option counted which did not. Throws UsageError. */
export function mustFit({linux, module, config, goodConfig, kernel, source}: BisectOptions): void {
	if (linux !== undefined && module !== undefined)
		throw new UsageError('--linux and --module ask for two different histories.');
	if (config !== undefined && linux === undefined)
		throw new UsageError('--config is for the commits of --linux: known kernels have configurations of their own.');
	if (config !== undefined && goodConfig !== undefined)
		throw new UsageError('Give no --config: --good-config and --bad-config stand in for it.');
	if (kernel !== undefined && module === undefined)
		throw new UsageError('--kernel is for --module; other kernels are named by --good and --bad.');
	if (source !== undefined && goodConfig !== undefined) throw new UsageError(sourceIsForReleases);
}

export const sourceIsForReleases = '--source is for releases; commits are built from --linux.';

/** Throws UsageError for half of what a bisect of configurations needs, or more; nothing where it is none. */
export function configsOf({goodConfig, badConfig, good, bad, linux, module, dryRun}: BisectOptions) {
	if (goodConfig === undefined && badConfig === undefined) return undefined;
	if (goodConfig === undefined || badConfig === undefined)
		throw new UsageError('A bisect of configurations needs both --good-config and --bad-config.');
	if (linux === undefined || [good, bad, module].some(option => option !== undefined))
		throw new UsageError('Configurations are compared at one commit: give --linux, whose HEAD it is, and no --good.');
	if (dryRun)
		throw new UsageError('How many steps configurations take is not known beforehand; --dry-run has no plan.');
	return {goodConfig, badConfig, linux};
}

/** Throws UsageError where one is missing. */
export function endsOf({good, bad}: BisectOptions): {good: string; bad: string} {
	if (good === undefined || bad === undefined) throw new UsageError('Two ends are needed: --good and --bad.');
	return {good, bad};
}
