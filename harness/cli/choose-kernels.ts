import {UsageError} from '../host/errors.ts';
import {say} from '../host/say.ts';
import {knownKernels} from '../kernels/catalogue.ts';
import {parseKernelId} from '../kernels/kernel-id.ts';
import {obtainKernel} from '../kernels/obtain.ts';
import {KernelUnavailableError} from '../kernels/unavailable.ts';
import {embeddedKernel, homeKernel} from '../matrix/tested-kernels.ts';

type ChooseOptions = {readonly source?: string; readonly signal: AbortSignal};

/** The ids that `--kernel` asks for. Without any, the home kernel, or where that cannot be had and says so, another. */
export async function chooseKernels(asked: readonly string[], options: ChooseOptions): Promise<readonly string[]> {
	if (asked.length === 0) return [await homeOrEmbedded(options)];
	const kernels = [...new Set(asked.flatMap(id => (id === 'all' ? knownKernels() : [id])))];
	if (options.source !== undefined && !kernels.some(id => parseKernelId(id).kind === 'release'))
		throw new UsageError(`--source is for releases of kernel.org, and ${kernels.join(', ')} is none.`);
	return kernels;
}

async function homeOrEmbedded(options: ChooseOptions): Promise<string> {
	try {
		await obtainKernel(homeKernel, options);
		return homeKernel;
	} catch (error) {
		if (!(error instanceof KernelUnavailableError)) throw error;
		say(`${error.message} Running on ${embeddedKernel} instead.`);
		return embeddedKernel;
	}
}
