// SPDX-License-Identifier: GPL-2.0
/**
 * Simulates bisects of histories in which a bug shows always, rarely, more often or less often in later commits, or is
 * mended and comes back. Prints how often the result is right, how often that is claimed, and what it costs.
 *
 *   npx node scripts/bisect-table.ts [TIMES]
 */
import {simulationTable} from '../harness/test/simulate-bisects.ts';

process.stdout.write(await simulationTable(Number(process.argv[2] ?? 1000)));
