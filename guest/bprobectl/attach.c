// SPDX-License-Identifier: GPL-2.0
/* bprobectl attach. */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include "bprobectl.h"

static const char help[] =
	"Usage: bprobectl attach (FUNCTION | --match PATTERN)\n"
	"                        (--program FILE.o [--name PROGRAM] | --pinned PATH) [--return]\n"
	"\n"
	"Runs a program (BPF_PROG_TYPE_KPROBE) at every call of a function until Ctrl-C,\n"
	"then prints how often it ran, and how often it did not and why.\n"
	"\n"
	"  --match PATTERN    of all functions that a pattern such as 'vfs_*' matches, but\n"
	"                     for those that cannot be probed; they are attached in one step\n"
	"  --program FILE.o   an object made by clang -target bpf\n"
	"  --name PROGRAM     which of its programs (default: the only one)\n"
	"  --pinned PATH      a program pinned below /sys/fs/bpf, by bpftool for example\n"
	"  --return           at the function's return, not at its entry\n";

static int quiet(enum libbpf_print_level level, const char *format, va_list arguments)
{
	return level == LIBBPF_WARN ? vfprintf(stderr, format, arguments) : 0;
}

/* The object is never closed: it keeps the descriptor open until exit. */
static int load(const char *file, const char *name)
{
	struct bpf_object *object = bpf_object__open_file(file, NULL);
	struct bpf_program *program, *each;

	if (!object)
		return complain(errno, "Cannot open %s", file), -1;
	bpf_object__for_each_program(each, object)
		bpf_program__set_type(each, BPF_PROG_TYPE_KPROBE);
	program = bpf_object__next_program(object, NULL);
	if (name)
		program = bpf_object__find_program_by_name(object, name);
	else if (program && bpf_object__next_program(object, program))
		return complain(0, "%s holds several programs; choose one by --name", file), -1;
	if (!program)
		return complain(0, "%s holds no program%s%s", file, name ? " named " : "", name ? name : ""), -1;
	if (bpf_object__load(object))
		return complain(errno, "The kernel does not accept %s", file), -1;
	return bpf_program__fd(program);
}

static int hold(const char *function, const char *pattern, int program, enum bprobe_point point)
{
	int device = open_device(), probe, count;

	if (device < 0)
		return FAILED;
	if (pattern)
		probe = attach_matching(device, program, point, pattern, &count);
	else
		probe = attach_to(device, program, point, function);
	if (probe < 0)
		return FAILED;
	if (pattern)
		fprintf(stderr, "Attached to the %s of %d functions. Ctrl-C ends it.\n", bprobe_point_name(point), count);
	else
		fprintf(stderr, "Attached to the %s of %s. Ctrl-C ends it.\n", bprobe_point_name(point), function);
	while (!interrupted)
		pause();
	print_totals(probe);
	close(probe);
	return DONE;
}

int command_attach(int argc, char **argv)
{
	static const struct option options[] = {
		{"program", required_argument, NULL, 'p'}, {"name", required_argument, NULL, 'n'},
		{"pinned", required_argument, NULL, 'P'}, {"return", no_argument, NULL, 'r'},
		{"match", required_argument, NULL, 'm'}, {"help", no_argument, NULL, 'h'}, {},
	};
	const char *file = NULL, *name = NULL, *pinned = NULL, *pattern = NULL;
	enum bprobe_point point = BPROBE_ENTRY;
	int option, program;

	while ((option = getopt_long(argc, argv, "h", options, NULL)) >= 0) {
		if (option == 'p')
			file = optarg;
		else if (option == 'n')
			name = optarg;
		else if (option == 'P')
			pinned = optarg;
		else if (option == 'm')
			pattern = optarg;
		else if (option == 'r')
			point = BPROBE_RETURN;
		else if (option == 'h')
			return fputs(help, stdout), DONE;
		else
			return misuse("attach does not know that option");
	}
	if (argc - optind != !pattern)
		return misuse("attach takes one function, or --match");
	if (!file == !pinned)
		return misuse("attach needs one of --program and --pinned");
	/* Before anything is attached, so that a Ctrl-C never comes too early. */
	catch_signals();
	libbpf_set_print(quiet);
	program = pinned ? bpf_obj_get(pinned) : load(file, name);
	if (pinned && program < 0)
		return complain(errno, "Cannot open the pinned program %s", pinned);
	return program < 0 ? FAILED : hold(argv[optind], pattern, program, point);
}
