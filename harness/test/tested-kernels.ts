// SPDX-License-Identifier: GPL-2.0
import {defaultKernel, fallbackKernel} from '../kernels/default-kernels.ts';

/** Kernels on which `npm test` runs the matrix; each has a file `KERNEL.test.ts` in the suite. */
export const testedKernels = [defaultKernel, 'debian-5.10', fallbackKernel, 'debian-6.12'] as const;
