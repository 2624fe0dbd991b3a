// SPDX-License-Identifier: GPL-2.0
/** Debian's order of versions (deb-version(7)): negative, 0 or positive. */
export function compareVersions(a: string, b: string): number {
	const [epochA, restA] = splitEpoch(a);
	const [epochB, restB] = splitEpoch(b);
	if (epochA !== epochB) return epochA - epochB;
	const [upstreamA, revisionA] = splitRevision(restA);
	const [upstreamB, revisionB] = splitRevision(restB);
	return comparePart(upstreamA, upstreamB) || comparePart(revisionA, revisionB);
}

function splitEpoch(version: string): [number, string] {
	const colon = version.indexOf(':');
	return colon < 0 ? [0, version] : [Number(version.slice(0, colon)), version.slice(colon + 1)];
}

function splitRevision(version: string): [string, string] {
	const dash = version.lastIndexOf('-');
	return dash < 0 ? [version, ''] : [version.slice(0, dash), version.slice(dash + 1)];
}

function comparePart(a: string, b: string): number {
	const left: string[] = a.match(/\d+|\D+/g) ?? [];
	const right: string[] = b.match(/\d+|\D+/g) ?? [];
	// Text and numbers alternate and text comes first, so that both lists are in step.
	for (const list of [left, right]) if (/^\d/.test(list[0] ?? '')) list.unshift('');
	for (let index = 0; index < Math.max(left.length, right.length); index += 1) {
		const [x, y] = [left[index] ?? '', right[index] ?? ''];
		const order = index % 2 === 1 ? Number(x || 0) - Number(y || 0) : compareText(x, y);
		if (order !== 0) return order;
	}
	return 0;
}

function compareText(a: string, b: string): number {
	for (let index = 0; index < Math.max(a.length, b.length); index += 1) {
		const order = weight(a[index]) - weight(b[index]);
		if (order !== 0) return order;
	}
	return 0;
}

/** `~` before the end, the end before letters, letters before everything else. */
function weight(character: string | undefined): number {
	if (character === undefined) return 0;
	if (character === '~') return -1;
	return /[A-Za-z]/.test(character) ? character.charCodeAt(0) : character.charCodeAt(0) + 256;
}
