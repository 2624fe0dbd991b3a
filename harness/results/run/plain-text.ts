import {stripVTControlCharacters} from 'node:util';

/** Text of a guest must not steer the terminal. */
export function plainText(text: string): string {
	return stripVTControlCharacters(text).replaceAll(/[^\P{C}\n\t]/gu, '�');
}
