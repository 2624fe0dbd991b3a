// SPDX-License-Identifier: GPL-2.0
import type {ExecutionContext} from 'ava';
import packages from '../../images/host-packages.json' with {type: 'json'};
import {directoryOnPath} from '../host/qemu.ts';

/**
 * Whether a program that only tests use is installed. If not, the test passes with a hint how to install it; in CI it
 * fails, because `doctor --install --tests` installs it there.
 */
export async function hasTool(t: ExecutionContext, program: string): Promise<boolean> {
	if (await directoryOnPath(program)) return true;
	const name = packages.find(each => each.program === program)?.package ?? program;
	const words = `There is no ${program} here; apt-get install -y --no-install-recommends ${name}`;
	if (process.env.CI) t.fail(words);
	else {
		t.log(words);
		t.pass();
	}
	return false;
}
