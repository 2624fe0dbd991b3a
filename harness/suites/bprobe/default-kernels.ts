/** The kernel that bprobe was made for, and that commands take if none is named. */
export const defaultKernel = '4.15.18';

/** Taken if the default kernel is not cached and cannot be fetched; nothing of it is built here. */
export const fallbackKernel = 'debian-6.1';
