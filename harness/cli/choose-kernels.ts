import {UsageError} from '../host/errors.ts';
import {knownKernels} from '../kernels/catalogue.ts';
import {parseKernelId} from '../kernels/kernel-id.ts';
import {findRelease} from '../kernels/source.ts';
import {KernelUnavailableError} from '../kernels/unavailable.ts';
import {defaultKernel, fallbackKernel} from '../suites/bprobe/default-kernels.ts';

type ChooseOptions = {readonly source?: string; readonly signal?: AbortSignal};

type Choice = {
	readonly kernels: readonly string[];
	/** A sentence for the user if the default kernel is unavailable. */
	readonly notice?: string;
};

/**
 * The ids given by `--kernel`; if there are none, the default kernel, or the fallback kernel if that is unavailable. Nothing
 * is built for the choice.
 */
export async function chooseKernels(asked: readonly string[], options: ChooseOptions = {}): Promise<Choice> {
	if (asked.length === 0) return defaultOrFallback(options);
	const kernels = [...new Set(asked.flatMap(id => (id === 'all' ? knownKernels() : [id])))];
	const ids = kernels.map(parseKernelId);
	if (options.source !== undefined && !ids.some(({kind}) => kind === 'release'))
		throw new UsageError(`--source builds kernel.org releases; ${kernels.join(', ')} is not one.`);
	return {kernels};
}

async function defaultOrFallback(options: ChooseOptions): Promise<Choice> {
	try {
		const id = parseKernelId(defaultKernel);
		if (id.kind === 'release') await findRelease(id, options);
		return {kernels: [defaultKernel]};
	} catch (error) {
		if (!(error instanceof KernelUnavailableError)) throw error;
		return {kernels: [fallbackKernel], notice: `${error.message} Running on ${fallbackKernel} instead.`};
	}
}
