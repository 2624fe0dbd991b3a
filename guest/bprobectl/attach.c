// SPDX-License-Identifier: GPL-2.0
/* bprobectl attach. */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <bpf/bpf.h>
#include "object.h"

static const char help[] =
	"Usage: bprobectl attach [FUNCTION | --match PATTERN]\n"
	"                        (--program FILE.o [--name PROGRAM]… | --pinned PATH) [--return]\n"
	"                        [--set NAME=VALUE]… [--pin DIR] [--type STRUCT] [--dump]\n"
	"\n"
	"Runs programs (BPF_PROG_TYPE_KPROBE) at every call of a function until Ctrl-C,\n"
	"then prints how often they ran, and how often they did not and why. Sections of\n"
	"FILE.o say where: SEC(\"kprobe/FUNCTION\") at the entry, SEC(\"kretprobe/FUNCTION\")\n"
	"at the return; the function of the command line replaces theirs. What programs\n"
	"put into ring buffers and perf buffers is printed as it comes.\n"
	"\n"
	"  --match PATTERN    at all functions that a pattern such as 'vfs_*' matches, but\n"
	"                     for those that cannot be probed; they are attached in one step\n"
	"  --program FILE.o   an object made by clang -target bpf\n"
	"  --name PROGRAM     which of its programs, by name or section; 'kprobe/*' is a\n"
	"                     pattern (default: all)\n"
	"  --pinned PATH      a program pinned below /sys/fs/bpf, by bpftool for example\n"
	"  --return           at the return, whatever sections say\n"
	"  --set NAME=VALUE   the value of a constant (\"const volatile\") of the object\n"
	"  --pin DIR          pins the maps of the object in DIR, below /sys/fs/bpf\n"
	"  --type STRUCT      prints what comes out of buffers as this struct of the object,\n"
	"                     not in hexadecimal\n"
	"  --dump             prints the entries of all maps at the end\n";

#define PROBES 64

struct attached {
	int device, count;
	int probes[PROBES];
};

/* What the command line asks for; neither function nor pattern: each program where its section says. */
struct place {
	const char *function, *pattern;
	bool at_return;
};

static bool attach_at(struct attached *attached, int program, enum bprobe_point point, const struct place *place)
{
	int functions, probe;

	if (attached->count == PROBES)
		return complain(0, "bprobectl attaches at most %d programs", PROBES), false;
	if (place->pattern)
		probe = attach_matching(attached->device, program, point, place->pattern, &functions);
	else
		probe = attach_to(attached->device, program, point, place->function);
	if (probe < 0)
		return false;
	attached->probes[attached->count++] = probe;
	if (place->pattern)
		fprintf(stderr, "Attached to the %s of %d functions.\n", bprobe_point_name(point), functions);
	else
		fprintf(stderr, "Attached to the %s of %s.\n", bprobe_point_name(point), place->function);
	return true;
}

static bool attach_object(struct attached *attached, struct bpf_object *object, const struct place *place)
{
	bool by_section = !place->function && !place->pattern;
	struct bpf_program *program;
	struct place own = *place;

	bpf_object__for_each_program(program, object) {
		if (!bpf_program__autoload(program))
			continue;
		if (by_section && !object_place(program, &own.function))
			return false;
		if (!attach_at(attached, bpf_program__fd(program), own.at_return ? BPROBE_RETURN : object_point(program), &own))
			return false;
	}
	return true;
}

static int run(struct attached *attached, struct bpf_object *object, bool dump)
{
	fprintf(stderr, "Ctrl-C ends it.\n");
	while (!interrupted)
		records_wait();
	for (int i = 0; i < attached->count; i++) {
		print_totals(attached->probes[i]);
		close(attached->probes[i]);
	}
	records_end();
	return dump ? dump_maps(object) : DONE;
}

int command_attach(int argc, char **argv)
{
	static const struct option known[] = {
		{"program", required_argument, NULL, 'p'}, {"name", required_argument, NULL, 'n'},
		{"pinned", required_argument, NULL, 'P'}, {"return", no_argument, NULL, 'r'},
		{"match", required_argument, NULL, 'm'}, {"set", required_argument, NULL, 's'},
		{"pin", required_argument, NULL, 'i'}, {"type", required_argument, NULL, 't'},
		{"dump", no_argument, NULL, 'd'}, {"help", no_argument, NULL, 'h'}, {},
	};
	int option, names = 0, sets = 0, program = -1;
	const char *pinned = NULL, *type = NULL;
	struct place place = {};
	struct object_options options = {};
	struct bpf_object *object = NULL;
	struct attached attached = {};
	bool dump = false, ok;

	while ((option = getopt_long(argc, argv, "h", known, NULL)) >= 0) {
		if ((option == 'n' && names == WORDS_MAX) || (option == 's' && sets == WORDS_MAX))
			return misuse("attach takes --name and --set %d times", WORDS_MAX);
		if (option == 'p')
			options.file = optarg;
		else if (option == 'n')
			options.names[names++] = optarg;
		else if (option == 's')
			options.sets[sets++] = optarg;
		else if (option == 'i')
			options.pin = optarg;
		else if (option == 't')
			type = optarg;
		else if (option == 'd')
			dump = true;
		else if (option == 'P')
			pinned = optarg;
		else if (option == 'm')
			place.pattern = optarg;
		else if (option == 'r')
			place.at_return = true;
		else if (option == 'h')
			return fputs(help, stdout), DONE;
		else
			return misuse("attach does not know that option");
	}
	place.function = argv[optind];
	if (argc - optind > 1 || (place.function && place.pattern))
		return misuse("attach takes one function, or --match");
	if (!options.file == !pinned)
		return misuse("attach needs one of --program and --pinned");
	options.by_section = !place.function && !place.pattern;
	if (pinned && options.by_section)
		return misuse("a pinned program has no section; give a function");
	if (pinned && (names || sets || options.pin || type || dump))
		return misuse("--name, --set, --pin, --type and --dump are for --program");
	if (options.by_section && place.at_return)
		return misuse("--return needs a function; sections say it by kretprobe/");
	/* Before anything is attached, so that a Ctrl-C never comes too early. */
	catch_signals();
	libbpf_set_print(print_warning);
	if (pinned) {
		program = bpf_obj_get(pinned);
		if (program < 0)
			return complain(errno, "Cannot open the pinned program %s", pinned);
	} else {
		object = object_load(&options);
		if (!object || !records_open(object, type))
			return FAILED;
	}
	attached.device = open_device();
	if (attached.device < 0)
		return FAILED;
	ok = pinned ? attach_at(&attached, program, place.at_return ? BPROBE_RETURN : BPROBE_ENTRY, &place) :
		      attach_object(&attached, object, &place);
	return ok ? run(&attached, object, dump) : FAILED;
}
