// SPDX-License-Identifier: GPL-2.0
import type {BootFiles} from '../build/guest-build.ts';
import {BootError, LinkLostError} from '../host/errors.ts';
import {findQemu} from '../host/qemu.ts';
import {guestMemoryMib} from '../kernels/memory.ts';
import {Agent} from '../link/agent.ts';
import {GuestLink, type LinkOptions} from '../link/guest-link.ts';
import {createRunKeys, type RunKeys} from '../link/keys.ts';
import {Vm, type VmOptions} from '../qemu/vm.ts';
import {isClockRight, isRateRight, readClocks} from './clock.ts';
import {IdentityPort} from './identity.ts';
import {resumeVm} from './migration.ts';
import {noteUse, type Snapshot} from './snapshot-files.ts';

export type InstanceOptions = Omit<
	VmOptions,
	'qemu' | 'kernel' | 'initramfs' | 'memoryMib' | 'memory' | 'isIncoming'
> & {
	/** Default: what a guest of this kernel needs. */
	readonly memoryMib?: number;
	/** Called when QEMU has started; the guest may not have printed anything yet. */
	readonly onStarted?: (vm: Vm) => void;
	/** Time for the guest to answer, in ms. No deadline under gdb. */
	readonly deadlineMs?: number;
};

type RestoreOptions = Pick<InstanceOptions, 'consolePath' | 'deadlineMs' | 'signal'> & {
	/** A copy of the snapshot's memory that the guest writes to; by default its writes are lost when it ends. */
	readonly writesTo?: string;
};

/** A guest whose agent answers, with a connection to it. */
export class Instance implements AsyncDisposable {
	readonly vm: Vm;
	readonly agent: Agent;
	readonly keys: RunKeys;
	/** Time from the start of QEMU to the agent's first answer, in ms. */
	readonly readyMs: number;
	readonly #identity: IdentityPort;
	readonly #resources: AsyncDisposableStack;
	readonly #closing = new AbortController();
	#link: Promise<GuestLink> | undefined;

	/** Boots a guest. Throws BootError, with the end of its console. */
	static async boot({kernel, initramfs}: BootFiles, options: InstanceOptions = {}): Promise<Instance> {
		const {signal, gdb = false, deadlineMs = gdb ? undefined : 60_000} = options;
		const [qemu, needed] = await Promise.all([findQemu({signal}), guestMemoryMib(kernel)]);
		const memoryMib = options.memoryMib ?? needed;
		await using resources = new AsyncDisposableStack();
		const vm = resources.use(await Vm.start({...options, qemu, kernel, initramfs, memoryMib}));
		options.onStarted?.(vm);
		const identity = new IdentityPort(vm.identity);
		await vm.whileItComesUp(identity.asked(), {signal, deadlineMs});
		const {agent, keys} = await vm.whileItComesUp(introduce(vm, identity), {signal, deadlineMs});
		return new Instance({vm, agent, keys, identity}, resources.move());
	}

	/**
	 * Restores a snapshot and gives the guest random numbers, time and keys of its own. Throws BootError when it does
	 * not answer or its clock is wrong.
	 */
	static async restore(
		snapshot: Snapshot,
		{signal, deadlineMs = 30_000, consolePath, writesTo}: RestoreOptions = {},
	): Promise<Instance> {
		await using resources = new AsyncDisposableStack();
		const memory = {file: writesTo ?? snapshot.memory, use: writesTo ? ('written' as const) : ('copied' as const)};
		await noteUse(snapshot.directory);
		const vm = resources.use(await Vm.start({...snapshot.vmOptions, memory, isIncoming: true, consolePath, signal}));
		const resumed = await vm.whileItComesUp(resumeVm(vm.qmp, snapshot.state), {signal, deadlineMs});
		const identity = new IdentityPort(vm.identity);
		const {agent, keys} = await vm.whileItComesUp(introduce(vm, identity), {signal, deadlineMs});
		const saved = {hostMs: resumed, guestMs: snapshot.guestMs};
		const now = await vm.whileItComesUp(readClocks(agent), {signal, deadlineMs});
		// The interval is short, and on a busy host blurred; then measure again over a longer one.
		if (!isRateRight(saved, now) && !(await vm.whileItComesUp(isClockRight(agent), {signal, deadlineMs})))
			throw new BootError('The clock of a restored guest runs too fast or too slow.');
		return new Instance({vm, agent, keys, identity}, resources.move());
	}

	private constructor(
		parts: Pick<Instance, 'vm' | 'agent' | 'keys'> & {identity: IdentityPort},
		resources: AsyncDisposableStack,
	) {
		this.vm = parts.vm;
		this.agent = parts.agent;
		this.keys = parts.keys;
		this.#identity = parts.identity;
		this.readyMs = performance.now() - parts.vm.startedAt;
		this.#resources = resources;
	}

	/** The SSH connection. It is opened when first needed, because the agent does not use it. */
	async link({signal, ...options}: Partial<LinkOptions> = {}): Promise<GuestLink> {
		this.#link ??= GuestLink.open({
			...options,
			signal: AbortSignal.any([this.#closing.signal, ...(signal ? [signal] : [])]),
			port: this.vm.sshPort,
			keys: this.keys,
		});
		try {
			return await this.#link;
		} catch (error) {
			this.#link = undefined;
			throw error;
		}
	}

	/** Prepares a guest for saving: nobody can log in, and it asks for an identity as it does after booting. */
	async forgetIdentity(): Promise<void> {
		const link = await this.#link?.catch(() => undefined);
		this.#link = undefined;
		await link?.[Symbol.asyncDispose]();
		await this.#identity.forget();
	}

	async [Symbol.asyncDispose](): Promise<void> {
		// A hung guest does not accept connections; waiting for a pending one would take until its timeout.
		this.#closing.abort(new LinkLostError('The guest was abandoned.'));
		const link = await this.#link?.catch(() => undefined);
		await link?.[Symbol.asyncDispose]();
		await this.#resources.disposeAsync();
	}
}

async function introduce(vm: Vm, identity: IdentityPort): Promise<{agent: Agent; keys: RunKeys}> {
	const keys = createRunKeys();
	const agent = new Agent(vm.agent, vm.agent);
	// The guest must do nothing else before it has its identity.
	await identity.tell(keys);
	await agent.call('hello', {});
	return {agent, keys};
}
