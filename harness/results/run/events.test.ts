// SPDX-License-Identifier: GPL-2.0
import {readFileSync} from 'node:fs';
import path from 'node:path';
import test from 'ava';
import {projectRoot} from '../../build/sources.ts';
import {eventJsonSchema} from './events.ts';

test('docs/events.schema.json is the schema of the events (else run node scripts/event-schema.ts)', t => {
	t.is(readFileSync(path.join(projectRoot, 'docs/events.schema.json'), 'utf8'), eventJsonSchema());
});
