import {type Qemu, sandbox} from '../host/qemu.ts';
import type {Kernel} from '../kernels/kernel.ts';

export type Machine = {
	readonly memoryMib: number;
	readonly cpus: number;
	readonly accelerator: 'tcg' | 'kvm';
	/** One instruction a nanosecond of guest time, exactly: for counting them. Needs one CPU and no acceleration. */
	readonly countsInstructions?: boolean;
	/** Added to the tuned command line, so it wins over it. */
	readonly commandLine: readonly string[];
	readonly consolePath: string;
	readonly initrd: string;
	/** The file that is the guest's memory; `copied` leaves it as it is and keeps what the guest writes to itself. */
	readonly memory?: {readonly file: string; readonly use: 'written' | 'copied'};
	/** Waits for a saved state instead of starting from nothing. */
	readonly isIncoming?: boolean;
	/** At a reset or when it switches itself off the guest stands still, and QEMU stays. */
	readonly isHeldAtEnd?: boolean;
	/** Where we listen for the monitor and for the ports of the guest. */
	readonly sockets: Readonly<Record<(typeof socketNames)[number], string>>;
	/** Where QEMU tells of resets; only there it says that one was a triple fault. */
	readonly resetLog: string;
	/** A UNIX socket for gdb. */
	readonly gdbSocket: string;
	/** The guest stands still until gdb lets it go. */
	readonly isStopped: boolean;
};

export const socketNames = ['qmp', 'identity', 'agent'] as const;

/** Everything a guest has, and nothing more: no default device, no configuration of the host's. */
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
		// The host's hours between saving and restoring are none for the guest; it is told the time (identity.ts).
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

/** Measured choices: each of them saves boot time under emulation. `mitigations=off` and `nokaslr` change what is tested. */
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

/** A comma ends a value in QEMU's options; two stand for one. */
function quote(value: string): string {
	return value.replaceAll(',', ',,');
}
