// SPDX-License-Identifier: GPL-2.0
/* bprobectl list. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include "bprobectl.h"

static const char help[] =
	"Usage: bprobectl list\n"
	"\n"
	"Prints all probes: where, program id (as bpftool shows it), how the function is\n"
	"hooked, how often the program ran and did not run, process that owns the probe.\n";

static int print(const struct bprobe_listed *listed, void *argument)
{
	(void)argument;
	printf("%-6s  %016" PRIx64 "  %7" PRIu32 "  %-6s  %10" PRIu64 "  %6" PRIu64 "  %7d  %s\n", listed->point,
	       listed->address, listed->prog_id, listed->hook, listed->hits, listed->misses, listed->pid, listed->symbol);
	return 0;
}

int command_list(int argc, char **argv)
{
	int device;

	if (argc > 1 && (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h"))) {
		fputs(help, stdout);
		return DONE;
	}
	if (argc > 1)
		return misuse("list takes no arguments");
	device = open_device();
	if (device < 0)
		return FAILED;
	printf("%-6s  %-16s  %7s  %-6s  %10s  %6s  %7s  %s\n", "POINT", "ADDRESS", "PROGRAM", "HOOK", "HITS", "MISSES",
	       "OWNER", "FUNCTION");
	if (bprobe_list(print, NULL))
		return complain(errno, "Cannot read the list of probes");
	return DONE;
}
