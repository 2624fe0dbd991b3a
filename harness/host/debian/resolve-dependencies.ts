// SPDX-License-Identifier: GPL-2.0
import {UsageError} from '../errors.ts';
import type {Package, PackageIndex} from './deb822.ts';
import {compareVersions} from './package-version.ts';

/** The newest of that name in all the indices. */
export function newest(indices: readonly PackageIndex[], name: string): Package | undefined {
	return newestOf(indices.flatMap(index => index.find(name)));
}

function newestOf(packages: readonly Package[]): Package | undefined {
	return packages.toSorted((a, b) => compareVersions(b.version, a.version))[0];
}

/**
 * The packages named and everything they depend on, without `skip` (and what only those need). Versions are not
 * weighed: the newest is taken, as fits indices that belong together.
 */
export function closure(
	indices: readonly PackageIndex[],
	roots: readonly string[],
	{skip = []}: {skip?: readonly string[]} = {},
): readonly Package[] {
	const chosen = new Map<string, Package>();
	const wanted = [...roots];
	for (let alternatives = wanted.shift(); alternatives !== undefined; alternatives = wanted.shift()) {
		const names = alternatives.split('|').map(name => name.replace(/[(:[].*/s, '').trim());
		if (names.some(name => skip.includes(name) || chosen.has(name))) continue;
		const found = firstOf(
			names,
			name => newest(indices, name) ?? newestOf(indices.flatMap(index => index.providers(name))),
		);
		if (!found) throw new UsageError(`No package ${names.join(' or ')} in the Debian archive.`);
		if (chosen.has(found.name)) continue;
		chosen.set(found.name, found);
		wanted.push(
			...found.depends
				.split(',')
				.map(name => name.trim())
				.filter(Boolean),
		);
	}
	return [...chosen.values()].toSorted((a, b) => (a.name < b.name ? -1 : 1));
}

function firstOf<T, R>(items: readonly T[], map: (item: T) => R | undefined): R | undefined {
	for (const item of items) {
		const result = map(item);
		if (result !== undefined) return result;
	}
	return undefined;
}
