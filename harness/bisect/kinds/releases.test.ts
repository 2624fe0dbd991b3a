// SPDX-License-Identifier: GPL-2.0
import test from 'ava';
import {cacheKernel} from '../../test/cached-kernel.ts';
import {freshCache} from '../../test/fresh-cache.ts';
import {releasesBetween, versionOfRelease} from './releases.ts';

test.serial('releases are in the order of their versions, each with what it costs to have it', async t => {
	await using _ = await freshCache();
	const release = '6.1.0-49-cloud-amd64';
	await cacheKernel({id: 'debian-6.1', release, origin: 'Debian linux 6.1.192-1', flavour: 'cloud'});
	const releases = await releasesBetween('4.15.18', 'debian-6.12');
	const of = (id: string) => releases.find(each => each.id === id);
	t.deepEqual([releases[0]?.id, releases.at(-1)?.id], ['4.15.18', 'debian-6.12']);
	t.deepEqual([of('4.15.18')?.cost, of('debian-5.10')?.cost], ['built', 'fetched']);
	t.like(of('debian-6.1'), {cost: 'cached', title: 'debian-6.1 (6.1.192)'});
	const inner = await releasesBetween('debian-5.10', 'debian-6.12');
	t.deepEqual(
		inner.map(({id}) => id),
		['debian-5.10', 'debian-6.1', 'debian-6.12'],
	);
	t.is(await versionOfRelease('debian-6.1'), '6.1.192', 'not that of the release, which is 6.1.0');
});

test.serial(
	'between Debian kernels are the releases that were built here, of any flavour but one for each version',
	async t => {
		await using _ = await freshCache();
		const built = async (id: string, flavour: string) =>
			cacheKernel({id, release: id, origin: `kernel.org linux-${id}`, flavour});
		for (const version of ['5.15.100', '5.10.1', '6.12.99']) await built(version, 'base');
		for (const version of ['5.15.100', '6.6.1']) await built(`${version}+debug`, 'debug');
		const idsBetween = async (good: string, bad: string) => (await releasesBetween(good, bad)).map(({id}) => id);
		t.deepEqual(await idsBetween('debian-5.10', 'debian-6.1'), ['debian-5.10', '5.10.1', '5.15.100', 'debian-6.1']);
		t.deepEqual(
			await idsBetween('debian-5.10', 'debian-6.12'),
			['debian-5.10', '5.10.1', '5.15.100', 'debian-6.1', '6.6.1+debug', 'debian-6.12'],
			'those that are newer are outside',
		);
		t.deepEqual(await idsBetween('5.10.1', 'debian-6.12'), ['5.10.1', '5.15.100', 'debian-6.1', 'debian-6.12']);
		t.deepEqual(await idsBetween('debian-5.10', '6.12.99'), [
			...['debian-5.10', '5.10.1', '5.15.100', 'debian-6.1', 'debian-6.12', '6.12.99'],
		]);
		t.deepEqual(await idsBetween('5.15.100+debug', '6.6.1+debug'), ['5.15.100+debug', 'debian-6.1', '6.6.1+debug']);
	},
);

test.serial('ends that are no range are refused', async t => {
	await using _ = await freshCache();
	const refused = async (good: string, bad: string, message: RegExp) =>
		t.throwsAsync(releasesBetween(good, bad), {name: 'UsageError', message});
	await refused('debian-6.1', 'debian-6.1', /cannot be both good and bad/);
	await refused('debian-6.1', 'debian-5.10', /is not older than/);
	await refused('4.15.18', '6.1.1+debug', /two flavours/);
});
