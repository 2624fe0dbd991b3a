// SPDX-License-Identifier: GPL-2.0
/** The file of a suite that is found in the current directory or above. */
export const configName = 'probe-matrix.config.ts';
