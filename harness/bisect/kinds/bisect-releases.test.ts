// SPDX-License-Identifier: GPL-2.0
import test, {type ExecutionContext} from 'ava';
import {cacheKernel} from '../../test/cached-kernel.ts';
import {quietly} from '../../test/capture-stderr.ts';
import {bisectOptions, buildingCache, type EndOfImage, imageGuests} from '../../test/image-guests.ts';
import {bisectReleases, type ReleasesOptions} from './bisect-releases.ts';

const ids = ['debian-5.10', 'debian-6.1', 'debian-6.12', 'debian-7.2'];

/** Four kernels in a cache, and a bisect of them whose guests end as their image says: its id. */
async function openReleases(t: ExecutionContext, endOf: (id: string) => EndOfImage) {
	const cache = await buildingCache();
	t.teardown(async () => cache[Symbol.asyncDispose]());
	const put = async (id: string, revision: number) => {
		const version = `${id.replace('debian-', '')}.3-${revision}`;
		await cacheKernel({id, release: `${version}-amd64`, origin: `Debian linux ${version}`, flavour: 'cloud'});
	};
	for (const id of ids) await put(id, 1);
	const {asked, run} = imageGuests(image => endOf(image.split(' ', 1)[0]!));
	const options = {...(await bisectOptions(run)), good: ids[0]!, bad: ids[3]!};
	const find = async (more: Partial<ReleasesOptions> = {}) => {
		const {value} = await quietly(() => bisectReleases({...options, ...more}));
		return value;
	};
	const askedIds = () => [...new Set(asked.splice(0).map(image => image.split(' ', 1)[0]!))];
	return {askedIds, find, put};
}

const isNew = (id: string) => id === 'debian-6.12' || id === 'debian-7.2';

test.serial('finds the first bad release, and the last good one before it', async t => {
	const {find, askedIds} = await openReleases(t, id => (isNew(id) ? 'fail: it is broken' : 'pass'));
	const {result, lastGood} = await find();
	t.deepEqual(
		result.finding.suspects.map(({id}) => id),
		['debian-6.12'],
	);
	t.is(lastGood.id, 'debian-6.1');
	t.true(result.finding.confidence >= 0.95);
	t.deepEqual(askedIds().toSorted(), ids.toSorted());
	t.true(result.finding.steps.every(({isReused}) => isReused));
});

test.serial('finds the first release that mends a bug', async t => {
	const {find} = await openReleases(t, id => (isNew(id) ? 'pass' : 'fail: it is broken'));
	const {result, lastGood} = await find({isFixed: true});
	t.deepEqual(
		result.finding.suspects.map(({id}) => id),
		['debian-6.12'],
	);
	t.is(lastGood.id, 'debian-6.1');
});

test.serial('answers are of one build of a kernel: a newer one of the same id is asked again', async t => {
	let isKilled = true;
	const {find, askedIds, put} = await openReleases(t, id => {
		if (isKilled && id === 'debian-6.1') throw new Error('killed');
		return isNew(id) ? 'fail: it is broken' : 'pass';
	});
	await t.throwsAsync(find(), {message: 'killed'});
	await t.throwsAsync(find(), {message: 'killed'});
	askedIds();
	isKilled = false;
	await put('debian-7.2', 2);
	await find();
	t.deepEqual(askedIds().toSorted(), ids.toSorted());
});
