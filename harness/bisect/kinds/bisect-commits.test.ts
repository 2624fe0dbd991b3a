// SPDX-License-Identifier: GPL-2.0
import test from 'ava';
import {identityOfConfig} from './bisect-commits.ts';

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
