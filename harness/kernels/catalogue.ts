// SPDX-License-Identifier: GPL-2.0
import {readdirSync} from 'node:fs';
import path from 'node:path';
import catalogue from '../../images/kernels.json' with {type: 'json'};
import type {Suite} from '../host/debian/archive.ts';
import {UsageError} from '../host/errors.ts';
import {nearest} from '../host/nearest.ts';
import {compareReleases} from './kernel-version.ts';

export type DebianRow = {readonly series: string; readonly suites: readonly Suite[]};

// TypeScript widens `archive` in JSON to string; images/kernels.json holds only valid values.
const debian = catalogue.debian as Readonly<Record<string, DebianRow>>;
const releases: Readonly<Record<string, {readonly sha256: string}>> = catalogue.releases;

/** The directory of kconfig fragments, one per flavour. */
export const kconfigDirectory = path.resolve(import.meta.dirname, '../../images/kconfig');

/** Flavours that may follow the plus of an id. `base` is part of all of them. */
export const flavours: readonly string[] = readdirSync(kconfigDirectory)
	.map(file => path.basename(file, '.config'))
	.filter(name => name !== 'base')
	.toSorted();

/** Why a release cannot have a flavour; undefined if it can. */
export function whyNoFlavour(release: string, flavour: string): string | undefined {
	const rows: Readonly<Record<string, string>> = catalogue.flavoursSince;
	const since = Object.hasOwn(rows, flavour) ? rows[flavour]! : undefined;
	return since !== undefined && compareReleases(release, since) < 0
		? `${flavour} needs Linux ${since} or newer`
		: undefined;
}

/** The ids that `all` stands for. Any other kernel.org release works, too. */
export function knownKernels(): readonly string[] {
	return [...Object.keys(releases), ...Object.keys(debian)];
}

/** All known kernels, `release` in all flavours that it has, and what images/kernels.json adds. */
export function nightlyKernels(release: string): readonly string[] {
	const own = flavours.filter(flavour => whyNoFlavour(release, flavour) === undefined);
	return [...knownKernels(), ...own.map(flavour => `${release}+${flavour}`), ...catalogue.nightly];
}

/** The entry of a Debian series in images/kernels.json, or undefined. */
export function debianRow(id: string): DebianRow | undefined {
	return Object.hasOwn(debian, id) ? debian[id] : undefined;
}

/** SHA-256 of a release's tarball, if it is pinned. */
export function pinnedSha256(version: string): string | undefined {
	return Object.hasOwn(releases, version) ? releases[version]!.sha256 : undefined;
}

/** The error for an unknown id: with the reason `why`, or else the id that was meant or the nearest known ids. */
export function unknownKernel(id: string, why?: string): UsageError {
	if (why) return new UsageError(`Unknown kernel ${JSON.stringify(id)}: ${why}.`);
	const meant = nearest(id, knownKernels(), 3);
	// Another version is no slip of the finger.
	if (meant !== undefined && numbersOf(meant) === numbersOf(id))
		return new UsageError(`Unknown kernel ${JSON.stringify(id)}; did you mean ${meant}?`);
	return new UsageError(
		`Unknown kernel ${JSON.stringify(id)}; the nearest are ${similar(id).join(', ')}. Any kernel.org release (6.6.30), an Ubuntu name (4.15.0-72-generic) or the path of a source tree also works.`,
	);
}

function numbersOf(id: string): string {
	return id.match(/\d+/g)?.join() ?? '';
}

/** Known ids, sorted by similarity of version and distribution. */
function similar(id: string): readonly string[] {
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
