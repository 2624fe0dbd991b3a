// SPDX-License-Identifier: GPL-2.0
/** Connects its terminal to a command that ends as soon as that is raw, and says how it is left. For terminal.test.ts. */
import {setTimeout as sleep} from 'node:timers/promises';
import {attachTerminal} from '../link/terminal.ts';
import {FakeSshServer, finish} from './fake-ssh-server.ts';

await using guest = await FakeSshServer.start(async (_command, channel) => {
	while (!process.stdin.isRaw) await sleep(5);
	finish(channel, 3);
});
await using link = await guest.link();
const code = await attachTerminal(link, 'shell');
process.stdout.write(`ended with ${code}, raw: ${process.stdin.isRaw}\n`);
