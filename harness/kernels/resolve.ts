// SPDX-License-Identifier: GPL-2.0
import {existsSync} from 'node:fs';
import {debianRow, pinnedSha256} from './catalogue.ts';
import {resolveDebianKernel} from './debian.ts';
import type {ObtainOptions} from './kernel.ts';
import {parseKernelId} from './kernel-id.ts';
import {cachedSourceKernel} from './source.ts';
import {inspectTree, requireVersion} from './source-tree.ts';

/** Describes the kernel that an id stands for, without fetching or building it. Throws UsageError for an unknown id. */
export async function resolveKernel(
	text: string,
	options: ObtainOptions = {},
): Promise<{id: string; release: string; origin: string}> {
	const id = parseKernelId(text);
	if (id.kind === 'debian') {
		const {release, packages} = await resolveDebianKernel(id.id, debianRow(id.id)!, options);
		return {id: id.id, release, origin: `Debian ${packages[0]!.name} ${packages[0]!.version}`};
	}
	if (id.kind === 'directory') {
		const {version, state} = await inspectTree(id.directory);
		return {id: id.id, release: version, origin: `tree, ${state}`};
	}
	if (id.kind === 'release' && options.source !== undefined) {
		const tree = await inspectTree(options.source);
		requireVersion(tree, id.version);
		return {id: id.id, release: tree.version, origin: `tree ${tree.directory}`};
	}
	const cached = await cachedSourceKernel(id);
	if (cached && existsSync(cached.bzImage))
		return {id: id.id, release: cached.release, origin: `${cached.origin}, in the cache`};
	if (id.kind === 'debian-source')
		return {id: id.id, release: id.series, origin: `Debian linux-source-${id.series}, to be built on this host`};
	const pinned = pinnedSha256(id.version) ? 'checksum pinned' : 'checksum listed by kernel.org';
	return {id: id.id, release: id.version, origin: `kernel.org, to be built on this host; ${pinned}`};
}
