// SPDX-License-Identifier: GPL-2.0
import {createWriteStream} from 'node:fs';
import {link, lstat, mkdir, readFile, symlink} from 'node:fs/promises';
import path from 'node:path';
import {Readable} from 'node:stream';
import {pipeline} from 'node:stream/promises';
import {createGunzip, createZstdDecompress} from 'node:zlib';
import tar from 'tar-stream';
import {errorCode, UsageError} from '../errors.ts';
import {programs} from '../programs.ts';

/** The members of an ar archive. Throws UsageError if it is none. */
export function parseAr(bytes: Buffer): ReadonlyMap<string, Buffer> {
	if (bytes.toString('latin1', 0, 8) !== '!<arch>\n') throw new UsageError('This is not an ar archive.');
	const members = new Map<string, Buffer>();
	for (let at = 8; at + 60 <= bytes.length; ) {
		const name = bytes
			.toString('latin1', at, at + 16)
			.trim()
			.replace(/\/$/, '');
		const size = Number(bytes.toString('latin1', at + 48, at + 58).trim());
		const start = at + 60;
		if (!Number.isInteger(size) || size < 0 || start + size > bytes.length) {
			throw new UsageError(`The ar archive is cut off or damaged at byte ${at}.`);
		}
		members.set(name, bytes.subarray(start, start + size));
		at = start + size + (size % 2);
	}
	return members;
}

/** Unpacks the files of a .deb below `root`; never outside of it, and without owners, devices and set-id bits. */
export async function unpackDeb(
	file: string,
	root: string,
	{keep = () => true}: {keep?: (path: string) => boolean} = {},
): Promise<void> {
	const members = parseAr(await readFile(file));
	const [name, data] = [...members].find(([member]) => member.startsWith('data.tar')) ?? [];
	if (!name || !data) throw new UsageError(`${file} has no data.tar.`);
	await unpackTar(decompress(name, data), root, {keep});
}

function decompress(name: string, data: Buffer): AsyncIterable<Buffer> {
	const source = Readable.from([data]);
	switch (path.extname(name)) {
		case '.xz':
			return xz(data);
		case '.zst':
			return source.pipe(createZstdDecompress());
		case '.gz':
			return source.pipe(createGunzip());
		case '.tar':
			return source;
		default:
			throw new UsageError(`${name}: unknown compression.`);
	}
}

async function* xz(data: Buffer): AsyncIterable<Buffer> {
	const child = programs()('xz', ['-dc'], {encoding: 'buffer', input: data, buffer: false});
	// Whoever stops reading early ends it; that must not count as unhandled.
	child.catch(() => {});
	yield* child.stdout as AsyncIterable<Buffer>;
	await child;
}

async function unpackTar(
	source: AsyncIterable<Buffer>,
	root: string,
	{keep}: {keep: (path: string) => boolean},
): Promise<void> {
	const extract = tar.extract();
	// tar-stream's types are streamx's; the object is a Node stream for all that matters here.
	const feeding = pipeline(Readable.from(source), extract as unknown as NodeJS.WritableStream);
	// Reported below; until then it must not count as unhandled.
	feeding.catch(() => {});
	for await (const entry of extract) {
		const {name, type, linkname, mode} = entry.header;
		const relative = safePath(name);
		if (relative === '' || !keep(relative)) {
			entry.resume();
			continue;
		}
		const target = path.join(root, relative);
		await refuseLinks(root, path.dirname(relative));
		await mkdir(path.dirname(target), {recursive: true});
		if (type === 'file' || type === 'contiguous-file') {
			await pipeline(
				entry as unknown as NodeJS.ReadableStream,
				createWriteStream(target, {mode: (mode & 0o755) | 0o600, flags: 'wx'}),
			);
			continue;
		}
		entry.resume();
		if (type === 'directory') {
			await refuseLinks(root, relative);
			await mkdir(target, {recursive: true});
		} else if (type === 'symlink') {
			if (!path.isAbsolute(linkname!)) safePath(path.join(path.dirname(relative), linkname!));
			await symlink(linkname!, target);
		} else if (type === 'link') {
			const origin = safePath(linkname!);
			await refuseLinks(root, origin);
			await link(path.join(root, origin), target);
		}
	}
	await feeding;
}

/** The path relative to the root, in normal form; throws if it leads out. */
function safePath(name: string): string {
	const relative = path.normalize(name.replace(/\/+$/, ''));
	if (path.isAbsolute(relative) || relative === '..' || relative.startsWith('../') || name.includes('\0')) {
		throw new UsageError(
			`The package holds the path ${JSON.stringify(name)}, which leads outside; the package was rejected.`,
		);
	}
	return relative === '.' ? '' : relative;
}

/** Nothing is written through a symbolic link that the archive itself may have planted. */
async function refuseLinks(root: string, relative: string): Promise<void> {
	let at = root;
	for (const part of relative.split('/')) {
		at = path.join(at, part);
		try {
			if ((await lstat(at)).isSymbolicLink()) {
				throw new UsageError(
					`The package writes through its own link ${path.relative(root, at)}; the package was rejected.`,
				);
			}
		} catch (error) {
			if (errorCode(error) === 'ENOENT') return;
			throw error;
		}
	}
}
