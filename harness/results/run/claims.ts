// SPDX-License-Identifier: GPL-2.0
import type {CellEvent} from './events.ts';

/** The message of a cell that is skipped because its mechanism does not claim a feature. */
export function unclaimedMessage(mechanism: string, feature: string): string {
	return `${mechanism} does not claim ${feature}.`;
}

export function isUnclaimed({verdict, mechanism, message}: CellEvent): boolean {
	return verdict === 'skip' && (message?.startsWith(unclaimedMessage(mechanism, '').slice(0, -1)) ?? false);
}
