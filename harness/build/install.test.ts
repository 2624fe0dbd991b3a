// SPDX-License-Identifier: GPL-2.0
import {readdirSync, readFileSync} from 'node:fs';
import {mkdtempDisposable} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import path from 'node:path';
import test from 'ava';
import {execa} from 'execa';
import {hasTool} from '../test/optional-tool.ts';
import {projectRoot} from './sources.ts';

const read = (name: string) => readFileSync(path.join(projectRoot, name), 'utf8');
const {version} = JSON.parse(read('package.json')) as {version: string};

test('package, module and DKMS have one version', t => {
	t.is(/^PACKAGE_VERSION="(.*)"$/m.exec(read('kmod/dkms.conf'))?.[1], version);
	t.is(/^MODULE_VERSION\("(.*)"\);$/m.exec(read('kmod/device.c'))?.[1], version);
});

test('what make -C guest install installs can be linked with and run', async t => {
	t.timeout(5 * 60_000);
	await using directory = await mkdtempDisposable(path.join(tmpdir(), 'install-'));
	const to = path.join(directory.path, 'to');
	const install = async (...more: readonly string[]) =>
		execa('make', [
			...['-C', path.join(projectRoot, 'guest'), '-j2', `OUT=${path.join(directory.path, 'out')}`],
			...[`DESTDIR=${to}`, ...more, 'install'],
		]);
	await install('PREFIX=/usr');

	const library = path.join(to, 'usr/lib/libbprobe.so');
	const {stdout: symbols} = await execa('nm', ['-D', '--defined-only', library]);
	const exported = [...symbols.matchAll(/ T (\w+)@@LIBBPROBE_0$/gm)].map(([, name]) => name!);
	// Words in comments are followed by no parameters.
	const declared = [...read('guest/libbprobe/libbprobe.h').matchAll(/^[a-z][\w ]*[ *](bprobe_\w+)\(/gm)].map(
		([, name]) => name!,
	);
	t.deepEqual(exported.toSorted(), declared.toSorted());

	const bprobectl = path.join(to, 'usr/sbin/bprobectl');
	t.regex((await execa(bprobectl, ['--help'])).stdout, /^Usage: bprobectl COMMAND/);
	t.true(readFileSync(bprobectl).includes('/usr/lib/bprobe/trace.bpf.o\0'));

	await install('PREFIX=/opt/b');
	t.true(
		readFileSync(path.join(to, 'opt/b/sbin/bprobectl')).includes('/opt/b/lib/bprobe/trace.bpf.o\0'),
		'another prefix is another build',
	);

	if (!(await hasTool(t, 'pkg-config'))) return;
	// pkg-config puts the sysroot in front of what it prints.
	const env = {
		PKG_CONFIG_LIBDIR: path.join(to, 'opt/b/lib/pkgconfig'),
		PKG_CONFIG_SYSROOT_DIR: to,
		LD_LIBRARY_PATH: path.join(to, 'opt/b/lib'),
	};
	t.is((await execa('pkg-config', ['--modversion', 'libbprobe'], {env})).stdout, version);
	const {stdout: flags} = await execa('pkg-config', ['--cflags', '--libs', 'libbprobe'], {env});
	const program = path.join(directory.path, 'program');
	for (const how of [[], ['-static']]) {
		const source = path.join(projectRoot, 'scripts/uses-libbprobe.c');
		await execa('gcc', ['-Wall', '-Werror', ...how, '-o', program, source, ...flags.split(' ').filter(Boolean)]);
		const {stderr, exitCode} = await execa(program, {env, reject: false});
		t.is(exitCode, 1);
		t.regex(stderr, /^do_mkdirat: /, 'this host has no bprobe');
	}
});

test('the manual pages have no faults', async t => {
	if (!(await hasTool(t, 'mandoc'))) return;
	const pages = readdirSync(path.join(projectRoot, 'man')).map(name => path.join(projectRoot, 'man', name));
	t.is(pages.length, 2);
	const {stdout} = await execa('mandoc', ['-Tlint', '-Wwarning', ...pages], {reject: false});
	t.is(stdout, '');
});

test('bprobectl(8) has all commands and options', t => {
	const page = read('man/bprobectl.8');
	for (const name of ['list', 'trace', 'attach']) {
		t.true(page.includes(`\n.It Cm ${name}\n`), name);
		const options = [...read(`guest/bprobectl/${name}.c`).matchAll(/\{"([a-z]+)", \w+_argument/g)];
		for (const [, option] of options) t.true(page.includes(`Fl -${option}`), `${name} --${option}`);
	}
});
