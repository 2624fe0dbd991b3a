// SPDX-License-Identifier: GPL-2.0
export type Package = {
	readonly name: string;
	readonly version: string;
	readonly depends: string;
	readonly url: string;
	readonly sha256: string;
	readonly sizeBytes: number;
};

/** The fields of one paragraph by lower-case name; continuation lines are kept with their line breaks. */
export function parseParagraph(text: string): ReadonlyMap<string, string> {
	const fields = new Map<string, string>();
	let last = '';
	for (const line of text.split('\n')) {
		if (/^[ \t]/.test(line)) {
			fields.set(last, `${fields.get(last) ?? ''}\n${line.slice(1)}`);
			continue;
		}
		const colon = line.indexOf(':');
		if (colon <= 0) continue;
		last = line.slice(0, colon).toLowerCase();
		fields.set(last, line.slice(colon + 1).trim());
	}
	return fields;
}

/** Path → {sha256, size} of a Release file. */
export function parseReleaseHashes(release: string): ReadonlyMap<string, {sha256: string; sizeBytes: number}> {
	const block = parseParagraph(release).get('sha256') ?? '';
	return new Map(
		block
			.split('\n')
			.map(line => line.trim().split(/\s+/))
			.filter(parts => parts.length === 3 && /^[0-9a-f]{64}$/.test(parts[0]!))
			.map(([sha256, size, file]) => [file!, {sha256: sha256!, sizeBytes: Number(size)}]),
	);
}

/**
 * A Packages file as text. Tens of megabytes and two or three predicates: searching is much quicker than parsing.
 */
export class PackageIndex {
	readonly #text: string;
	readonly #baseUrl: string;

	constructor(text: string, baseUrl: string) {
		this.#text = `\n\n${text}\n`;
		this.#baseUrl = baseUrl;
	}

	/** All versions of a package. */
	find(name: string): readonly Package[] {
		const found: Package[] = [];
		const needle = `\nPackage: ${name}\n`;
		for (let at = this.#text.indexOf(needle); at >= 0; at = this.#text.indexOf(needle, at + 1)) {
			found.push(this.#packageAt(at));
		}
		return found;
	}

	/** The packages whose names `pattern` matches as a whole. */
	match(pattern: RegExp): readonly Package[] {
		const names = new RegExp(`^Package: (?:${pattern.source})$`, 'gm');
		return [...this.#text.matchAll(names)].map(match => this.#packageAt(match.index - 1));
	}

	/** The packages that provide a virtual one. */
	providers(name: string): readonly Package[] {
		const escaped = name.replaceAll(/[.+]/g, '\\$&');
		const provides = new RegExp(`^Provides: (?:.*, )?${escaped}(?: \\(|,|$)`, 'gm');
		return [...this.#text.matchAll(provides)].map(match =>
			this.#packageAt(this.#text.lastIndexOf('\n\n', match.index) + 1),
		);
	}

	#packageAt(at: number): Package {
		const start = this.#text.lastIndexOf('\n\n', at) + 2;
		const fields = parseParagraph(this.#text.slice(start, this.#text.indexOf('\n\n', start)));
		const field = (key: string) => fields.get(key) ?? '';
		return {
			name: field('package'),
			version: field('version'),
			depends: [field('pre-depends'), field('depends')].filter(Boolean).join(', '),
			url: `${this.#baseUrl}/${field('filename')}`,
			sha256: field('sha256'),
			sizeBytes: Number(field('size')),
		};
	}
}
