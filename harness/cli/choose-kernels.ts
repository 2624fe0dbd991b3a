// SPDX-License-Identifier: GPL-2.0
import type {Suite} from '../engine/suite.ts';
import {UsageError} from '../host/errors.ts';
import {knownKernels} from '../kernels/catalogue.ts';
import {parseKernelId} from '../kernels/kernel-id.ts';
import {findRelease} from '../kernels/source.ts';
import {KernelUnavailableError} from '../kernels/unavailable.ts';

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
export async function chooseKernels(
	asked: readonly string[],
	own: Suite['kernels'],
	options: ChooseOptions = {},
): Promise<Choice> {
	if (asked.length === 0) return defaultOrFallback(own, options);
	const kernels = [...new Set(asked.flatMap(id => (id === 'all' ? knownKernels() : [id])))];
	const ids = kernels.map(parseKernelId);
	if (options.source !== undefined && !ids.some(({kind}) => kind === 'release'))
		throw new UsageError(`--source builds kernel.org releases; ${kernels.join(', ')} is not one.`);
	return {kernels};
}

async function defaultOrFallback(own: Suite['kernels'], options: ChooseOptions): Promise<Choice> {
	const {fallback} = own;
	try {
		const id = parseKernelId(own.default);
		if (id.kind === 'release') await findRelease(id, options);
		return {kernels: [own.default]};
	} catch (error) {
		if (!(error instanceof KernelUnavailableError) || fallback === undefined) throw error;
		return {kernels: [fallback], notice: `${error.message} Running on ${fallback} instead.`};
	}
}
