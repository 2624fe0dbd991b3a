// SPDX-License-Identifier: GPL-2.0
import type {Command} from 'commander';
import {buildGuest, type GuestBuild} from '../build/guest-build.ts';
import {obtainBootableKernel} from '../guest/bootable-kernel.ts';
import {findAccelerator} from '../host/accelerator.ts';
import {findQemu} from '../host/qemu.ts';
import {say} from '../host/say.ts';
import {fallbackKernel} from '../kernels/default-kernels.ts';
import {attachTerminal} from '../link/terminal.ts';
import {pushFromRoot} from '../link/transfer.ts';
import type {Vm} from '../qemu/vm.ts';
import {Instance} from '../vm/instance.ts';
import {loadSuite} from '../vm/load-suite.ts';
import {obtainLoaded} from '../vm/loaded-snapshot.ts';
import {readCopies} from './copies.ts';
import {addSuiteOptions, type SuiteOptions, suiteOf} from './shared-options.ts';

type ShellOptions = SuiteOptions & {readonly gdb?: boolean; readonly copy?: readonly string[]};

export function addShell(command: Command, signal: AbortSignal): void {
	addSuiteOptions(command)
		.argument('[id]', 'kernel to boot', fallbackKernel)
		.option('--copy <file...>', 'copy files and directories of this host to where the shell starts, or FILE:PATH')
		.option('--gdb', 'start the guest stopped, and print how to attach gdb')
		.action(async (id: string, options: ShellOptions) => {
			const {gdb = false, copy = []} = options;
			const suite = await suiteOf(options);
			const files = readCopies(copy);
			const {content} = suite;
			const kernel = await obtainBootableKernel(id, {signal, fragment: content.fragment});
			const guestBuild = await buildGuest(kernel, content, {signal});
			const {name: accelerator} = await findAccelerator(await findQemu({signal}), {signal});
			// With gdb, the guest must boot: debugging the boot is the point.
			await using guest = gdb
				? await Instance.boot(guestBuild, {accelerator, signal, gdb, onStarted: vm => tellGdb(vm, guestBuild)})
				: await Instance.restore(await obtainLoaded(guestBuild, {accelerator, signal}), {signal});
			say(
				`Linux ${guestBuild.kernel.release}, ready after ${(guest.readyMs / 1000).toFixed(1)} s; its console is ${guest.vm.console.path}`,
			);
			// While gdb holds the guest, it answers no keepalives.
			const link = await guest.link({signal, keepalive: !gdb, ...(gdb && {readyMs: 600_000})});
			if (gdb) await loadSuite(guest, guestBuild, {signal});
			await pushFromRoot(link, files, {signal});
			const shell = attachTerminal(link, 'cd /root && exec /bin/sh -l', {signal});
			process.exitCode = await guest.vm.whileItIsUp(shell);
		});
}

function tellGdb(vm: Vm, {kernel, modules}: GuestBuild): void {
	const symbols = kernel.symbols ?? kernel.vmlinux ?? kernel.bzImage;
	say(
		`the guest is stopped until gdb continues it:\n  gdb ${symbols} -ex 'target remote ${vm.gdbSocket}' -ex continue`,
	);
	for (const {name, file} of modules)
		say(
			`symbols of ${name}, once it is loaded: add-symbol-file ${file} -s .text ADDRESS (see /sys/module/${name}/sections/.text)`,
		);
}
