import {obtainBootableKernel} from '../guest/bootable-kernel.ts';
import {UsageError} from '../host/errors.ts';
import {knownKernels} from '../kernels/catalogue.ts';
import {parseKernelId} from '../kernels/kernel-id.ts';
import {KernelUnavailableError} from '../kernels/unavailable.ts';
import {defaultKernel, fallbackKernel} from '../suites/bprobe/default-kernels.ts';

type ChooseOptions = {readonly source?: string; readonly signal?: AbortSignal};

type Choice = {
	readonly kernels: readonly string[];
	/** A sentence for people, where these are not the ones they would expect. */
	readonly notice?: string;
};

/** The ids that `--kernel` asks for. Without any, the home kernel, or where that cannot be had, another. */
export async function chooseKernels(asked: readonly string[], options: ChooseOptions = {}): Promise<Choice> {
	if (asked.length === 0) return homeOrEmbedded(options);
	const kernels = [...new Set(asked.flatMap(id => (id === 'all' ? knownKernels() : [id])))];
	const ids = kernels.map(parseKernelId);
	if (options.source !== undefined && !ids.some(({kind}) => kind === 'release'))
		throw new UsageError(`--source builds kernel.org releases; ${kernels.join(', ')} is not one.`);
	return {kernels};
}

async function homeOrEmbedded(options: ChooseOptions): Promise<Choice> {
	try {
		await obtainBootableKernel(defaultKernel, options);
		return {kernels: [defaultKernel]};
	} catch (error) {
		if (!(error instanceof KernelUnavailableError)) throw error;
		return {kernels: [fallbackKernel], notice: `${error.message} Running on ${fallbackKernel} instead.`};
	}
}
