// SPDX-License-Identifier: GPL-2.0
/* bprobectl: list, trace and attach probes. */
#include <stdio.h>
#include <string.h>
#include "bprobectl.h"

static const char help[] =
	"Usage: bprobectl COMMAND\n"
	"\n"
	"Runs eBPF programs at the entry and the return of kernel functions.\n"
	"\n"
	"  list                 all probes of the system, with hits and misses\n"
	"  trace FUNCTION       prints every call of a function\n"
	"  attach FUNCTION      runs a program of yours at every call of a function\n"
	"\n"
	"bprobectl COMMAND --help says more. FUNCTION is a name from /proc/kallsyms or an\n"
	"address such as 0xffffffff81000000; trace and attach --match take many at once by\n"
	"a pattern such as 'vfs_*'. Exit status: 0 done, 1 failed, 2 wrong usage.\n";

int main(int argc, char **argv)
{
	static const struct {
		const char *name;
		int (*run)(int argc, char **argv);
	} commands[] = {{"list", command_list}, {"trace", command_trace}, {"attach", command_attach}};

	if (argc < 2) {
		fputs(help, stderr);
		return USAGE;
	}
	if (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h") || !strcmp(argv[1], "help")) {
		fputs(help, stdout);
		return DONE;
	}
	for (size_t i = 0; i < sizeof(commands) / sizeof(*commands); i++) {
		if (!strcmp(commands[i].name, argv[1]))
			return commands[i].run(argc - 1, argv + 1);
	}
	return misuse("There is no command %s", argv[1]);
}
