// SPDX-License-Identifier: GPL-2.0
/** What is tested where nothing else is named: the module of this project, and the faults by which verdicts are tested. */
export {type Fault, faults} from './bprobe/selftest/faults.ts';
export {type FaultResult, runSelftest} from './bprobe/selftest/run-selftest.ts';
export {bprobeSuite as projectSuite} from './bprobe/suite.ts';
