// SPDX-License-Identifier: GPL-2.0
import type {AddressInfo} from 'node:net';
import ssh2, {type Connection, type ServerChannel} from 'ssh2';
import {GuestLink} from '../link/guest-link.ts';
import {createRunKeys, type RunKeys} from '../link/keys.ts';

export type Behaviour = (command: string, channel: ServerChannel, connection: Connection) => void;

/** An SSH server in this process, with scripted behaviour. */
export class FakeSshServer implements AsyncDisposable {
	readonly port: number;
	readonly keys: RunKeys;
	/** Sizes of the client's terminal, as it told them. */
	readonly windows: readonly string[];
	readonly #server: ssh2.Server;

	static async start(behaviour: Behaviour): Promise<FakeSshServer> {
		const keys = createRunKeys();
		const windows: string[] = [];
		const server = new ssh2.Server({hostKeys: [keys.host.private]}, connection => {
			connection.on('error', () => {});
			connection.on('authentication', context => {
				if (context.method === 'publickey') context.accept();
				else context.reject(['publickey']);
			});
			connection.on('session', accept => {
				const session = accept();
				const told = (accepted: (() => void) | undefined, {rows, cols}: {rows: number; cols: number}) => {
					windows.push(`${rows} rows of ${cols}`);
					accepted?.();
				};
				session.on('pty', (acceptPty, _reject, size) => told(acceptPty, size));
				session.on('window-change', (acceptSize, _reject, size) => told(acceptSize, size));
				session.on('exec', (acceptExec, _reject, {command}) => behaviour(command, acceptExec(), connection));
			});
		});
		const {promise, resolve} = Promise.withResolvers<void>();
		server.listen(0, '127.0.0.1', resolve);
		await promise;
		return new FakeSshServer(server, keys, windows);
	}

	private constructor(server: ssh2.Server, keys: RunKeys, windows: readonly string[]) {
		this.#server = server;
		this.windows = windows;
		this.keys = keys;
		this.port = (server.address() as AddressInfo).port;
	}

	async link(keys: RunKeys = this.keys): Promise<GuestLink> {
		return GuestLink.open({port: this.port, keys});
	}

	async [Symbol.asyncDispose](): Promise<void> {
		this.#server.close();
	}
}

/** Ends a channel like a command that exits with `code`. */
export function finish(channel: ServerChannel, code: number): void {
	channel.exit(code);
	channel.end();
}
