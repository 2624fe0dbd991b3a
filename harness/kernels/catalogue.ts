import catalogue from '../../images/kernels.json' with {type: 'json'};
import type {Suite} from '../host/debian/archive.ts';
import {UsageError} from '../host/errors.ts';

export type DebianRow = {readonly series: string; readonly suites: readonly Suite[]};

// JSON types widen `archive` to string; images/kernels.json holds nothing else.
const debian = catalogue.debian as Readonly<Record<string, DebianRow>>;

export function knownKernels(): readonly string[] {
	return Object.keys(debian);
}

export function debianRow(id: string): DebianRow | undefined {
	return Object.hasOwn(debian, id) ? debian[id] : undefined;
}

export function unknownKernel(id: string): UsageError {
	return new UsageError(`There is no kernel ${JSON.stringify(id)}; known are ${knownKernels().join(', ')}.`);
}
