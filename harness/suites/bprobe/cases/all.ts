// SPDX-License-Identifier: GPL-2.0
import type {Case} from '../case.ts';
import {disturbedCases} from './disturbed.ts';
import {entryCases} from './entry.ts';
import {entryHookCases} from './entry-hooks.ts';
import {frameCases} from './frames.ts';
import {fuzzCases} from './fuzz.ts';
import {inFlightCases} from './in-flight.ts';
import {keptCases} from './kept.ts';
import {manyCases} from './many.ts';
import {missCases} from './misses.ts';
import {moduleCases} from './module.ts';
import {multiCases} from './multi.ts';
import {noFunctionCases} from './no-function.ts';
import {noMemoryCases} from './no-memory.ts';
import {notInInterruptCases} from './not-in-interrupt.ts';
import {objectCases} from './objects.ts';
import {programCases} from './programs.ts';
import {raceCases} from './race.ts';
import {moduleRaceCases} from './race-modules.ts';
import {unloadBesideRaceCases} from './race-unload-beside.ts';
import {requestCases} from './requests.ts';
import {returnCases} from './return.ts';
import {returnSlotCases} from './return-slots.ts';
import {stormCases} from './storms.ts';
import {tailCallCases} from './tail-calls.ts';
import {toolingCases} from './tooling.ts';
import {unloadBesideCases} from './unload-beside.ts';

/** All cases, in the order in which reports show them. */
export const allCases: readonly Case[] = [
	...moduleCases,
	...requestCases,
	...noFunctionCases,
	...fuzzCases,
	...noMemoryCases,
	...disturbedCases,
	...entryCases,
	...entryHookCases,
	...notInInterruptCases,
	...returnCases,
	...returnSlotCases,
	...inFlightCases,
	...unloadBesideCases,
	...keptCases,
	...raceCases,
	...moduleRaceCases,
	...unloadBesideRaceCases,
	...stormCases,
	...multiCases,
	...manyCases,
	...tailCallCases,
	...programCases,
	...missCases,
	...frameCases,
	...toolingCases,
	...objectCases,
];
