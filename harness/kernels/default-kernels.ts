// SPDX-License-Identifier: GPL-2.0
/** The kernel that this project is at home on. No archive has it: it is built here. */
export const defaultKernel = '4.15.18';

/** Used if the default kernel is neither cached nor can be fetched. No part of this kernel is built here. */
export const fallbackKernel = 'debian-6.1';
