// SPDX-License-Identifier: GPL-2.0
import {type Qemu, sandbox} from '../host/qemu.ts';
import type {Kernel} from '../kernels/kernel.ts';

export type Machine = {
	readonly memoryMib: number;
	readonly cpus: number;
	readonly accelerator: 'tcg' | 'kvm';
	/** Exactly one instruction per nanosecond of guest time, to count instructions. Requires one CPU and TCG. */
	readonly countsInstructions?: boolean;
	/** Appended to the default kernel command line, so it wins. */
	readonly commandLine: readonly string[];
	readonly consolePath: string;
	readonly initrd: string;
	/** The file behind the guest's memory. `copied` maps it privately and leaves it unchanged. */
	readonly memory?: {readonly file: string; readonly use: 'written' | 'copied'};
	/** Waits for an incoming migration instead of booting. */
	readonly isIncoming?: boolean;
	/** At a reset or power-off the guest is paused, and QEMU stays. */
	readonly isHeldAtEnd?: boolean;
	/** Paths on which the harness listens for the monitor and for the ports of the guest. */
	readonly sockets: Readonly<Record<(typeof socketNames)[number], string>>;
	/** QEMU's reset log; only there it reports a triple fault. */
	readonly resetLog: string;
	/** UNIX socket for gdb. */
	readonly gdbSocket: string;
	/** The guest is stopped until gdb continues it. */
	readonly isStopped: boolean;
};

export const socketNames = ['qmp', 'identity', 'agent'] as const;

/** The complete command line. It contains all devices: no default devices, no configuration of the host. */
export function qemuArguments(qemu: Qemu, kernel: Kernel, machine: Machine): readonly string[] {
	const isPvh = qemu.hasQboot && kernel.vmlinux !== undefined;
	return [
		'-nodefaults',
		'-no-user-config',
		'-no-reboot',
		...(machine.isHeldAtEnd ? ['-action', 'shutdown=pause'] : []),
		...(qemu.canBeSandboxed ? ['-sandbox', sandbox] : []),
		'-display',
		'none',
		'-M',
		'q35,memory-backend=ram0',
		'-accel',
		machine.accelerator === 'kvm' ? 'kvm' : `tcg,thread=${machine.countsInstructions ? 'single' : qemu.tcgThread}`,
		'-cpu',
		machine.accelerator === 'kvm' ? 'host' : 'max',
		...(machine.countsInstructions ? ['-icount', 'shift=0,sleep=off'] : []),
		'-smp',
		String(machine.cpus),
		'-m',
		`${machine.memoryMib}M`,
		'-object',
		memoryBackend(machine),
		// The time between snapshot and restore must not pass in the guest; it gets the current time (identity.ts).
		'-rtc',
		'clock=vm',
		...(qemu.hasQboot ? ['-bios', 'qboot.rom'] : []),
		'-kernel',
		isPvh ? kernel.vmlinux! : kernel.bzImage,
		'-initrd',
		machine.initrd,
		'-append',
		commandLine(kernel, machine),
		...socketNames.flatMap(name => ['-chardev', `socket,id=${name},path=${quote(machine.sockets[name])},server=off`]),
		'-mon',
		'chardev=qmp,mode=control',
		'-chardev',
		`file,id=console,path=${quote(machine.consolePath)},append=on`,
		'-serial',
		'chardev:console',
		'-d',
		'cpu_reset',
		'-D',
		machine.resetLog,
		'-netdev',
		'user,id=net0,restrict=on,ipv6=off,hostfwd=tcp:127.0.0.1:0-10.0.2.15:22',
		'-device',
		'virtio-net-pci,netdev=net0,romfile=',
		'-object',
		'rng-random,id=rng0,filename=/dev/urandom',
		'-device',
		'virtio-rng-pci,rng=rng0',
		'-device',
		'virtio-serial-pci',
		'-device',
		'virtserialport,chardev=identity,name=probe-matrix.identity',
		'-device',
		'virtserialport,chardev=agent,name=probe-matrix.agent',
		'-chardev',
		`socket,id=gdb,path=${quote(machine.gdbSocket)},server=on,wait=off`,
		'-gdb',
		'chardev:gdb',
		...(machine.isStopped ? ['-S'] : []),
		...(machine.isIncoming ? ['-incoming', 'defer'] : []),
	];
}

function memoryBackend({memoryMib, memory}: Machine): string {
	const size = `id=ram0,size=${memoryMib}M`;
	if (!memory) return `memory-backend-ram,${size}`;
	const share = memory.use === 'written' ? 'on' : 'off';
	return `memory-backend-file,${size},mem-path=${quote(memory.file)},share=${share}`;
}

/** Options that save boot time under TCG, by measurement. `mitigations=off` and `nokaslr` change what is tested. */
function commandLine(kernel: Kernel, {commandLine: more}: Machine): string {
	const isNew = Number.parseFloat(kernel.release) >= 6;
	return [
		'console=ttyS0',
		'quiet',
		'loglevel=3',
		'panic=-1',
		'nokaslr',
		'tsc=reliable',
		'no_timer_check',
		'mitigations=off',
		'cryptomgr.notests',
		'random.trust_cpu=on',
		...(isNew ? ['initcall_blacklist=crypto_kdf108_init'] : []),
		...more,
	].join(' ');
}

/** A comma ends a value in QEMU's options; it is escaped by doubling. */
function quote(value: string): string {
	return value.replaceAll(',', ',,');
}
