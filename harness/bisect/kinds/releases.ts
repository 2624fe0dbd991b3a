// SPDX-License-Identifier: GPL-2.0
import {UsageError} from '../../host/errors.ts';
import {listKernels} from '../../kernels/inventory.ts';
import {type KernelId, parseKernelId} from '../../kernels/kernel-id.ts';
import {compareReleases} from '../../kernels/kernel-version.ts';
import type {Release} from './release-range.ts';

type Known = {readonly id: KernelId; readonly version: string; readonly cost: Release['cost']};

/**
 * Kernels known here from `good` to `bad`, oldest first. Throws UsageError for ends that are unknown or in the wrong
 * order.
 */
export async function releasesBetween(good: string, bad: string): Promise<readonly Release[]> {
	const [from, to] = [parseKernelId(good), parseKernelId(bad)];
	if (from.id === to.id) throw new UsageError(`${good} cannot be both good and bad.`);
	if (from.flavour !== to.flavour && [from, to].every(({kind}) => kind === 'release')) {
		throw new UsageError(
			`${good} and ${bad} are of two flavours; a bisect of releases needs ends of one flavour. Compare configurations with --good-config and --bad-config.`,
		);
	}
	const known = await knownReleases();
	const cached = (id: KernelId) => known.find(each => each.id.id === id.id) ?? describe(id, undefined);
	const [first, last] = [cached(from), cached(to)];
	if (compareReleases(first.version, last.version) >= 0) {
		throw new UsageError(
			`${good} (${first.version}) is not older than ${bad} (${last.version}); --good must be the older kernel, or with --fixed --bad.`,
		);
	}
	const flavour = from.kind === 'release' ? from.flavour : to.flavour;
	const between = known.filter(
		({id, version}) =>
			compareReleases(version, first.version) > 0 &&
			compareReleases(version, last.version) < 0 &&
			(id.kind === 'debian' || (id.kind === 'release' && (id.flavour === flavour || flavour === 'cloud'))),
	);
	// Two kernels of one version are built from the same sources; testing one is enough.
	const distinct = Map.groupBy(between, ({version}) => version)
		.values()
		.map(([first]) => first!);
	const sorted = [...distinct].toSorted((a, b) => compareReleases(a.version, b.version));
	return [first, ...sorted, last].map(({id, version, cost}) => ({id: id.id, title: titleOf(id, version), cost}));
}

/** The kernel.org version that a kernel is made from. */
export async function versionOfRelease(id: string): Promise<string> {
	const kernel = parseKernelId(id);
	if (kernel.kind === 'release') return kernel.version;
	const known = (await knownReleases()).find(each => each.id.id === kernel.id);
	return (known ?? describe(kernel, undefined)).version;
}

async function knownReleases(): Promise<readonly Known[]> {
	const listed = await listKernels();
	return listed
		.map(({id, cached}) => describe(parseKernelId(id), cached && versionOf(cached)))
		.filter(({id}) => id.kind !== 'directory');
}

function describe(id: KernelId, cached: string | undefined): Known {
	if (id.kind === 'directory') {
		throw new UsageError(`${id.id} is a source tree; give it as --linux, and --good and --bad as its revisions.`);
	}
	const named = id.kind === 'debian-source' ? id.series : id.id.replace('debian-', '');
	const version = id.kind === 'release' ? id.version : (cached ?? named);
	const uncached = id.kind === 'debian' ? 'fetched' : 'built';
	return {id, version, cost: cached === undefined ? uncached : 'cached'};
}

/** Debian's origin names the upstream version: 5.10.262, where the release is 5.10.0-46. */
function versionOf({release, origin}: {readonly release: string; readonly origin: string}): string {
	return /^Debian \S+ (\d+\.\d+(?:\.\d+)?)/.exec(origin)?.[1] ?? release;
}

function titleOf(id: KernelId, version: string): string {
	return id.id.includes(version) ? id.id : `${id.id} (${version})`;
}
