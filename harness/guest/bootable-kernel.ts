// SPDX-License-Identifier: GPL-2.0
import {buildBootFiles} from '../build/guest-build.ts';
import {findAccelerator} from '../host/accelerator.ts';
import {BootError, BuildError} from '../host/errors.ts';
import {findQemu} from '../host/qemu.ts';
import type {Kernel, ObtainOptions} from '../kernels/kernel.ts';
import {obtainKernel} from '../kernels/obtain.ts';
import {Instance} from '../vm/instance.ts';

/**
 * Like obtainKernel, but a kernel that is built here must also boot until its agent answers: a kernel can compile,
 * serve to build modules, and still die before its first console output. Throws BuildError when it does not boot.
 */
export async function obtainBootableKernel(text: string, options: Omit<ObtainOptions, 'prove'> = {}): Promise<Kernel> {
	return obtainKernel(text, {...options, prove: kernel => proveBoot(kernel, options)});
}

async function proveBoot(kernel: Kernel, {signal}: Pick<ObtainOptions, 'signal'>): Promise<void> {
	const files = await buildBootFiles(kernel, {signal});
	const {name: accelerator} = await findAccelerator(await findQemu({signal}), {signal});
	try {
		await using _ = await Instance.boot(files, {accelerator, signal, deadlineMs: 120_000});
	} catch (error) {
		if (!(error instanceof BootError)) throw error;
		throw new BuildError(`It was built, but it does not boot. ${error.message}`, {cause: error});
	}
}
