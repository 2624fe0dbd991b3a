// SPDX-License-Identifier: GPL-2.0
/**
 * Replaces addresses, times and large counts by `…`, so that equal problems in different guests read the same. Small
 * numbers are kept, because `2 !== 3` and `2 !== 4` are different findings. `hidesSmallNumbers` replaces them as well:
 * between kernels they are line numbers and offsets.
 */
export function normalizeMessage(message = '', {hidesSmallNumbers = false} = {}): string {
	const text = message
		.replaceAll(/\b0x[\da-f]{5,}\b|\b(?=[a-f]*\d)[\da-f]{5,}\b/gi, '…')
		.replaceAll(/\b\d+\.\d+\b|\b\d{3,}\b/g, '…');
	const shown = hidesSmallNumbers ? text.replaceAll(/\b(?:0x[\da-f]+|\d+)\b/gi, '…') : text;
	return shown.replaceAll(/\s+/g, ' ').trim();
}
