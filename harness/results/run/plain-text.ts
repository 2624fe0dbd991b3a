// SPDX-License-Identifier: GPL-2.0
import {stripVTControlCharacters} from 'node:util';

/** Removes what could affect the terminal from text of a guest. */
export function plainText(text: string): string {
	return stripVTControlCharacters(text).replaceAll(/[^\P{C}\n\t]/gu, '�');
}
