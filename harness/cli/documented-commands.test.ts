// SPDX-License-Identifier: GPL-2.0
import {readdirSync, readFileSync} from 'node:fs';
import path from 'node:path';
import test from 'ava';
import {execa} from 'execa';

const root = path.join(import.meta.dirname, '../..');
const directory = path.join(root, 'ci');
const main = path.join(import.meta.dirname, 'main.js');

type Command = {readonly name: string; readonly options: readonly string[]};

/** probe-matrix commands of a file of the project; lines continued with a backslash are joined. */
function commandsOf(file: string): readonly Command[] {
	const text = readFileSync(path.join(root, file), 'utf8').replaceAll(/\\\n\s*/g, '');
	return [...text.matchAll(/npx probe-matrix ([a-z]+(?:-step)?(?: [a-z]+\b(?!\.))?)([^;#`\n]*)/g)].map(
		([, name, rest]) => ({
			name: name!,
			options: rest!.match(/(?<= )--[a-z]+(?:-[a-z]+)*/g) ?? [],
		}),
	);
}

const ciFiles = readdirSync(directory).map(file => `ci/${file}`);
const workflows = readdirSync(path.join(root, '.github/workflows')).map(file => `.github/workflows/${file}`);
const pages = [
	'README.md',
	'CONTRIBUTING.md',
	...workflows,
	...readdirSync(path.join(root, 'docs')).map(file => `docs/${file}`),
];

const helps = new Map<string, Promise<{readonly stdout: string; readonly exitCode?: number}>>();

/** What --help of a command prints; asked once for all files. */
function helpOf(name: string): Promise<{readonly stdout: string; readonly exitCode?: number}> {
	const asked = helps.get(name) ?? execa(process.execPath, [main, ...name.split(' '), '--help'], {reject: false});
	helps.set(name, asked);
	return asked;
}

for (const file of [...ciFiles, ...pages]) {
	test(`${file} uses only existing commands and options`, async t => {
		t.timeout(120_000);
		const commands = commandsOf(file);
		const least = ciFiles.includes(file) ? 3 : 0;
		t.true(commands.length >= least, 'they are found at all');
		for (const [name, same] of Map.groupBy(commands, each => each.name)) {
			const {stdout, exitCode} = await helpOf(name);
			t.is(exitCode, 0, name);
			for (const option of new Set(same.flatMap(({options}) => options)))
				t.regex(stdout, new RegExp(`^ +${option} `, 'm'), `${name} ${option}`);
		}
	});
}

test('the project runs by night what it offers to others', t => {
	const [template, own] = ['ci/github-actions.yml', '.github/workflows/nightly.yml'].map(file =>
		readFileSync(path.join(root, file), 'utf8'),
	);
	const withoutHead = (text: string | undefined) => text!.replace(/^(?:#.*\n)+/, '');
	t.is(withoutHead(own), withoutHead(template));
});

for (const file of ciFiles) {
	test(`${file} makes an HTML page with a baseline and a second report`, t => {
		const reports = commandsOf(file).filter(({name}) => name.startsWith('report'));
		t.true(reports.some(({options}) => options.includes('--baseline') && options.includes('--out')));
		t.true(reports.some(({options}) => options.includes('--format')));
	});
}
