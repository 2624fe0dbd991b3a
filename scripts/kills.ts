// SPDX-License-Identifier: GPL-2.0
/**
 * Kills `probe-matrix run` with SIGKILL at random moments, with a private cache that the runs have to fill, and checks
 * what is left behind. Exits with 1 if something is left or the cache no longer works.
 *
 *   npx node scripts/kills.ts [count] [seed]
 */
import {spawn} from 'node:child_process';
import {mkdtempDisposableSync, readdirSync, readFileSync} from 'node:fs';
import {cp, readFile, writeFile} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import path from 'node:path';
import {setTimeout as sleep} from 'node:timers/promises';
import {execa} from 'execa';
import {cacheRoot} from '../harness/host/cache-root.js';
import {fallbackKernel} from '../harness/kernels/default-kernels.ts';

const count = Number(process.argv[2] ?? 100);
let seed = Number(process.argv[3] ?? Date.now() % 1e6);
process.stderr.write(`kills: seed ${seed}\n`);

using cache = mkdtempDisposableSync(path.join(tmpdir(), 'kills-cache-'));
using runtime = mkdtempDisposableSync(path.join(tmpdir(), 'kills-run-'));
// Copy downloads, to spare the archive; the runs must build everything else.
for (const part of ['trees', 'kernels', 'index']) {
	await cp(path.join(cacheRoot(), part), path.join(cache.path, part), {
		recursive: true,
		verbatimSymlinks: true,
		preserveTimestamps: true,
		filter: file => isNeeded(path.relative(cacheRoot(), file)),
	});
}
await replaceInMemos(path.join(cache.path, 'kernels'));

const main = path.resolve(import.meta.dirname, '../harness/cli/main.js');
const args = [main, 'run', '--kernel', fallbackKernel, '--match', 'module/l*', '--match', 'return/six*'];
const env = {...process.env, PROBE_MATRIX_CACHE: cache.path, XDG_RUNTIME_DIR: runtime.path};

const problems: string[] = [];
let ended = 0;
for (let round = 1; round <= count; round++) {
	const child = spawn(process.execPath, args, {env, stdio: 'ignore', detached: true});
	const over = new Promise<void>(resolve => child.once('exit', () => resolve()));
	const killed = await Promise.race([over.then(() => false), sleep(randomMs()).then(() => true)]);
	if (!killed) ended++;
	child.kill('SIGKILL');
	await over;
	// A compiler that make ends needs a moment, on a busy host several.
	for (let waited = 0; waited < 20 && survivors().length > 0; waited++) await sleep(500);
	for (const pid of survivors()) problems.push(`round ${round}: process ${pid} is alive`);
	if (round % 10 === 0) process.stderr.write(`${round} kills, ${ended} were too late, ${problems.length} problems\n`);
}

const last = await execa(process.execPath, args, {env, reject: false});
if (last.exitCode !== 0)
	problems.push(`the run after all kills ended with ${last.exitCode}: ${last.stderr.slice(-500)}`);
problems.push(...survivors().map(pid => `process ${pid} is alive in the end`));
problems.push(...below(runtime.path, () => true).map(name => `left in the run directory: ${name}`));
problems.push(
	...below(cache.path, name => /\.tmp$|\.part$|\.new$/.test(name)).map(name => `left in the cache: ${name}`),
);
process.stdout.write(
	[`${count} kills, ${ended} came after the end of their run; ${problems.length} problems`, ...problems, ''].join('\n'),
);
process.exitCode = problems.length > 0 ? 1 : 0;

function isNeeded(name: string): boolean {
	const [part, tree] = name.split(path.sep);
	return (
		part !== 'trees' || tree === undefined || /^(?:qemu|guest)-/.test(tree) || tree.startsWith(`${fallbackKernel}-`)
	);
}

/** Mostly early, when things are made; sometimes late enough for a run to get further than the one before. */
function randomMs(): number {
	seed = (seed * 1_103_515_245 + 12_345) % 2 ** 31;
	return 100 + 25_000 * (seed / 2 ** 31) ** 2;
}

/** Processes of this cache, which is in their environment. */
function survivors(): readonly string[] {
	return readdirSync('/proc').filter(pid => {
		if (!/^\d+$/.test(pid) || Number(pid) === process.pid) return false;
		try {
			return readFileSync(`/proc/${pid}/environ`, 'latin1').includes(`PROBE_MATRIX_CACHE=${cache.path}\0`);
		} catch {
			// It has ended, or belongs to another user.
			return false;
		}
	});
}

function below(directory: string, wanted: (name: string) => boolean): readonly string[] {
	return readdirSync(directory, {recursive: true, withFileTypes: true})
		.filter(entry => entry.isFile() && !entry.parentPath.includes(`${path.sep}trees${path.sep}`))
		.map(entry => path.relative(directory, path.join(entry.parentPath, entry.name)))
		.filter(name => name.split(path.sep).some(wanted));
}

/** Memos contain paths of the cache that they were written in. */
async function replaceInMemos(directory: string): Promise<void> {
	for (const name of readdirSync(directory)) {
		const file = path.join(directory, name);
		await writeFile(file, (await readFile(file, 'utf8')).replaceAll(cacheRoot(), cache.path));
	}
}
