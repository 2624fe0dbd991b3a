import test from 'ava';
import {buildPayload} from '../build/payload.ts';
import {BootError} from '../host/errors.ts';
import {obtainKernel} from '../kernels/obtain.ts';
import {Guest} from './guest.ts';

test('a kernel that does not boot says why in the first line, and its console follows', async t => {
	t.timeout(10 * 60_000);
	const payload = await buildPayload(await obtainKernel('debian-6.1'));
	const error = await t.throwsAsync(Guest.boot(payload, {commandLine: ['rdinit=/nothing']}), {instanceOf: BootError});
	t.regex(
		error!.message,
		/^Linux 6\.1\.\S+ \(debian-6\.1\) did not boot: .*Unable to mount root fs.*\nThe end of its console:\n(?:.*\n)*.*mount_block_root/,
	);
});
