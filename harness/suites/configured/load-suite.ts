import type {Suite} from '../../engine/suite.ts';

export async function loadSuiteFile(_file: string, _options: object): Promise<Suite> {
	throw new Error('todo');
}
