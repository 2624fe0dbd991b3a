// SPDX-License-Identifier: GPL-2.0
import test from 'ava';
import {UsageError} from '../host/errors.ts';
import {type BisectOptions, bisectsModule, configsOf, endsOf, requireCompatible} from './bisect-options.ts';

const options = (more: Partial<BisectOptions>): BisectOptions => ({
	...{match: [], mechanism: [], isolation: 'restore', confidence: 0.95},
	...more,
});

const linux = '/linux';
const configs = {goodConfig: 'a', badConfig: 'b'};
const configMap = new Map([['CONFIG_A', 'CONFIG_B']]);

const together: readonly (readonly [what: string, given: Partial<BisectOptions>, message?: RegExp])[] = [
	['--linux and a module with tests', {linux, module: 'ring', tests: 't'}],
	['--linux and --module', {linux, module: true}, /--linux and --module are mutually/],
	['--linux and a module without tests', {linux, module: 'ring'}, /--linux and --module are mutually/],
	['--linux, --module and --kernel', {linux, module: true, kernel: 'debian-6.1'}, /--linux and --module are mutually/],
	['--config and --linux', {linux, config: 'c'}],
	['--config alone', {config: 'c'}, /--config needs --linux/],
	['--config and --good-config', {...configs, linux, config: 'c'}, /--config cannot be used with --good-config/],
	['--config-map and --config', {linux, config: 'c', configMap}],
	['--config-map and --good-config', {...configs, linux, configMap}],
	['--config-map and --linux', {linux, configMap}, /--config-map needs --config, or --good-config and --bad-config/],
	['--kernel and --module', {module: true, kernel: 'debian-6.1'}],
	['--kernel alone', {kernel: 'debian-6.1'}, /--kernel needs --module/],
	['--source and --linux', {linux, source: '/src'}],
	['--source and --good-config', {...configs, linux, source: '/src'}, /--source builds releases only/],
];
for (const [what, given, message] of together)
	test(`${what} ${message === undefined ? 'may be given together' : 'cannot be given so'}`, t => {
		if (message === undefined) t.notThrows(() => requireCompatible(options(given)));
		else t.throws(() => requireCompatible(options(given)), {instanceOf: UsageError, message});
	});

const ends = {good: '4.15.18', bad: 'debian-6.1'};
const rows: readonly (readonly [what: string, given: Partial<BisectOptions>, isHistory: boolean])[] = [
	['no module', ends, false],
	['a module in a Linux tree', {module: 'ring', linux}, false],
	['the module of the suite between two kernels', {...ends, module: true}, true],
	['a module without tests between two kernels', {...ends, module: 'ring'}, true],
	['a module with tests between two kernels', {...ends, module: 'ring', tests: 't'}, false],
	['a module with tests on one kernel', {...ends, module: 'ring', tests: 't', kernel: 'debian-6.1'}, true],
	['a module with tests between two revisions', {good: 'v1', bad: 'v2', module: 'ring', tests: 't'}, true],
	['a module with tests, of which one end is a revision', {...ends, bad: 'HEAD', module: 'ring', tests: 't'}, true],
	['a module with tests and one end', {good: '4.15.18', module: 'ring', tests: 't'}, true],
	['a module with tests between two trees', {good: './a', bad: './b', module: 'ring', tests: 't'}, true],
];
for (const [what, given, isHistory] of rows)
	test(`${what}: the history of a module is ${isHistory ? '' : 'not '}bisected`, t => {
		t.is(bisectsModule(given), isHistory);
	});

test('both configurations and a Linux tree make a bisect of configurations', t => {
	t.is(configsOf(options({linux})), undefined);
	t.deepEqual(configsOf(options({...configs, linux})), {...configs, linux});
});

const wrong: readonly (readonly [what: string, given: Partial<BisectOptions>, message: RegExp])[] = [
	['the good one alone', {goodConfig: 'a', linux}, /need each other/],
	['the bad one alone', {badConfig: 'b', linux}, /need each other/],
	['no Linux tree', configs, /need --linux/],
	['a good end', {...configs, linux, good: 'v1'}, /exclude --good, --bad and --module/],
	['a bad end', {...configs, linux, bad: 'v2'}, /exclude --good, --bad and --module/],
	['a module', {...configs, linux, module: true}, /exclude --good, --bad and --module/],
	['--dry-run', {...configs, linux, dryRun: true}, /--dry-run does not support --good-config/],
];
for (const [what, given, message] of wrong)
	test(`configurations with ${what} are a usage error`, t => {
		t.throws(() => configsOf(options(given)), {instanceOf: UsageError, message});
	});

test('a search for a fix begins at its bad end, which is the older one', t => {
	t.deepEqual(endsOf(options(ends)), ends);
	t.deepEqual(endsOf(options({...ends, fixed: true})), {good: ends.bad, bad: ends.good});
	for (const one of [{good: 'v1'}, {bad: 'v2'}])
		t.throws(() => endsOf(options(one)), {instanceOf: UsageError, message: '--good and --bad are required.'});
});
