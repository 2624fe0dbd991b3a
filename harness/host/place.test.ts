// SPDX-License-Identifier: GPL-2.0
import {existsSync} from 'node:fs';
import {mkdir, mkdtempDisposable} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import path from 'node:path';
import test from 'ava';
import {execa} from 'execa';
import {problemsOfPlace, requireFitPath} from './place.ts';

const fit = await mkdtempDisposable(path.join(tmpdir(), 'place-'));
test.after.always(() => fit.remove());
const cache = fit.path;

test('this host is fit', t => {
	t.deepEqual(problemsOfPlace({cache}), []);
	t.false(existsSync(path.join(cache, `.runs-${process.pid}`)));
});

for (const [name, words] of [
	['with space', /has a space in its path/],
	['with:colon', /has a colon in its path/],
	['with#hash', /has the character "#" in its path/],
	['with$dollar', /has the character "\$" in its path/],
] as const) {
	test(`a directory ${name} is named before make is called there`, async t => {
		const directory = path.join(cache, name);
		await mkdir(directory, {recursive: true});
		t.regex(problemsOfPlace({cache: directory}).join(), words);
		t.throws(() => requireFitPath(directory, 'The tree'), {name: 'UsageError', message: words});
	});
}

test('a directory that cannot be written is named', t => {
	t.regex(problemsOfPlace({cache: '/proc/sys'}).join(), /The cache \/proc\/sys (?:cannot be used|is on a mount)/);
	t.regex(problemsOfPlace({cache, temporary: '/nowhere'}).join(), /in \/nowhere \(.*no such file.*set TMPDIR/);
});

/** What `ulimit` prints of a shell with this limit. */
async function limitsWith(command: string): Promise<string> {
	return (await execa('sh', ['-c', `${command}; cat /proc/self/limits`])).stdout;
}

for (const [command, words] of [
	['ulimit -n 100', /"open files" is 100, but at least 256/],
	['ulimit -v 4000000', /"address space" is 3\.8 GiB, but at least 8\.0 GiB/],
	['ulimit -f 1000', /"file size" is 0 MiB, but at least 2\.0 GiB/],
	['ulimit -S -v 4000000', /"address space" is 3\.8 GiB, but at least 8\.0 GiB/],
	['ulimit -S -f 1000', /"file size" is 0 MiB, but at least 2\.0 GiB/],
	// Node raises this one to the hard limit.
	['ulimit -S -n 100', /^$/],
	['true', /^$/],
] as const) {
	test(`a limit is named: ${command}`, async t => {
		t.regex(problemsOfPlace({cache, limits: await limitsWith(command)}).join(), words);
	});
}

/** Runs a program with file systems of its own, where that is allowed. */
const isolated = ['unshare', '--user', '--map-root-user', '--mount', 'sh', '-c'];

async function problemsWith(mount: string): Promise<string | undefined> {
	const [program, ...args] = isolated;
	if ((await execa(program!, [...args, 'mount -t tmpfs none /mnt'], {reject: false})).failed) return undefined;
	const place = path.join(import.meta.dirname, 'place.ts');
	const code = `import {problemsOfPlace} from ${JSON.stringify(place)}; console.log(problemsOfPlace({cache: '/mnt', temporary: '/mnt'}).join('\\n'))`;
	// Nothing is left behind.
	const {stdout} = await execa(program!, [
		...args,
		`${mount} && "$0" --input-type=module -e "$1" && ls -A /mnt`,
		process.execPath,
		code,
	]);
	return stdout;
}

for (const [mount, words] of [
	['mount -t tmpfs -o noexec none /mnt', /^The cache \/mnt is on a mount with noexec.*$/],
	['mount -t tmpfs -o size=1m none /mnt', /\/mnt has [01] MiB free, but 32 MiB are needed/],
	['mount -t tmpfs -o ro none /mnt', /The cache \/mnt cannot be used .*read-only file system/],
] as const) {
	test(`a mount is named: ${mount}`, async t => {
		const problems = await problemsWith(mount);
		if (problems === undefined) t.log('skipped: this host lets nobody mount');
		else t.regex(problems, words);
		t.pass();
	});
}
