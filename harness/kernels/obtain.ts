// SPDX-License-Identifier: GPL-2.0
import {NetworkError, NotFoundError} from '../host/errors.ts';
import {debianRow} from './catalogue.ts';
import {obtainDebianKernel} from './debian.ts';
import {requireOptions} from './fragment.ts';
import type {Kernel, ObtainOptions} from './kernel.ts';
import {type KernelId, parseKernelId} from './kernel-id.ts';
import {findRelease, obtainDebianSource, obtainDirectory} from './source.ts';
import {KernelUnavailableError} from './unavailable.ts';

/**
 * Obtains a kernel from the cache, by fetching it, or by building it. Throws KernelUnavailableError when it cannot be
 * fetched here and now, BuildError when it does not compile or lacks an option of the fragment, UsageError for an
 * unknown id or an unusable tree.
 */
export async function obtainKernel(text: string, options: ObtainOptions = {}): Promise<Kernel> {
	const kernel = await obtainAny(parseKernelId(text), options);
	if (options.fragment) await requireOptions(kernel.id, kernel.config, options.fragment);
	return kernel;
}

async function obtainAny(id: KernelId, options: ObtainOptions): Promise<Kernel> {
	switch (id.kind) {
		case 'debian':
			return orUnavailable(id.id, obtainDebianKernel(id.id, debianRow(id.id)!, options));
		case 'debian-source':
			return orUnavailable(id.id, obtainDebianSource(id, options));
		case 'release':
			return (await findRelease(id, options))();
		case 'directory':
			return obtainDirectory(id, options);
	}
}

async function orUnavailable(kernel: string, obtaining: Promise<Kernel>): Promise<Kernel> {
	try {
		return await obtaining;
	} catch (error) {
		if (!(error instanceof NetworkError || error instanceof NotFoundError)) throw error;
		throw new KernelUnavailableError(kernel, {
			reason: error.message,
			advice: 'Set PROBE_MATRIX_MIRROR to a reachable Debian mirror that has it.',
			cause: error,
		});
	}
}
