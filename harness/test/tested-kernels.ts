import {defaultKernel, fallbackKernel} from '../suites/bprobe/default-kernels.ts';

/** The kernels on which `npm test` runs the matrix, each by a file `KERNEL.test.ts` of the suite. */
export const testedKernels = [defaultKernel, 'debian-5.10', fallbackKernel, 'debian-6.12'] as const;
