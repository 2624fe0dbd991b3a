// SPDX-License-Identifier: GPL-2.0
/** A count of things, for example `1 cell` or `34 cells`. */
export function counted(count: number, thing: string): string {
	return `${count} ${thing}${count === 1 ? '' : 's'}`;
}
