// SPDX-License-Identifier: GPL-2.0
/**
 * What cells share. `reuse`: a guest, as long as it is clean. `restore`: only the snapshot, each cell gets a freshly
 * restored guest. `reboot`: nothing, each cell gets a freshly booted guest.
 */
export const isolations = ['reuse', 'restore', 'reboot'] as const;

export type Isolation = (typeof isolations)[number];
