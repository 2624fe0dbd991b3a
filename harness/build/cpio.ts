// SPDX-License-Identifier: GPL-2.0
/** One entry of an archive; `path` has no leading slash. Missing parent directories are added. */
export type CpioEntry =
	| {readonly path: string; readonly data: Buffer; readonly mode?: number}
	| {readonly path: string; readonly linkTo: string}
	| {readonly path: string; readonly directory: true; readonly mode?: number};

/**
 * Writes a `newc` archive for the kernel to unpack: sorted, owned by root and without mtimes, so it is reproducible.
 */
export function writeCpio(entries: readonly CpioEntry[]): Buffer {
	const all = new Map<string, CpioEntry>();
	for (const entry of entries) {
		for (let slash = entry.path.indexOf('/'); slash >= 0; slash = entry.path.indexOf('/', slash + 1)) {
			const path = entry.path.slice(0, slash);
			if (!all.has(path)) all.set(path, {path, directory: true});
		}
		all.set(entry.path, entry);
	}
	const sorted = [...all.values()].toSorted((a, b) => (a.path < b.path ? -1 : 1));
	return Buffer.concat([
		...sorted.flatMap((entry, index) => encode(entry, index + 1)),
		...encode({path: 'TRAILER!!!', data: Buffer.alloc(0), mode: 0}, 0),
	]);
}

const typeBits = {directory: 0o040000, file: 0o100000, link: 0o120000};

function encode(entry: CpioEntry, inode: number): readonly Buffer[] {
	const data = 'data' in entry ? entry.data : Buffer.from('linkTo' in entry ? entry.linkTo : '');
	const name = Buffer.from(`${entry.path}\0`);
	const fields = [inode, modeOf(entry), 0, 0, 1, 0, data.length, 0, 0, 0, 0, name.length, 0];
	const header = Buffer.from(`070701${fields.map(field => field.toString(16).padStart(8, '0')).join('')}`);
	return [header, name, padding(header.length + name.length), data, padding(data.length)];
}

function modeOf(entry: CpioEntry): number {
	if (entry.path === 'TRAILER!!!') return 0;
	if ('linkTo' in entry) return typeBits.link | 0o777;
	return 'data' in entry ? typeBits.file | (entry.mode ?? 0o644) : typeBits.directory | (entry.mode ?? 0o755);
}

function padding(length: number): Buffer {
	return Buffer.alloc((4 - (length % 4)) % 4);
}
