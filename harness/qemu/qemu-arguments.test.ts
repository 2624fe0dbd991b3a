// SPDX-License-Identifier: GPL-2.0
import test from 'ava';
import type {Qemu} from '../host/qemu.ts';
import type {Kernel} from '../kernels/kernel.ts';
import {type Machine, qemuArguments, socketNames} from './qemu-arguments.ts';

const qemu: Qemu = {
	...{command: ['qemu'], environment: {}, version: '10.0.0', tcgThread: 'multi', hasQboot: true, canBeSandboxed: true},
};
const machine: Machine = {
	...{memoryMib: 256, cpus: 2, accelerator: 'tcg', commandLine: [], consolePath: '/run/console', initrd: '/initrd'},
	...{sockets: {qmp: '/q', identity: '/i', agent: '/a'}, resetLog: '/resets', gdbSocket: '/gdb', isStopped: false},
};
// Nothing else of a kernel is on the command line.
const kernel = {release: '6.1.0', bzImage: '/bzImage', vmlinux: '/vmlinux'} as unknown as Kernel;

/** The values of an option. */
function values(option: string, ofQemu: Partial<Qemu>, ofMachine: Partial<Machine> = {}): readonly string[] {
	const words = qemuArguments({...qemu, ...ofQemu}, kernel, {...machine, ...ofMachine});
	return words.filter((_, n) => words[n - 1] === option);
}

test('a QEMU that is not to be trusted with several threads gets one', t => {
	t.deepEqual(values('-accel', {}), ['tcg,thread=multi']);
	t.deepEqual(values('-accel', {tcgThread: 'single'}), ['tcg,thread=single']);
	t.deepEqual(values('-accel', {}, {countsInstructions: true}), ['tcg,thread=single']);
	t.deepEqual(values('-accel', {tcgThread: 'single'}, {accelerator: 'kvm'}), ['kvm']);
});

test('the kernel is started as ELF only by a firmware that can', t => {
	t.deepEqual([values('-kernel', {}), values('-bios', {})], [['/vmlinux'], ['qboot.rom']]);
	t.deepEqual([values('-kernel', {hasQboot: false}), values('-bios', {hasQboot: false})], [['/bzImage'], []]);
});

test('memory is written to its file, or a copy of it, or has none', t => {
	const backend = (memory?: Machine['memory']) =>
		values('-object', {}, memory && {memory}).find(value => value.startsWith('memory-backend'));
	t.is(backend(), 'memory-backend-ram,id=ram0,size=256M');
	t.regex(backend({file: '/m', use: 'written'})!, /mem-path=\/m,share=on$/);
	t.regex(backend({file: '/m', use: 'copied'})!, /mem-path=\/m,share=off$/);
});

test('a guest reaches no network, and only this host reaches its port', t => {
	const [network, ...others] = values('-netdev', {});
	t.deepEqual(others, []);
	t.true(network!.split(',').includes('restrict=on'), network);
	t.deepEqual(network!.match(/hostfwd=\S*?(?=,|$)/g), ['hostfwd=tcp:127.0.0.1:0-10.0.2.15:22']);
});

test('a comma in a path does not end it', t => {
	const sockets = Object.fromEntries(socketNames.map(name => [name, `/a,b/${name}`])) as Machine['sockets'];
	const chardevs = values('-chardev', {}, {sockets, consolePath: '/a,b/console', gdbSocket: '/a,b/gdb'});
	for (const name of [...socketNames, 'console', 'gdb'])
		t.true(
			chardevs.some(value => value.includes(`path=/a,,b/${name},`)),
			`${name}: ${chardevs.join(' ')}`,
		);
	const objects = values('-object', {}, {memory: {file: '/a,b/memory', use: 'copied'}});
	t.true(objects.some(value => value.includes('mem-path=/a,,b/memory,')));
});
