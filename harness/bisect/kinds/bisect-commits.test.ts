// SPDX-License-Identifier: GPL-2.0
import path from 'node:path';
import test, {type ExecutionContext} from 'ava';
import {quietly} from '../../test/capture-stderr.ts';
import {bisectOptions, buildingCache, type EndOfImage, imageGuests} from '../../test/image-guests.ts';
import {type Files, makeTinyLinux} from '../../test/tiny-linux.ts';
import {exitStatusOf} from '../report/bisect-report.ts';
import {bisectCommits, type CommitsOptions, identityOfConfig, planCommits} from './bisect-commits.ts';

test('a journal is of one configuration, and of one set of names for its options', t => {
	const config = new Map([['CONFIG_A', 'y']]);
	const identities = [
		identityOfConfig({config}),
		identityOfConfig({config, configMap: new Map([['CONFIG_A', 'CONFIG_B']])}),
		identityOfConfig({config: new Map([['CONFIG_A', 'm']])}),
		identityOfConfig({}),
	];
	t.is(new Set(identities).size, identities.length);
	t.is(identityOfConfig({config, configMap: new Map()}), identityOfConfig({config}));
});

/** A tree with these changes on top of its first commit, and a bisect of all of it whose guests end as their image says. */
async function openBisect(
	t: ExecutionContext,
	changes: readonly Files[],
	endOf: (image: string) => EndOfImage,
	{place = ''} = {},
) {
	const cache = await buildingCache();
	t.teardown(async () => cache[Symbol.asyncDispose]());
	const linux = path.join(cache.path, 'linux', place);
	const hashes = await makeTinyLinux(path.join(cache.path, 'linux'), changes, {place});
	const guests = imageGuests(endOf);
	const common = await bisectOptions(guests.run);
	const ends = {linux, good: hashes[0]!, bad: hashes.at(-1)!};
	const find = async (more: Partial<CommitsOptions> = {}) => {
		const {value: result, said} = await quietly(() => bisectCommits({...common, ...ends, ...more}));
		return {result, said};
	};
	return {hashes, asked: guests.asked, ends, find};
}

const image = (number: number): Files => ({image: `image ${number}\n`});
const broken: Files = {driver: 'it is broken\n'};

const whetherBroken = (text: string): EndOfImage => (text.includes('it is broken') ? 'fail: it is broken' : 'pass');

test.serial('finds the first bad commit, and confirms it by its parent and by its revert', async t => {
	const doesNotBuild: Files = {...image(4), 'broken.c': ''};
	const {hashes, find, asked} = await openBisect(
		t,
		[image(1), image(2), image(3), doesNotBuild, {...image(5), 'broken.c': undefined}, broken, image(7), image(8)],
		whetherBroken,
	);
	const {result} = await find();
	const ids = (steps: readonly {candidate: {id: string}}[]) => steps.map(({candidate}) => hashes.indexOf(candidate.id));
	const {finding, verification, text} = result;
	t.deepEqual(ids([{candidate: finding.suspects[0]!}]), [6]);
	t.is(finding.suspects.length, 1);
	t.regex(text!, /change 6/);
	t.deepEqual(ids([verification!.parent, verification!.commit]), [5, 6]);
	t.like(verification, {isConfirmed: true, parent: {verdict: 'good'}, commit: {verdict: 'bad'}});
	// The newest one without the commit is a kernel of its own.
	t.like(verification!.revert, {verdict: 'good', isReused: false});
	t.deepEqual(ids([verification!.revert!]), [-1]);
	t.is(exitStatusOf([result]), 0);
	const failed = finding.steps.filter(({verdict}) => verdict === 'bad').map(({console}) => console!);
	t.true(failed.length >= 2);
	t.is(new Set(failed).size, failed.length, 'each has a console of its own');
	for (const file of failed) t.is(path.dirname(file), result.directory);
	t.like(
		finding.steps.find(({verdict}) => verdict === 'skip'),
		{candidate: {id: hashes[4]}, reason: 'does not build: broken.c:1:2: error: it is broken'},
	);
	t.false(asked.includes('image 4'));
});

