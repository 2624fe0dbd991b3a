// SPDX-License-Identifier: GPL-2.0
/** Writes docs/events.schema.json, the JSON Schema of events, from harness/results/run/events.ts. */
import {writeFileSync} from 'node:fs';
import path from 'node:path';
import {projectRoot} from '../harness/build/sources.ts';
import {eventJsonSchema} from '../harness/results/run/events.ts';

writeFileSync(path.join(projectRoot, 'docs/events.schema.json'), eventJsonSchema());
