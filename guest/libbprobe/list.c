// SPDX-License-Identifier: GPL-2.0
/* Lists probes, and looks up functions by name. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include "libbprobe.h"

/*
 * A line: point, address, program id, hook, hits, misses, pid, symbol. The
 * symbol is last because "name [module]" is two words.
 */
static int parse(char *line, struct bprobe_listed *listed)
{
	memset(listed, 0, sizeof(*listed));
	return sscanf(line, "%7s %" SCNx64 " %" SCNu32 " %7s %" SCNu64 " %" SCNu64 " %d %127[^\n]", listed->point,
		      &listed->address, &listed->prog_id, listed->hook, &listed->hits, &listed->misses, &listed->pid,
		      listed->symbol) == 8 ? 0 : -1;
}

int bprobe_list(int (*each)(const struct bprobe_listed *listed, void *argument), void *argument)
{
	FILE *file = fopen(BPROBE_DEVICE, "re");
	struct bprobe_listed listed;
	char line[512];
	int answer = 0;

	if (!file)
		return -1;
	while (!answer && fgets(line, sizeof(line), file)) {
		/* The header has no numbers. */
		if (!parse(line, &listed))
			answer = each(&listed, argument);
	}
	fclose(file);
	return answer;
}

int bprobe_resolve(const char *symbol, uint64_t *addresses, int max)
{
	FILE *file = fopen("/proc/kallsyms", "re");
	char line[512], name[384], type;
	uint64_t address;
	int count = 0;

	if (!file)
		return -1;
	while (fgets(line, sizeof(line), file)) {
		if (!strstr(line, symbol) || sscanf(line, "%" SCNx64 " %c %383s", &address, &type, name) != 3)
			continue;
		if (!strchr("tTwW", type) || strcmp(name, symbol))
			continue;
		if (!address) {
			fclose(file);
			errno = EPERM;
			return -1;
		}
		if (count < max)
			addresses[count] = address;
		count++;
	}
	fclose(file);
	return count;
}
