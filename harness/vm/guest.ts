import type {CpioEntry} from '../build/cpio.ts';
import type {Payload} from '../build/payload.ts';
import {findQemu} from '../host/qemu.ts';
import {Agent} from '../link/agent.ts';
import {GuestLink} from '../link/guest-link.ts';
import {createRunKeys, type RunKeys, toDropbear} from '../link/keys.ts';
import {Vm, type VmOptions} from './vm.ts';

export type GuestOptions = Omit<VmOptions, 'qemu' | 'kernel' | 'initramfs' | 'overlay'>;

/** A booted guest, our connection to it, and its agent. */
export class Guest implements AsyncDisposable {
	readonly vm: Vm;
	readonly link: GuestLink;
	readonly agent: Agent;
	/** Power on to the agent's first answer. */
	readonly readyMs: number;
	readonly #resources: AsyncDisposableStack;

	static async boot(payload: Payload, options: GuestOptions = {}): Promise<Guest> {
		const {signal} = options;
		await using resources = new AsyncDisposableStack();
		const {vm, keys} = await bootVm(payload, options);
		resources.use(vm);
		const since = performance.now();
		const link = resources.use(await GuestLink.open({port: vm.sshPort, keys, signal}));
		const agent = resources.use(await Agent.start(link, {signal}));
		return new Guest({vm, link, agent, readyMs: vm.bootMs + performance.now() - since}, resources.move());
	}

	private constructor(
		parts: {vm: Vm; link: GuestLink; agent: Agent; readyMs: number},
		resources: AsyncDisposableStack,
	) {
		this.vm = parts.vm;
		this.link = parts.link;
		this.agent = parts.agent;
		this.readyMs = parts.readyMs;
		this.#resources = resources;
	}

	async [Symbol.asyncDispose](): Promise<void> {
		await this.#resources.disposeAsync();
	}
}

/** A booted VM with fresh keys in it. */
export async function bootVm(
	{kernel, initramfs}: Pick<Payload, 'kernel' | 'initramfs'>,
	options: GuestOptions = {},
): Promise<{vm: Vm; keys: RunKeys}> {
	const [qemu, keys] = await Promise.all([findQemu({signal: options.signal}), createRunKeys()]);
	const vm = await Vm.boot({...options, qemu, kernel, initramfs, overlay: keyFiles(keys)});
	return {vm, keys};
}

function keyFiles(keys: RunKeys): readonly CpioEntry[] {
	return [
		{path: 'etc/dropbear', directory: true, mode: 0o700},
		{path: 'etc/dropbear/dropbear_ed25519_host_key', data: toDropbear(keys.host), mode: 0o600},
		{path: 'root', directory: true, mode: 0o700},
		{path: 'root/.ssh', directory: true, mode: 0o700},
		{path: 'root/.ssh/authorized_keys', data: Buffer.from(`${keys.client.public} probe-matrix\n`), mode: 0o600},
	];
}
