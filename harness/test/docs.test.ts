// SPDX-License-Identifier: GPL-2.0
import {readdirSync, readFileSync} from 'node:fs';
import path from 'node:path';
import test from 'ava';
import {projectRoot} from '../build/sources.ts';

const folders = ['harness', 'guest', 'kmod', 'fixtures', 'images', 'scripts', 'ci', 'docs', 'man'];
const files = [
	...readdirSync(projectRoot).map(file => `/${file}`),
	...folders.flatMap(folder =>
		readdirSync(path.join(projectRoot, folder), {recursive: true, encoding: 'utf8'}).map(file => `/${folder}/${file}`),
	),
];
const pages = [
	'README.md',
	'ARCHITECTURE.md',
	'CONTRIBUTING.md',
	'CHANGELOG.md',
	...readdirSync(path.join(projectRoot, 'docs')).map(page => `docs/${page}`),
];

for (const page of pages)
	test(`files that ${page} names exist`, t => {
		const text = readFileSync(path.join(projectRoot, page), 'utf8');
		const named = [...text.matchAll(/`((?:[\w.+-]+\/)*[\w.+-]+\.(?:ts|c|h|S|sh|json|rules))`/g)].map(
			([, name]) => name!,
		);
		// Example files that the reader creates.
		const isExample = (name: string) => /(?:^|\/)(?:example|last)\b/.test(name);
		const missing = named.filter(name => !isExample(name) && !files.some(file => file.endsWith(`/${name}`)));
		t.deepEqual(missing, []);
	});

for (const page of pages)
	test(`links of ${page} have targets`, t => {
		const text = readFileSync(path.join(projectRoot, page), 'utf8');
		const links = [...text.matchAll(/\]\(([^)#:\s]+)(?:#[^)]*)?\)/g)].map(([, link]) => link!);
		const missing = links.filter(link => !files.includes(path.join('/', path.dirname(page), link)));
		t.deepEqual(missing, []);
	});
