// SPDX-License-Identifier: GPL-2.0
import {mkdtempDisposable, readFile, writeFile} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import path from 'node:path';
import {execa} from 'execa';

/** Tells, in order, which files were written out and which were renamed, by functions in front of those of the C library. */
const library = `
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
static void tell(const char *what, const char *name)
{
	char line[9000];
	int file = open(getenv("SYNCS"), O_WRONLY | O_APPEND | O_CREAT, 0600);
	write(file, line, snprintf(line, sizeof(line), "%s %s\\n", what, name));
	close(file);
}
static int synced(int fd, const char *next)
{
	char link[64], name[4096] = "";
	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	readlink(link, name, sizeof(name) - 1);
	tell("sync", name);
	return ((int (*)(int))dlsym(RTLD_NEXT, next))(fd);
}
int fsync(int fd) { return synced(fd, "fsync"); }
int fdatasync(int fd) { return synced(fd, "fdatasync"); }
int rename(const char *from, const char *to)
{
	tell("rename", to);
	return ((int (*)(const char *, const char *))dlsym(RTLD_NEXT, "rename"))(from, to);
}
`;

/**
 * Runs a script of Node in a process of its own. Returns what it has synced and renamed: what a loss of power keeps of
 * its files can be told by that only.
 */
export async function traceSyncs(script: string, args: readonly string[]): Promise<readonly string[]> {
	await using work = await mkdtempDisposable(path.join(tmpdir(), 'syncs-'));
	const [source, object, list] = ['syncs.c', 'syncs.so', 'list'].map(name => path.join(work.path, name)) as [
		string,
		string,
		string,
	];
	await writeFile(source, library);
	await writeFile(list, '');
	await execa('gcc', ['-shared', '-fPIC', '-w', '-o', object, source, '-ldl']);
	await execa(process.execPath, ['--input-type=module', '-e', script, ...args], {
		env: {LD_PRELOAD: object, SYNCS: list},
	});
	return (await readFile(list, 'utf8')).split('\n').slice(0, -1);
}
