// SPDX-License-Identifier: GPL-2.0
import {mkdir, mkdtempDisposable, rm, writeFile} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import path from 'node:path';
import test, {type ExecutionContext} from 'ava';
import recipe from '../../images/host-qemu.json' with {type: 'json'};
import {captureStderr} from '../test/capture-stderr.ts';
import {writeProgram} from '../test/write-program.ts';
import {cacheDirectory} from './cache.ts';
import {UsageError} from './errors.ts';
import {writeCached} from './json-cache.ts';
import {directoryOnPath, findQemu, type Qemu} from './qemu.ts';

const {PATH} = process.env;

/** A host with this QEMU, or with none; its cache is empty, and Debian is out of reach. */
async function openHost(t: ExecutionContext, version?: string, {sandboxed = 'exit 0'} = {}) {
	process.env.PATH = PATH;
	const directory = await mkdtempDisposable(path.join(tmpdir(), 'qemu-'));
	t.teardown(() => directory.remove());
	const program = path.join(directory.path, 'qemu-system-x86_64');
	if (version !== undefined)
		await writeProgram(
			program,
			`#!/bin/sh\ncase "$*" in *-sandbox*) ${sandboxed} ;; esac\necho "QEMU emulator version ${version} (Debian 1:${version}+dfsg)"\n`,
		);
	process.env.PROBE_MATRIX_CACHE = path.join(directory.path, 'cache');
	process.env.PROBE_MATRIX_MIRROR = 'http://127.0.0.1:9';
	process.env.PATH = version === undefined ? directory.path : `${directory.path}:${PATH}`;
	return program;
}

for (const version of ['10.0.3', '11.1.0']) {
	test.serial(`QEMU ${version} of the host is used, a thread for each vCPU`, async t => {
		const program = await openHost(t, version);
		t.like(await findQemu(), {command: [program], version, tcgThread: 'multi'});
	});
}

for (const version of ['7.2.22', '9.2.4']) {
	test.serial(
		`QEMU ${version} of the host is used only if no newer one is to be had, its vCPUs in one thread`,
		async t => {
			const program = await openHost(t, version);
			t.like(await findQemu(), {command: [program], version, tcgThread: 'single'});
		},
	);
}

/** Puts a QEMU into the cache. Returns its loader. */
async function cacheQemu(version: string, {name = 'qemu', files = [] as readonly string[]} = {}): Promise<string> {
	const root = path.join(cacheDirectory('trees'), name);
	for (const file of files) {
		await mkdir(path.dirname(path.join(root, file)), {recursive: true});
		await writeFile(path.join(root, file), '');
	}
	const loader = path.join(root, 'lib64/ld-linux-x86-64.so.2');
	await mkdir(path.dirname(loader), {recursive: true});
	await writeProgram(loader, `#!/bin/sh\necho "QEMU emulator version ${version}"\n`);
	const {suites, roots, skip} = recipe;
	const note = path.join(cacheDirectory('kernels'), 'qemu.tree.json');
	await writeCached(note, {root, wanted: JSON.stringify({suites, roots, skip, recipe: '1'})});
	return loader;
}

test.serial('a newer QEMU in the cache is used instead of an old one of the host, by its own loader', async t => {
	await openHost(t, '7.2.22');
	const loader = await cacheQemu('10.0.11');
	const {command, version, tcgThread} = await findQemu();
	t.deepEqual([command[0], version, tcgThread], [loader, '10.0.11', 'multi']);
});

test.serial('a QEMU of the host that is new enough is used, whatever is in the cache', async t => {
	const program = await openHost(t, '10.0.3');
	await cacheQemu('10.0.11');
	t.like(await findQemu(), {command: [program], version: '10.0.3'});
});

test.serial('a QEMU that does not say its version is an error of the host', async t => {
	const program = await openHost(t, 'unknown');
	await t.throwsAsync(findQemu(), {
		instanceOf: UsageError,
		message: `${program} does not print its version: QEMU emulator version unknown (Debian 1:unknown+dfsg)`,
	});
});

test.serial('an old QEMU of the host is used with a word about why', async t => {
	await openHost(t, '7.2.22');
	const said = await captureStderr(() => findQemu());
	t.regex(
		said,
		/^probe-matrix: QEMU 7\.2\.22 is older than 10 and no newer one could be fetched \(.*127\.0\.0\.1.*\); /m,
	);
	t.regex(said, /; its vCPUs share one thread\.\n$/);
});

