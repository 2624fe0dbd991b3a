// SPDX-License-Identifier: GPL-2.0
/** What `import … from 'probe-matrix'` gives: what a repository needs to declare its suite and its cases. */
export {type Case, type CaseContext, defineCase, type Streams, type Subtest} from './engine/case.ts';
export type {Mechanism, OpenedCell, SuiteGuest} from './engine/suite.ts';
export {
	defineSuite,
	type FileDefinition,
	type ModuleDefinition,
	type SuiteDefinition,
} from './suites/configured/definition.ts';
