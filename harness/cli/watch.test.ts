// SPDX-License-Identifier: GPL-2.0
import {spawn} from 'node:child_process';
import {readdirSync, readFileSync} from 'node:fs';
import {mkdtempDisposable, readdir, utimes} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import path from 'node:path';
import {createInterface} from 'node:readline';
import {setTimeout as sleep} from 'node:timers/promises';
import test from 'ava';
import {projectRoot} from '../build/sources.ts';
import {fallbackKernel} from '../kernels/default-kernels.ts';
import {isOutdatedBy} from './watch.ts';

const main = path.join(import.meta.dirname, 'main.js');

/** Processes with this runtime directory in their environment. */
function alive(runtime: string): readonly string[] {
	return readdirSync('/proc').filter(name => {
		try {
			return /^\d+$/.test(name) && readFileSync(`/proc/${name}/environ`, 'latin1').includes(runtime);
		} catch {
			// It has ended, or belongs to another user.
			return false;
		}
	});
}

test('a standby process is outdated by each file of the harness that it has loaded, whatever else has changed', t => {
	const [module, cases, engine] = ['kmod/entry.c', 'harness/suites/bprobe/cases/entry.ts', 'harness/engine/plan.ts'];
	t.false(isOutdatedBy([module, cases]));
	t.true(isOutdatedBy([engine]));
	t.true(isOutdatedBy([module, engine]));
});

test.serial('--watch runs again after a change, prints the difference, and Ctrl-C leaves nothing behind', async t => {
	t.timeout(20 * 60_000);
	await using directory = await mkdtempDisposable(path.join(tmpdir(), 'watch-'));
	const args = [main, 'run', '--kernel', fallbackKernel, '--match', 'entry/sp-and-ip[asm]', '--watch'];
	const env = {...process.env, CI: 'true', XDG_RUNTIME_DIR: directory.path, TMPDIR: directory.path};
	const child = spawn(process.execPath, args, {env, stdio: ['ignore', 'pipe', 'pipe']});
	const lines: string[] = [];
	const listeners = new Set<() => void>();
	for (const stream of [child.stdout!, child.stderr!])
		createInterface(stream).on('line', line => {
			lines.push(line);
			for (const listener of listeners) listener();
		});
	const said = async (pattern: RegExp, times: number) =>
		new Promise<void>(resolve => {
			const look = () => {
				if (lines.filter(line => pattern.test(line)).length >= times) resolve();
			};
			listeners.add(look);
			look();
		});

	await said(/waiting for a change/, 1);
	t.is(lines.filter(line => line.startsWith('1 pass in')).length, 1);
	// It waits for as long as nothing changes. Without the wait, it would have ended by now.
	await sleep(500);
	t.is(child.exitCode, null);
	// Test files and build output are not watched sources.
	const now = new Date();
	await utimes(path.join(import.meta.dirname, 'watch.test.ts'), now, now);
	await utimes(path.join(projectRoot, 'kmod/entry.c'), now, now);
	await said(/waiting for a change/, 2);
	t.true(lines.includes('kmod/entry.c changed'), lines.join('\n'));
	t.is(lines.filter(line => line.startsWith('1 pass in')).length, 2);
	t.true(lines.includes('no difference'));
	// What changes while a round runs begins the next one.
	await utimes(path.join(projectRoot, 'kmod/entry.c'), now, now);
	await said(/^kmod\/entry\.c changed/, 2);
	await utimes(path.join(projectRoot, 'kmod/site.c'), now, now);
	await said(/waiting for a change/, 4);
	t.true(lines.includes('kmod/site.c changed'), lines.join('\n'));

	const ended = new Promise<number | null>(resolve => child.once('exit', resolve));
	child.kill('SIGINT');
	t.is(await ended, 130);
	t.is(lines.filter(line => line.includes('stopping the guests')).length, 1);
	t.deepEqual(alive(directory.path), []);
	t.deepEqual(
		(await readdir(directory.path)).filter(name => name.startsWith('probe-matrix-watch')),
		[],
	);
});
