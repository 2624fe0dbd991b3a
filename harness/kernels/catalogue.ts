import {readdirSync} from 'node:fs';
import path from 'node:path';
import catalogue from '../../images/kernels.json' with {type: 'json'};
import type {Suite} from '../host/debian/archive.ts';
import {UsageError} from '../host/errors.ts';
import {compareReleases} from './kernel-version.ts';

export type DebianRow = {readonly series: string; readonly suites: readonly Suite[]};

// JSON types widen `archive` to string; images/kernels.json holds nothing else.
const debian = catalogue.debian as Readonly<Record<string, DebianRow>>;
const releases: Readonly<Record<string, {readonly sha256: string}>> = catalogue.releases;

/** Where the fragments of options lie, one a flavour. */
export const kconfigDirectory = path.resolve(import.meta.dirname, '../../images/kconfig');

/** What can stand behind the plus of an id; `base` is in all of them. */
export const flavours: readonly string[] = readdirSync(kconfigDirectory)
	.map(file => path.basename(file, '.config'))
	.filter(name => name !== 'base')
	.toSorted();

/** The ids that stand for all kernels; any other release of kernel.org may be asked for, too. */
export function knownKernels(): readonly string[] {
	return [...Object.keys(releases), ...Object.keys(debian)];
}

/** All of them, and that release in all its flavours. */
export function nightlyKernels(release: string): readonly string[] {
	return [...knownKernels(), ...flavours.map(flavour => `${release}+${flavour}`)];
}

/** What images/kernels.json says of a series of Debian; nothing if it does not name it. */
export function debianRow(id: string): DebianRow | undefined {
	return Object.hasOwn(debian, id) ? debian[id] : undefined;
}

/** The SHA-256 of the tarball, for the releases that are pinned. */
export function pinnedSha256(version: string): string | undefined {
	return Object.hasOwn(releases, version) ? releases[version]!.sha256 : undefined;
}

/** What a person is told who asked for it: why, or else what is like it. */
export function unknownKernel(id: string, why?: string): UsageError {
	if (why) return new UsageError(`Unknown kernel ${JSON.stringify(id)}: ${why}.`);
	return new UsageError(
		`Unknown kernel ${JSON.stringify(id)}; the nearest are ${nearest(id).join(', ')}. Any kernel.org release (6.6.30), an Ubuntu name (4.15.0-72-generic) or the path of a source tree also works.`,
	);
}

/** Those that share most of their numbers and letters with it. */
function nearest(id: string): readonly string[] {
	const version = /\d+\.\d+(?:\.\d+)?/.exec(id)?.[0];
	const isDebian = id.startsWith('deb');
	const distance = (known: string) => {
		const number = /\d+\.\d+(?:\.\d+)?/.exec(known)?.[0] ?? '0.0';
		const same = version !== undefined && compareReleases(number, version) === 0 ? 0 : 2;
		return same + (known.startsWith('debian') === isDebian ? 0 : 1);
	};
	return knownKernels()
		.toSorted((a, b) => distance(a) - distance(b))
		.slice(0, 3);
}
