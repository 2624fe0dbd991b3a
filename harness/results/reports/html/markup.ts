// SPDX-License-Identifier: GPL-2.0
import {visible} from '../escape-control.ts';

/** Text that is already HTML. */
export class Markup {
	readonly text: string;

	constructor(text: string) {
		this.text = text;
	}
}

export type Part = Markup | string | number | undefined | false | readonly Part[];

/** Makes HTML from a template. Values that are not Markup are escaped. */
export function html(strings: TemplateStringsArray, ...parts: readonly Part[]): Markup {
	return new Markup(
		strings.map((string, index) => string + (index < parts.length ? render(parts[index]) : '')).join(''),
	);
}

function render(part: Part): string {
	if (part === undefined || part === false) return '';
	if (part instanceof Markup) return part.text;
	if (typeof part === 'string' || typeof part === 'number') return quote(String(part));
	return part.map(render).join('');
}

function quote(text: string): string {
	return visible(text).replaceAll(/[&<>"'`]/g, character => `&#${character.codePointAt(0)};`);
}
