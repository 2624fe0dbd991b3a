/** For tests, as a process of its own: bisects the history in `$1/tree`, and dies by SIGKILL after `$2` calls of ask. */
import path from 'node:path';
import {bisect} from './bisect.ts';
import {Checkout} from './checkout.ts';
import {FakeLaboratory} from './fake-history.ts';
import {GitRange} from './git-range.ts';
import {History} from './history.ts';
import {Journal} from './journal.ts';

const [directory = '', killAfter = '0', failsOf100 = '100', seed = '1'] = process.argv.slice(2);

class DyingLaboratory extends FakeLaboratory {
	#calls = 0;

	override async ask(...args: Parameters<FakeLaboratory['ask']>): ReturnType<FakeLaboratory['ask']> {
		if (this.#calls++ === Number(killAfter)) process.kill(process.pid, 'SIGKILL');
		return super.ask(...args);
	}
}

const history = await History.open(path.join(directory, 'tree'));
const ends = await history.ends('main~19', 'main');
const checkout = await Checkout.open(history, path.join(directory, 'checkout'));
using journal = new Journal(path.join(directory, 'journal.jsonl'));
const laboratory = new DyingLaboratory(checkout, {failsOf100: Number(failsOf100), seed: Number(seed)});
const {finding} = await bisect({
	stage: 'commits',
	range: await GitRange.start(checkout, ends),
	laboratory,
	journal,
	confidence: 0.95,
	isAnyFailure: false,
});
process.stdout.write(`${finding.suspects.map(({id}) => id).join(' ')}\n`);