test.serial('where there is no QEMU and none can be fetched, the person is told so', async t => {
	await openHost(t);
	await t.throwsAsync(findQemu(), {
		instanceOf: UsageError,
		message: /^qemu-system-x86_64 is not installed and could not be fetched: .*127\.0\.0\.1/,
	});
});

test.serial('an interrupt while a newer QEMU is fetched is no reason to use an old one', async t => {
	await openHost(t, '7.2.22');
	for (const reason of [new RangeError('enough'), new UsageError('enough')])
		t.is(await t.throwsAsync(findQemu({signal: AbortSignal.abort(reason)})), reason);
});

for (const [version, sandboxed, canBe] of [
	['10.0.3', 'exit 0', true],
	['10.0.3', 'exit 1', false],
	['10.0.3', 'kill -SYS $$', false],
	['8.2', 'exit 0', true],
	['8.2.0', 'exit 1', false],
	['8.1.5', 'exit 0', false],
] as const)
	test.serial(
		`QEMU ${version} ${canBe ? 'is' : 'is not'} confined if it does \`${sandboxed}\` when it should be`,
		async t => {
			await openHost(t, version, {sandboxed});
			let qemu: Qemu | undefined;
			await captureStderr(async () => {
				qemu = await findQemu();
			});
			t.like(qemu, {version, canBeSandboxed: canBe});
		},
	);

test.serial('a QEMU in the cache gets its own libraries, modules and firmware', async t => {
	await openHost(t, '7.2.22');
	const loader = await cacheQemu('10.0.11', {files: ['usr/share/qemu/qboot.rom']});
	const root = path.join(cacheDirectory('trees'), 'qemu');
	t.like(await findQemu(), {
		command: [
			...[loader, '--library-path', `${root}/lib/x86_64-linux-gnu:${root}/usr/lib/x86_64-linux-gnu`],
			...[`${root}/usr/bin/qemu-system-x86_64`, '-L', `${root}/usr/share/qemu`, '-L', `${root}/usr/share/seabios`],
		],
		environment: {QEMU_MODULE_DIR: `${root}/usr/lib/x86_64-linux-gnu/qemu`},
		hasQboot: true,
		canBeSandboxed: true,
	});
	await rm(path.join(root, 'usr/share/qemu/qboot.rom'));
	t.false((await findQemu()).hasQboot);
});

test.serial('the version of a QEMU in the cache is asked once, and again when another one is there', async t => {
	await openHost(t, '7.2.22');
	const loader = await cacheQemu('10.0.11');
	t.is((await findQemu()).version, '10.0.11');
	await writeProgram(loader, '#!/bin/sh\nexit 1\n');
	t.like(await findQemu(), {version: '10.0.11', tcgThread: 'multi', canBeSandboxed: true});
	await cacheQemu('9.2.4', {name: 'other'});
	t.like(await findQemu(), {version: '9.2.4', tcgThread: 'single'});
});

test.serial('a QEMU in the cache that has no program loader is not used', async t => {
	const program = await openHost(t, '9.2.4');
	await rm(await cacheQemu('10.0.11'));
	let qemu: Qemu | undefined;
	const said = await captureStderr(async () => {
		qemu = await findQemu();
	});
	t.deepEqual(qemu?.command, [program]);
	t.regex(said, /The unpacked QEMU in \S+\/trees\/qemu has no program loader\./);
});

test.serial('a program is looked for in PATH, in its order, and where those of root are', async t => {
	const [first, second] = [await openHost(t, '10.0.3'), await openHost(t, '11.1.0')].map(each => path.dirname(each));
	process.env.PATH = `:${first}:${second}`;
	t.is(await directoryOnPath('qemu-system-x86_64'), first);
	process.env.PATH = `/nowhere:${second}:${first}`;
	t.is(await directoryOnPath('qemu-system-x86_64'), second);
	await writeFile(path.join(second!, 'data'), 'not to be run', {mode: 0o644});
	t.is(await directoryOnPath('data'), undefined);
	// Of root, but there for everybody.
	process.env.PATH = '/nowhere';
	t.is(await directoryOnPath('ldconfig'), '/usr/sbin');
	delete process.env.PATH;
	t.is(await directoryOnPath('ldconfig'), '/usr/sbin');
	process.env.PATH = PATH;
});