test.serial('a commit whose kernel does not boot, where others do, is skipped', async t => {
	const {hashes, find} = await openBisect(
		t,
		[image(1), {...image(2), driver: 'it panics\n'}, {...image(3), driver: 'it works\n'}, broken],
		text => (text.includes('it panics') ? 'no boot' : whetherBroken(text)),
	);
	const {result} = await find();
	t.deepEqual(
		result.finding.suspects.map(({id}) => hashes.indexOf(id)),
		[4],
	);
	t.like(
		result.finding.steps.find(({candidate}) => candidate.id === hashes[2]),
		{verdict: 'skip', reason: 'does not boot: panic'},
	);
});

test.serial('of a repository that holds more than Linux, only commits of the tree are built', async t => {
	const notes = (number: number): Files => ({'../notes': `${number}\n`});
	const {hashes, find} = await openBisect(
		t,
		[image(1), notes(2), notes(3), notes(4), broken, notes(6), notes(7)],
		whetherBroken,
		{place: 'src/linux'},
	);
	const {result} = await find();
	t.deepEqual(
		result.finding.suspects.map(({id}) => hashes.indexOf(id)),
		[5],
	);
	const ids = result.finding.steps.map(({candidate}) => hashes.indexOf(candidate.id));
	t.false(
		[2, 3, 6].some(number => ids.includes(number)),
		ids.join(),
	);
});

test.serial('finds the commit that mended a bug', async t => {
	const {hashes, find} = await openBisect(
		t,
		[broken, image(2), image(3), {driver: 'it works\n'}, image(5)],
		whetherBroken,
	);
	const {result} = await find({good: hashes[1]!, isFixed: true});
	t.deepEqual(
		result.finding.suspects.map(({id}) => hashes.indexOf(id)),
		[4],
	);
	t.like(result.verification, {isConfirmed: true, parent: {verdict: 'bad'}, revert: {verdict: 'bad'}});
});

test.serial('a bisect that is killed goes on with what it has learnt', async t => {
	let left = Infinity;
	const {hashes, find, asked} = await openBisect(
		t,
		[image(1), image(2), image(3), broken, image(5), image(6), image(7), image(8)],
		text => {
			if (left-- <= 0) throw new Error('killed');
			return whetherBroken(text);
		},
	);
	left = 4;
	await t.throwsAsync(find(), {message: 'killed'});
	const before = new Set(asked.splice(0));
	left = Infinity;
	const {result, said} = await find();
	t.deepEqual(
		result.finding.suspects.map(({id}) => hashes.indexOf(id)),
		[4],
	);
	t.regex(said, /resuming after \d+ known steps/);
	t.true(before.has('the first') && before.has('image 8'));
	t.false(asked.includes('the first') || asked.includes('image 6'), asked.join());
});

test.serial('goes on under both names if the first bad commit only renames an option that the bug needs', async t => {
	const {hashes, find} = await openBisect(
		t,
		[image(1), {...broken, image: 'image 2\n'}, image(3), {Kconfig: 'config NEW\n\tbool "an option"\n'}, image(5)],
		text => (text.includes('it is broken') && text.includes('=y') ? 'fail: it is broken' : 'pass'),
	);
	const {result, said} = await find({config: new Map([['CONFIG_NEW', 'y']])});
	t.deepEqual(
		result.finding.suspects.map(({id}) => hashes.indexOf(id)),
		[2],
	);
	t.regex(said, /searching again with --config-map CONFIG_OLD=CONFIG_NEW\./);
	t.like(result, {verification: {isConfirmed: true}, renames: undefined});
	// The names that were given are enough.
	const given = await find({
		config: new Map([['CONFIG_NEW', 'y']]),
		configMap: new Map([['CONFIG_OLD', 'CONFIG_NEW']]),
	});
	t.is(given.result.finding.suspects[0]!.id, hashes[2]!);
	t.notRegex(given.said, /searching again/);
});

test.serial('what a commit search will take, before anything is built', async t => {
	const {ends, hashes} = await openBisect(t, [image(1), image(2), image(3), image(4), image(5)], whetherBroken);
	const plan = await planCommits(ends);
	t.like(plan, {ends: {commits: 5, good: {id: hashes[0]}, bad: {id: hashes[5]}}, steps: 3 + 3});
	// A build directory, what six steps keep, and the tree itself.
	const kept = 2 ** 30 + 6 * 350 * 2 ** 20;
	t.true(plan.needBytes > kept && plan.needBytes < kept + 4096, `${plan.needBytes - kept} bytes for the tree`);
	await t.throwsAsync(planCommits({...ends, linux: path.dirname(ends.linux)}), {message: /is not a Linux source tree/});
});
