// SPDX-License-Identifier: GPL-2.0
import {mkdir, mkdtempDisposable, readFile, symlink} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import path from 'node:path';
import test, {type ExecutionContext} from 'ava';
import {execa} from 'execa';
import {writeProgram} from '../test/write-program.ts';
import {directoryOnPath} from './qemu.ts';
import {inspectHost, installCommand, versionOf} from './requirements.ts';

const tool = {package: 'tool', program: 'no-such-tool', why: 'tests use it', tests: true};
const needed = {package: 'needed', file: '/proc/self/exe', why: 'everybody uses it'};

for (const [includeTestTools, expected] of [
	[false, [{...needed, found: '/proc/self/exe'}]],
	[
		true,
		[
			{...tool, found: undefined},
			{...needed, found: '/proc/self/exe'},
		],
	],
] as const) {
	test(`tools that only tests use are ${includeTestTools ? 'looked for where tests run' : 'not asked of others'}`, async t => {
		t.deepEqual(await inspectHost({includeTestTools, requirements: [tool, needed]}), expected);
	});
}

test('a program is found by its path, a file and a library where they are', async t => {
	const requirements = [
		{package: 'shell', program: 'sh', why: 'it runs commands'},
		{package: 'none', file: '/no/such/file', why: 'nobody has it'},
		{package: 'library', library: 'no-such-library.a', why: 'nobody has it'},
	];
	const found = await inspectHost({requirements});
	t.deepEqual(
		found.map(each => each.found),
		[path.join((await directoryOnPath('sh'))!, 'sh'), undefined, undefined],
	);
});

test('the version of a program is what looks like one, wherever the program says it', async t => {
	await using directory = await mkdtempDisposable(path.join(tmpdir(), 'version-'));
	for (const [words, version] of [
		['echo "tool 9 (Debian) 1.22.3-rc1 of 2026.01"', '1.22.3-rc1'],
		['echo "tool 4.5" >&2; exit 1', '4.5'],
		['echo tool', 'unknown version'],
		['exit 1', 'unknown version'],
	] as const) {
		const program = path.join(directory.path, 'tool');
		await writeProgram(program, `#!/bin/sh\ntest "$1" = --version || exit 0\n${words}\n`);
		t.is(await versionOf(program), version);
	}
	t.is(await versionOf(path.join(directory.path, 'none')), 'unknown version');
});

const missing = ['one', 'two'].map(name => ({package: name, why: 'we need it', found: undefined}));

type Host = {
	/** What apt-get does, in the shell; without it, there is none. */
	readonly apt?: string;
	readonly isRoot?: boolean;
	/** What sudo does before it runs its command. */
	readonly sudo?: string;
};

/** Installs both packages on a host. Returns the commands that were run, what was printed, and the error's message. */
async function install(t: ExecutionContext, {apt, isRoot = true, sudo = 'exit 1'}: Host) {
	const {path: directory, remove} = await mkdtempDisposable(path.join(tmpdir(), 'install-'));
	t.teardown(remove);
	const bin = path.join(directory, 'bin');
	const log = path.join(directory, 'log');
	await mkdir(bin);
	for (const name of ['env', 'sh'])
		await symlink(path.join((await directoryOnPath(name))!, name), path.join(bin, name));
	const told = (name: string) => `#!/bin/sh\necho "$DEBIAN_FRONTEND:${name} $*" >>'${log}'\n`;
	if (apt !== undefined) await writeProgram(path.join(bin, 'apt-get'), `${told('apt-get')}${apt}\n`);
	await writeProgram(path.join(bin, 'sudo'), `${told('sudo')}${sudo}\ntest "$2" = true || { shift; exec "$@"; }\n`);
	const script = `import {installMissing} from ${JSON.stringify(path.join(import.meta.dirname, 'requirements.ts'))};
		process.getuid = () => ${isRoot ? 0 : 1000};
		await installMissing(${JSON.stringify(missing)}).catch(error => console.error('%s: %s', error.name, error.message));`;
	const {stdout, stderr} = await execa(process.execPath, ['--input-type=module', '-e', script], {
		env: {PATH: bin, DEBIAN_FRONTEND: undefined},
	});
	const commands = (await readFile(log, 'utf8').catch(() => '')).trim();
	return {commands: commands === '' ? [] : commands.split('\n'), stdout, said: stderr.split('\n')};
}

const update = 'noninteractive:apt-get -q update';
const installs = 'noninteractive:apt-get -q install -y --no-install-recommends one two';

test('packages are installed after an update, and nothing is printed where results belong', async t => {
	const {commands, stdout, said} = await install(t, {apt: 'echo "words of $2"'});
	t.deepEqual(commands, [update, installs]);
	t.is(stdout, '');
	t.deepEqual(said, ['probe-matrix: installing one, two.', 'words of update', 'words of install']);
});

test('an update that fails for one source is no reason not to install', async t => {
	const {commands, said} = await install(t, {apt: 'test "$2" = install'});
	t.deepEqual(commands, [update, installs]);
	t.deepEqual(said, ['probe-matrix: installing one, two.']);
});

test('packages that cannot be installed are named, with the last words of apt-get', async t => {
	const {said} = await install(t, {
		apt: 'test "$2" = update || { echo first >&2; echo "E: no such package" >&2; exit 100; }',
	});
	t.deepEqual(said, [
		...['probe-matrix: installing one, two.', 'first', 'E: no such package'],
		'UsageError: apt-get could not install one, two: E: no such package',
	]);
});

test('on a host of another distribution the packages are named, and nothing is run', async t => {
	const {commands, said} = await install(t, {});
	t.deepEqual(commands, []);
	t.deepEqual(said, ['UsageError: This host has no apt-get; install what Debian calls one, two.']);
});

test('who is not root installs by sudo, if that asks for no password', async t => {
	const {commands, said} = await install(t, {apt: '', isRoot: false, sudo: ''});
	t.deepEqual(
		commands.map(each => each.replace(/^:sudo -n env DEBIAN_FRONTEND=noninteractive /, 'sudo ')),
		[
			...[':sudo -n true', 'sudo apt-get -q update', update],
			...['sudo apt-get -q install -y --no-install-recommends one two', installs],
		],
	);
	t.deepEqual(said, ['probe-matrix: installing one, two.']);
});

test('who may not is told the command for root', async t => {
	const {commands, said} = await install(t, {apt: '', isRoot: false});
	t.deepEqual(commands, [':sudo -n true']);
	t.deepEqual(said, [`UsageError: Packages are missing. Run as root: ${installCommand(missing)}`]);
	t.is(installCommand(missing), 'apt-get update && apt-get install -y --no-install-recommends one two');
});
