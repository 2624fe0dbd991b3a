/** What `import … from 'probe-matrix'` gives: what a repository needs to declare its own cases. */
export {
	type AttachOptions,
	type Case,
	type CaseContext,
	defineCase,
	type Feature,
	type Probe,
	type TargetKind,
} from './engine/case.ts';
