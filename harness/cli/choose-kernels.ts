import {UsageError} from '../host/errors.ts';
import {knownKernels} from '../kernels/catalogue.ts';
import {parseKernelId} from '../kernels/kernel-id.ts';
import {KernelUnavailableError} from '../kernels/unavailable.ts';
import {obtainBootableKernel} from '../matrix/bootable-kernel.ts';
import {embeddedKernel, homeKernel} from '../matrix/tested-kernels.ts';

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
		throw new UsageError(`--source is for releases of kernel.org, and ${kernels.join(', ')} is none.`);
	return {kernels};
}

async function homeOrEmbedded(options: ChooseOptions): Promise<Choice> {
	try {
		await obtainBootableKernel(homeKernel, options);
		return {kernels: [homeKernel]};
	} catch (error) {
		if (!(error instanceof KernelUnavailableError)) throw error;
		return {kernels: [embeddedKernel], notice: `${error.message} Running on ${embeddedKernel} instead.`};
	}
}
