/** The kernels on which `npm test` runs the matrix, each by a file `KERNEL.test.ts` beside this one; the first is the default of `run`. */
export const testedKernels = ['debian-6.1'] as const;
