// SPDX-License-Identifier: GPL-2.0
import test from 'ava';
import rows from '../../images/quirks.json' with {type: 'json'};
import {UsageError} from '../host/errors.ts';
import type {Quirk} from './quirks.ts';
import {recipeOf} from './recipe.ts';

/** Adds quirks to those of images/quirks.json, for releases that no other test asks for. */
function addQuirks(from: string, before: string, quirks: readonly Omit<Quirk, 'from' | 'before' | 'reason'>[]): void {
	(rows as Quirk[]).push(...quirks.map((each, n) => ({from, before, reason: `reason ${n}`, ...each})));
}

test('the options of a suite win over those of images/kconfig, of which all others stay', async t => {
	const plain = await recipeOf('4.15.18', 'base');
	const [option, value] = [...plain.options].find(([, each]) => each === 'y')!;
	const options = new Map([[option, 'n']]);
	const own = await recipeOf('4.15.18', 'base', {file: 'own.config', options});
	t.is(value, 'y');
	t.is(own.options.get(option), 'n');
	t.deepEqual(new Map([...own.options, [option, 'y']]), new Map(plain.options));
	t.not(own.identity, plain.identity);
});

test('a flavour wins over the base', async t => {
	const [base, flavoured] = await Promise.all([recipeOf('4.15.18', 'base'), recipeOf('4.15.18', 'nopreempt')]);
	t.is(base.options.get('CONFIG_PREEMPT'), 'y');
	t.is(flavoured.options.get('CONFIG_PREEMPT'), 'n');
});

test('quirks win over a flavour and over the options of a suite, and the last of them over the others', async t => {
	addQuirks('3.2', '3.3', [
		{config: ['CONFIG_PREEMPT=y', 'CONFIG_OWN=first', '# CONFIG_SMP is not set']},
		{config: ['CONFIG_OWN=last'], flavours: ['nopreempt']},
	]);
	const options = new Map([
		['CONFIG_OWN', 'own'],
		['CONFIG_OTHER', 'own'],
		['CONFIG_SMP', 'y'],
	]);
	const fragment = {file: 'own.config', options};
	const recipe = await recipeOf('3.2.1', 'nopreempt', fragment);
	const values = ['CONFIG_PREEMPT', 'CONFIG_OWN', 'CONFIG_OTHER', 'CONFIG_SMP'].map(name => recipe.options.get(name));
	t.deepEqual(values, ['y', 'last', 'own', 'n']);
	t.is(recipe.fragment, fragment);
	t.is((await recipeOf('3.2.1', 'base', fragment)).options.get('CONFIG_OWN'), 'first');
	t.is((await recipeOf('3.3', 'nopreempt', fragment)).options.get('CONFIG_OWN'), 'own');
});

test('the flags of all quirks are one argument of make, after the arguments of all', async t => {
	addQuirks('3.4', '3.5', [{cflags: ['-fa', '-fb']}, {make: ['A=1', 'B=2'], cflags: ['-fc']}, {make: ['C=3']}]);
	t.deepEqual((await recipeOf('3.4', 'base')).make, ['A=1', 'B=2', 'C=3', 'KCFLAGS=-fa -fb -fc']);
	t.deepEqual((await recipeOf('3.5', 'base')).make, []);
});

test('a quirk with a line that is no option is an error with its reason', async t => {
	addQuirks('3.6', '3.7', [{config: ['CONFIG_A=y', 'B=y']}]);
	await t.throwsAsync(recipeOf('3.6', 'base'), {
		instanceOf: UsageError,
		message: 'The quirk «reason 0», line 2: "B=y" is not an option.',
	});
});
