// SPDX-License-Identifier: GPL-2.0
import net from 'node:net';
import type {RunDirectory} from './run-directory.ts';

/** UNIX sockets that wait for one QEMU, which connects when it is up; so nothing has to be polled. */
export class Sockets<Name extends string> implements Disposable {
	readonly paths: Readonly<Record<Name, string>>;
	/** The first connection of each socket. */
	readonly connections: Readonly<Record<Name, Promise<net.Socket>>>;
	readonly #servers: readonly net.Server[];

	static async listen<Name extends string>(directory: RunDirectory, names: readonly Name[]): Promise<Sockets<Name>> {
		const servers = names.map(() => net.createServer());
		const paths = names.map(name => directory.file(name));
		await Promise.all(servers.map((server, index) => listening(server, paths[index]!)));
		const connections = servers.map(firstConnection);
		const byName = <T>(values: readonly T[]) =>
			// There is a value for each name.
			Object.fromEntries(names.map((name, index) => [name, values[index]])) as Record<Name, T>;
		return new Sockets(byName(paths), byName(connections), servers);
	}

	private constructor(
		paths: Readonly<Record<Name, string>>,
		connections: Readonly<Record<Name, Promise<net.Socket>>>,
		servers: readonly net.Server[],
	) {
		this.paths = paths;
		this.connections = connections;
		this.#servers = servers;
	}

	/** Accepts no further connections; existing ones stay. */
	[Symbol.dispose](): void {
		for (const server of this.#servers) server.close();
	}
}

async function listening(server: net.Server, socketPath: string): Promise<void> {
	const {promise, resolve, reject} = Promise.withResolvers<void>();
	server.once('error', reject);
	server.listen(socketPath, resolve);
	await promise;
}

async function firstConnection(server: net.Server): Promise<net.Socket> {
	return new Promise(resolve => server.once('connection', resolve));
}
