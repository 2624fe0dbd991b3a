// SPDX-License-Identifier: GPL-2.0
/** A process for tests: bisects the repository in `$1/tree`, and kills itself with SIGKILL after `$2` calls of ask. */
import path from 'node:path';
import {Journal} from '../bisect/engine/journal.ts';
import {bisect} from '../bisect/engine/search.ts';
import {Checkout} from '../bisect/repository/checkout.ts';
import {GitRange} from '../bisect/repository/git-range.ts';
import {SourceRepository} from '../bisect/repository/source-repository.ts';
import {FakeTestBench} from './fake-repository.ts';

const [directory = '', killAfter = '0', failsOf100 = '100', seed = '1'] = process.argv.slice(2);

class DyingTestBench extends FakeTestBench {
	#calls = 0;

	override async ask(...args: Parameters<FakeTestBench['ask']>): ReturnType<FakeTestBench['ask']> {
		if (this.#calls++ === Number(killAfter)) process.kill(process.pid, 'SIGKILL');
		return super.ask(...args);
	}
}

const repository = await SourceRepository.open(path.join(directory, 'tree'));
const ends = await repository.ends('main~19', 'main');
const checkout = await Checkout.open(repository, path.join(directory, 'checkout'));
using journal = new Journal(path.join(directory, 'journal.jsonl'));
const testBench = new DyingTestBench(checkout, {failsOf100: Number(failsOf100), seed: Number(seed)});
const {finding} = await bisect({
	stage: 'commits',
	range: await GitRange.start(checkout, ends),
	testBench,
	journal,
	confidence: 0.95,
	isAnyFailure: false,
});
process.stdout.write(`${finding.suspects.map(({id}) => id).join(' ')}\n`);
