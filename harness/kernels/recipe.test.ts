// SPDX-License-Identifier: GPL-2.0
import test from 'ava';
import {recipeOf} from './recipe.ts';

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
