/**
 * How much cells share. reuse: a guest, for as long as it is clean; restore: nothing but what was saved, each cell has a
 * fresh copy; reboot: nothing, each cell has a freshly booted guest.
 */
export const isolations = ['reuse', 'restore', 'reboot'] as const;

export type Isolation = (typeof isolations)[number];
