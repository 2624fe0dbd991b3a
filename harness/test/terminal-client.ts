// SPDX-License-Identifier: GPL-2.0
/**
 * Connects its terminal to a command that resizes it and ends with 3, or with `killed` by a signal, and says how it is
 * left. For terminal.test.ts.
 */
import {setTimeout as sleep} from 'node:timers/promises';
import {execa} from 'execa';
import {attachTerminal} from '../link/terminal.ts';
import {FakeSshServer, finish} from './fake-ssh-server.ts';

const resize = (rows: number, cols: number) =>
	execa('stty', ['rows', `${rows}`, 'cols', `${cols}`], {stdin: 'inherit', stderr: 'inherit'});
await resize(20, 70);
await using guest = await FakeSshServer.start(async (_command, channel) => {
	while (!process.stdin.isRaw) await sleep(5);
	await resize(33, 111);
	// stty sets rows and columns one after the other, so there may be a size in between.
	while (!/111|of 33$/.test(guest.windows.at(-1)!)) await sleep(5);
	if (process.argv[2] !== 'killed') return finish(channel, 3);
	channel.exit('KILL');
	channel.end();
});
await using link = await guest.link();
const code = await attachTerminal(link, 'shell');
process.stdout.write(
	`ended with ${code}, raw: ${process.stdin.isRaw}; ${guest.windows[0]}, then ${guest.windows.at(-1)}\n`,
);
