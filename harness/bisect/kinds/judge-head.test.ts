// SPDX-License-Identifier: GPL-2.0
import path from 'node:path';
import test, {type ExecutionContext} from 'ava';
import {cacheKernel} from '../../test/cached-kernel.ts';
import {quietly} from '../../test/capture-stderr.ts';
import {bisectOptions, buildingCache, type EndOfImage, imageGuests} from '../../test/image-guests.ts';
import {makeTinyLinux} from '../../test/tiny-linux.ts';
import {git} from '../repository/git.ts';
import {judgeHead, type StepOptions} from './judge-head.ts';

/** A tree with these commits, and a step of `git bisect run` in it. The image of each says how its guests end. */
async function openStep(t: ExecutionContext) {
	const cache = await buildingCache();
	t.teardown(async () => cache[Symbol.asyncDispose]());
	const linux = path.join(cache.path, 'linux');
	const hashes = await makeTinyLinux(linux, [
		{image: 'fail: it is broken\n'},
		{image: 'fail: something else\n'},
		{image: 'no boot\n'},
		{image: 'pass\n', 'broken.c': ''},
	]);
	await cacheKernel({id: 'debian-6.1', release: '6.1.0-1-amd64', origin: 'Debian', flavour: 'cloud'});
	let others: EndOfImage = 'pass';
	const ends = new Set<string>(['no boot', 'fail: it is broken', 'fail: something else']);
	const {asked, run} = imageGuests(text => {
		const [line] = text.split('\n', 1) as [string];
		if (line === 'debian-6.1 bzImage') return others;
		return ends.has(line) ? (line as EndOfImage) : 'pass';
	});
	const options = {...(await bisectOptions(run)), linux, repeats: 3};
	const judge = async (number: number, more: Partial<StepOptions> = {}) => {
		await git(linux, ['checkout', '--quiet', '--force', hashes[number]!]);
		const {value} = await quietly(() => judgeHead({...options, ...more}));
		return value;
	};
	const noOthersBoot = () => {
		others = 'no boot';
	};
	return {linux, hashes, asked, judge, noOthersBoot};
}

test.serial('a commit is good after as many passes as were asked for, and bad after a failure', async t => {
	const {judge, asked} = await openStep(t);
	t.like(await judge(0), {verdict: 'good'});
	t.is(asked.length, 3);
	const bad = await judge(1);
	t.is(bad.verdict, 'bad');
	t.regex(bad.words, /^[0-9a-f]{12} \(change 1\): \d+ of \d+ failed$/);
});

test.serial('with a symptom, other failures are not bad', async t => {
	const {judge} = await openStep(t);
	const symptom = 'it is broken';
	t.is((await judge(1, {symptom})).verdict, 'bad');
	t.not((await judge(2, {symptom})).verdict, 'bad');
});

test.serial('a commit that does not build, or does not boot where others do, is skipped', async t => {
	const {judge, noOthersBoot} = await openStep(t);
	const unbuilt = await judge(4);
	t.is(unbuilt.verdict, 'skip');
	t.regex(unbuilt.words, /change 4\): does not build: broken\.c:1:2: error: it is broken$/);
	const unbooted = await judge(3);
	t.is(unbooted.verdict, 'skip');
	t.regex(unbooted.words, /change 3\): does not boot: panic$/);
	noOthersBoot();
	await t.throwsAsync(judge(3), {name: 'HostFaultError'});
});

test.serial('with git bisect start --no-checkout, the commit is that of BISECT_HEAD', async t => {
	const {linux, hashes, judge} = await openStep(t);
	await git(linux, ['update-ref', 'BISECT_HEAD', hashes[1]!]);
	t.is((await judge(0)).verdict, 'bad');
	await git(linux, ['update-ref', '-d', 'BISECT_HEAD']);
	t.is((await judge(0)).verdict, 'good');
});
