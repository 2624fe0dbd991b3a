// SPDX-License-Identifier: GPL-2.0
import {writeFile} from 'node:fs/promises';
import path from 'node:path';
import test, {type ExecutionContext} from 'ava';
import {captureStderr, quietly} from '../../test/capture-stderr.ts';
import {bisectOptions, buildingCache, imageGuests} from '../../test/image-guests.ts';
import {makeTinyLinux} from '../../test/tiny-linux.ts';
import {exitStatusOf} from '../report/bisect-report.ts';
import {git} from '../repository/git.ts';
import {bisectConfig, type ConfigOptions} from './bisect-config.ts';

/** Two configurations of one tree. Guests fail if A and C are set, unless D is, too. */
async function openConfigs(t: ExecutionContext, good: string, bad: string) {
	const cache = await buildingCache();
	t.teardown(async () => cache[Symbol.asyncDispose]());
	const linux = path.join(cache.path, 'linux');
	await makeTinyLinux(linux, [{Kconfig: ['A', 'B', 'C', 'D', 'E', 'NEW'].map(name => `config ${name}\n`).join('')}]);
	const [goodConfig, badConfig] = [path.join(cache.path, 'good'), path.join(cache.path, 'bad')];
	await writeFile(goodConfig, good);
	await writeFile(badConfig, bad);
	const guests = imageGuests(image => {
		const has = (name: string) => image.includes(`CONFIG_${name}=y`);
		return has('A') && has('C') && !has('D') ? 'fail: it is broken' : 'pass';
	});
	const options = {...(await bisectOptions(guests.run)), linux, goodConfig, badConfig};
	return {
		linux,
		guests,
		options,
		async find(more: Partial<ConfigOptions> = {}) {
			const {value} = await quietly(() => bisectConfig({...options, ...more}));
			return value;
		},
	};
}

test.serial('finds the options that make a configuration bad, and confirms that it is good without them', async t => {
	const {find} = await openConfigs(t, 'CONFIG_B=y\n', 'CONFIG_A=y\nCONFIG_C=y\nCONFIG_E=y\n');
	const result = await find();
	t.deepEqual(
		result.finding.suspects.map(({title}) => title),
		['CONFIG_A=y (good has n), CONFIG_C=y (good has n)'],
	);
	t.like(result.verification, {
		...{isConfirmed: true, parent: {verdict: 'good'}, commit: {verdict: 'bad'}, revert: {verdict: 'good'}},
		parent: {candidate: {title: 'the good configuration'}},
		revert: {candidate: {title: 'CONFIG_B=n, CONFIG_E=y'}},
	});
	t.regex(result.predicate, /^fake\/case \(1 cell\) at [0-9a-f]{12} \(change 1\)$/);
	t.is(exitStatusOf([result]), 0);
});

test.serial('finds the option that mends a configuration', async t => {
	const {find} = await openConfigs(t, 'CONFIG_A=y\nCONFIG_C=y\nCONFIG_D=y\nCONFIG_E=y\n', 'CONFIG_A=y\nCONFIG_C=y\n');
	const result = await find({isFixed: true});
	t.deepEqual(
		result.finding.suspects.map(({title}) => title),
		['CONFIG_D=y (bad has n)'],
	);
	t.like(result.verification, {isConfirmed: true, parent: {verdict: 'bad'}, revert: {verdict: 'bad'}});
	t.is(result.verification!.parent.candidate.title, 'the bad configuration');
});

test.serial('an option under its old name is that of the tree, where the map says so', async t => {
	const {find} = await openConfigs(t, 'CONFIG_OLD=y\nCONFIG_C=y\n', 'CONFIG_NEW=y\nCONFIG_C=y\nCONFIG_A=y\n');
	const result = await find({configMap: new Map([['CONFIG_OLD', 'CONFIG_NEW']])});
	t.deepEqual(
		result.finding.suspects.map(({title}) => title),
		['CONFIG_A=y (good has n)'],
	);
	// NEW is no difference, so nothing is left of the bad configuration without A.
	t.is(result.verification!.revert!.candidate.title, 'the good configuration');
});

test.serial('two equal configurations have nothing to find', async t => {
	const {find} = await openConfigs(t, 'CONFIG_A=y\n', '# CONFIG_B is not set\nCONFIG_A=y\n');
	await t.throwsAsync(find(), {message: /good and .*bad are the same\.$/});
});

test.serial('an unfinished bisect is not resumed on another commit', async t => {
	const {linux, guests, options} = await openConfigs(t, 'CONFIG_B=y\n', 'CONFIG_A=y\nCONFIG_C=y\n');
	const stopAfter = async (runs: number) => {
		let begun = 0;
		const run: ConfigOptions['run'] = async matrix => {
			if (begun++ === runs) throw new Error('The host is switched off.');
			return guests.run(matrix);
		};
		return captureStderr(() => t.throwsAsync(bisectConfig({...options, run}), {message: /switched off/}));
	};
	t.notRegex(await stopAfter(2), /resuming/);
	t.regex(await stopAfter(2), /resuming after \d+ known steps/);
	await git(linux, ['-c', 'user.name=N', '-c', 'user.email=n@localhost', 'commit', '--allow-empty', '--message=more']);
	t.notRegex(await stopAfter(2), /resuming/);
});
