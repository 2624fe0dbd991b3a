import {visible} from '../escape-control.ts';

/** Text that is HTML already. */
export class Markup {
	readonly text: string;

	constructor(text: string) {
		this.text = text;
	}
}

export type Part = Markup | string | number | undefined | false | readonly Part[];

/** HTML from a template: whatever is put into it and is not HTML already is text, and stays text. */
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
