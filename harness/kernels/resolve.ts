import {debianRow, unknownKernel} from './catalogue.ts';
import {resolveDebianKernel} from './debian.ts';
import type {ObtainOptions} from './obtain.ts';

/** What an id means today, without fetching it. Throws UsageError for an id that is not known. */
export async function resolveKernel(
	id: string,
	options: ObtainOptions = {},
): Promise<{release: string; origin: string}> {
	const row = debianRow(id);
	if (!row) throw unknownKernel(id);
	const {release, packages} = await resolveDebianKernel(id, row, options);
	const image = packages[0]!;
	return {release, origin: `Debian ${image.name} ${image.version}`};
}
