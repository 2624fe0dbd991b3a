// SPDX-License-Identifier: GPL-2.0
import test from 'ava';
import {hostFaultOf} from './host-fault.ts';

for (const line of [
	'gcc: fatal error: Killed signal terminated program cc1',
	'cc1: error: Cannot allocate memory',
	'virtual memory exhausted: Cannot allocate memory',
	'virtual memory exhausted',
]) {
	test(`a build that ends with «${line}» failed because of the host`, t => {
		t.is(hostFaultOf(`  CC a.o\n  ${line}\nmake: *** [a.o] Error 1\n`, {signal: undefined}), line);
	});
}

test('a build whose make was killed failed because of the host, and one with an error in a source did not', t => {
	t.is(hostFaultOf('  CC a.o\n', {signal: 'SIGKILL'}), 'make was killed by SIGKILL');
	t.is(hostFaultOf('a.c:1: error: expected declaration\n', {signal: undefined}), undefined);
});
