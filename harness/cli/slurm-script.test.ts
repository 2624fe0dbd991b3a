// SPDX-License-Identifier: GPL-2.0
import {mkdir, mkdtempDisposable, readdir, readFile, symlink, writeFile} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import path from 'node:path';
import test from 'ava';
import {execa} from 'execa';
import {writeProgram} from '../test/write-program.ts';

const script = path.join(import.meta.dirname, '../../scripts/slurm.sh');
const real = 'bash cat chmod comm dirname grep head hostname ls mkdir mktemp mv nproc rm sed sleep sort tail tr'.split(
	' ',
);

/** A host with only these programs; each is a shell script that also logs its arguments. */
async function fakeHost(programs: Readonly<Record<string, string>>) {
	const directory = await mkdtempDisposable(path.join(tmpdir(), 'slurm-'));
	const file = (name: string) => path.join(directory.path, name);
	await mkdir(file('bin'));
	await mkdir(file('tmp'));
	await writeFile(file('log'), '');
	for (const name of real) {
		const {stdout} = await execa('which', [name]);
		await symlink(stdout, file(`bin/${name}`));
	}
	for (const [name, text] of Object.entries(programs)) {
		await writeProgram(file(`bin/${name}`), `#!/bin/bash\necho "${name} $*" >>$LOG\n${text}\n`);
	}
	return {
		[Symbol.asyncDispose]: () => directory.remove(),
		run: () =>
			execa('bash', [script], {
				reject: false,
				timeout: 60_000,
				extendEnv: false,
				env: {
					PATH: file('bin'),
					HOME: directory.path,
					TMPDIR: file('tmp'),
					LOG: file('log'),
					POLICY: file('policy'),
					DEADLINE: '1',
				},
			}),
		asked: () => readFile(file('log'), 'utf8'),
		/** Files left in the temporary directory and beside it. */
		left: async () => [...(await readdir(file('tmp'))), ...(await readdir(directory.path))].toSorted(),
	};
}

const bare = ['bin', 'log', 'tmp'];

test('an installation that fails half-way is undone, even if one of the programs was there before', async t => {
	t.timeout(90_000);
	await using host = await fakeHost({
		slurmctld: '',
		'apt-get': '[ $1 != install ] || { : >$TMPDIR/half; exit 100; }; [ $1 != purge ] || rm $TMPDIR/half',
		'dpkg-query':
			'printf "ii bash\\nrc gone\\nun never\\n"; [ ! -e $TMPDIR/half ] || printf "iU munge\\niHRslurmd\\nii libslurm\\n"',
	});
	const {exitCode, stderr} = await host.run();
	t.is(exitCode, 100, stderr);
	t.regex(await host.asked(), /^apt-get purge -y libslurm munge slurmd *$/m);
	t.deepEqual(await host.left(), bare);
});

test('a cluster whose jobs do not finish is given up, and its jobs are cancelled', async t => {
	t.timeout(90_000);
	const munged = `for word; do case $word in --socket=*) exec ${process.execPath} -e "require('net').createServer().listen('\${word#--socket=}')"; esac; done`;
	const nothing = Object.fromEntries(['slurmctld', 'slurmd', 'scontrol'].map(name => [name, '']));
	await using host = await fakeHost({
		...nothing,
		munged,
		sinfo: 'echo idle',
		sbatch: 'echo 7',
		squeue: '[ -e $TMPDIR/cancelled ] || echo 7',
		scancel: ': >$TMPDIR/cancelled',
	});
	const {exitCode, stderr} = await host.run();
	t.is(exitCode, 1, stderr);
	t.regex(stderr, /^slurm\.sh: the jobs have not ended within 1 s:\n7$/m);
	t.regex(await host.asked(), /^scancel 7 7$/m);
	t.deepEqual(
		(await host.left()).filter(name => name !== 'cancelled'),
		bare,
	);
});
