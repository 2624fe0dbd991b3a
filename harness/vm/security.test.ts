// SPDX-License-Identifier: GPL-2.0
import {readdirSync, readFileSync, statSync} from 'node:fs';
import net, {type AddressInfo} from 'node:net';
import {networkInterfaces} from 'node:os';
import path from 'node:path';
import test from 'ava';
import {buildGuest} from '../build/guest-build.ts';
import {findQemu} from '../host/qemu.ts';
import {obtainKernel} from '../kernels/obtain.ts';
import {GuestLink} from '../link/guest-link.ts';
import {createRunKeys} from '../link/keys.ts';
import {bprobeContent} from '../suites/bprobe/guest-content.ts';
import {type PrivateCache, privateCache} from '../test/private-cache.ts';
import {Instance} from './instance.ts';
import {obtainLoaded} from './loaded-snapshot.ts';
import type {Snapshot} from './snapshot-files.ts';

/** The list in ARCHITECTURE.md, "What a guest must not do". All tests share one guest. */
let guest: Instance;
let loaded: Snapshot;
let cache: PrivateCache | undefined;

test.serial.before('start a guest', async t => {
	t.timeout(20 * 60_000);
	const guestBuild = await buildGuest(await obtainKernel('debian-6.1'), bprobeContent());
	cache = await privateCache();
	loaded = await obtainLoaded(guestBuild);
	guest = await Instance.restore(loaded);
});

test.serial.after.always('end the guest', async () => {
	await guest?.[Symbol.asyncDispose]();
	await cache?.remove();
});

test.serial('QEMU is confined by seccomp and cannot gain privileges', async t => {
	if (!(await findQemu()).canBeSandboxed) {
		t.log('this QEMU or host has no seccomp');
		t.pass();
		return;
	}
	const status = readFileSync(`/proc/${guest.vm.pid}/status`, 'utf8');
	t.regex(status, /^Seccomp:\t2$/m);
	t.regex(status, /^NoNewPrivs:\t1$/m);
});

test.serial('the guest can reach neither the host nor other machines', async t => {
	t.timeout(60_000);
	let visits = 0;
	const server = net.createServer(socket => {
		visits++;
		socket.destroy();
	});
	await new Promise<void>(resolve => server.listen(0, '0.0.0.0', resolve));
	t.teardown(() => server.close());
	const {port} = server.address() as AddressInfo;
	const own = Object.values(networkInterfaces())
		.flatMap(addresses => addresses ?? [])
		.filter(({family, internal}) => family === 'IPv4' && !internal)
		.map(({address}) => address);
	const link = await guest.link();
	// The second one is QEMU's address for the host.
	for (const address of [...own.slice(0, 1), '10.0.2.2', '127.0.0.1'].slice(0, own.length > 0 ? 2 : 1)) {
		await t.throwsAsync(link.exec(`timeout 3 busybox nc ${address} ${port} </dev/null`), undefined, address);
	}
	t.is(visits, 0);
});

test.serial('the guest mounts no directory of the host', async t => {
	const {stdout} = await (await guest.link()).exec('cat /proc/filesystems /proc/mounts');
	const mounted = stdout.split('\n').flatMap(line => line.match(/^\S+ \/\S* (\S+) /)?.[1] ?? []);
	const ofMemory = ['rootfs', 'proc', 'sysfs', 'devtmpfs', 'devpts', 'tmpfs', 'debugfs', 'tracefs', 'bpf', 'cgroup2'];
	t.deepEqual(
		mounted.filter(type => !ofMemory.includes(type)),
		[],
	);
});

test.serial('SSH listens on the loopback interface only', t => {
	const hex = guest.vm.sshPort.toString(16).toUpperCase().padStart(4, '0');
	const listening = readFileSync('/proc/net/tcp', 'latin1')
		.split('\n')
		.map(line => line.trim().split(/\s+/))
		.filter(([, local, , state]) => state === '0A' && local?.endsWith(`:${hex}`))
		.map(([, local]) => local);
	t.deepEqual(listening, [`0100007F:${hex}`]);
	t.notRegex(readFileSync('/proc/net/tcp6', 'latin1'), new RegExp(`:${hex} [0:]+ 0A`));
});

test.serial("only the guest's own key is accepted, and no file of the host contains it", async t => {
	const {client} = createRunKeys();
	const wrong = GuestLink.open({port: guest.vm.sshPort, keys: {...guest.keys, client}, readyMs: 3000});
	await t.throwsAsync(wrong);
	const secret = guest.keys.client.private;
	const runDirectory = path.dirname(guest.vm.gdbSocket);
	for (const name of readdirSync(runDirectory)) {
		if (statSync(path.join(runDirectory, name)).isFile())
			t.false(readFileSync(path.join(runDirectory, name), 'latin1').includes(secret), name);
	}
});

test.serial('files of a guest are accessible to their owner only', t => {
	t.is(statSync(path.dirname(guest.vm.gdbSocket)).mode & 0o077, 0);
	t.is(statSync(loaded.memory).mode & 0o077, 0);
	t.is(statSync(guest.vm.console.path).mode & 0o077, 0);
});
