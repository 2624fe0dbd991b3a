/** What bprobe was made for, and what `run` takes where nothing else is asked for. */
export const homeKernel = '4.15.18';

/** What serves instead where the home kernel can neither be found nor fetched: nothing of it is built here. */
export const embeddedKernel = 'debian-6.1';

/** The kernels on which `npm test` runs the matrix, each by a file `KERNEL.test.ts` beside this one. */
export const testedKernels = [homeKernel, 'debian-5.10', embeddedKernel, 'debian-6.12'] as const;
