// SPDX-License-Identifier: GPL-2.0
/**
 * Zeller's ddmin: returns a subset of `items` that is bad and minimal, which means that it is not bad without any one
 * of its elements. `isBad` gets subsets in the order of `items`. The empty set must be good and the whole set bad;
 * neither is tested.
 */
export async function smallestSet<T>(
	items: readonly T[],
	isBad: (some: readonly T[]) => Promise<boolean>,
): Promise<readonly T[]> {
	let current = items;
	for (let parts = 2; current.length > 1; ) {
		const chunks = split(current, Math.min(parts, current.length));
		const part = await firstOf(chunks, isBad);
		if (part) {
			current = part;
			parts = 2;
			continue;
		}
		// With two chunks, the complements are the chunks themselves.
		const complements = chunks.length > 2 ? chunks.map(chunk => current.filter(item => !chunk.includes(item))) : [];
		const rest = await firstOf(complements, isBad);
		if (rest) {
			current = rest;
			parts = Math.max(2, parts - 1);
			continue;
		}
		if (parts >= current.length) break;
		parts = Math.min(current.length, parts * 2);
	}
	return current;
}

async function firstOf<T>(
	sets: readonly (readonly T[])[],
	isBad: (some: readonly T[]) => Promise<boolean>,
): Promise<readonly T[] | undefined> {
	for (const some of sets) if (await isBad(some)) return some;
	return undefined;
}

function split<T>(items: readonly T[], parts: number): readonly (readonly T[])[] {
	return Array.from({length: parts}, (_, part) =>
		items.slice(Math.floor((part * items.length) / parts), Math.floor(((part + 1) * items.length) / parts)),
	);
}
