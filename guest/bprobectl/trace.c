// SPDX-License-Identifier: GPL-2.0
/* bprobectl trace. */
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include "bprobectl.h"
#include "events.h"

/* Where the guest has it; install.mk says another place. */
#ifndef PROGRAMS
#define PROGRAMS "/lib/probe-matrix/programs"
#endif
#define OBJECT PROGRAMS "/trace.bpf.o"
#define PAGES 64

static const char help[] =
	"Usage: bprobectl trace FUNCTION [--return] [--count N] [--stack]\n"
	"\n"
	"Prints a line for every call of a function: time since boot, CPU, process,\n"
	"command, function, its six register arguments and, at its return, rax. FUNCTION\n"
	"may be a pattern such as 'vfs_*': of all functions that it matches, but for those\n"
	"that cannot be probed; they are attached in one step.\n"
	"\n"
	"  --return    at the function's return, with the arguments of its entry\n"
	"  --count N   stops after N calls; else Ctrl-C does\n"
	"  --stack     the call stack below each line\n";

struct tracing {
	const char *function;
	bool at_return, with_stack;
	uint64_t count, printed, lost;
	int stacks;
	struct bprobe_symbols *symbols;
};

static void print_stack(const struct tracing *tracing, const struct trace_event *event)
{
	uint64_t entries[STACK_WORDS] = {}, stack[STACK_WORDS + 1];
	uint32_t id = event->stack_id;
	char name[512];
	int count;

	if (event->stack_id < 0 || bpf_map_lookup_elem(tracing->stacks, &id, entries)) {
		printf("    (no stack)\n");
		return;
	}
	count = bprobe_whole_stack(entries, STACK_WORDS, event->caller, stack, STACK_WORDS + 1);
	for (int i = 0; i < count; i++)
		printf("    %s\n", bprobe_symbols_name(tracing->symbols, stack[i], name, sizeof(name)));
}

/* The function of @event: "name" or "name [module]". */
static const char *name_of(const struct tracing *tracing, const struct trace_event *event, char *name, size_t size)
{
	char *offset;

	if (!is_pattern(tracing->function))
		return tracing->function;
	offset = strstr(bprobe_symbols_name(tracing->symbols, event->function, name, size), "+0x0");
	if (offset)
		memmove(offset, offset + 4, strlen(offset + 4) + 1);
	return name;
}

static void print(void *argument, int cpu, void *data, uint32_t size)
{
	struct tracing *tracing = argument;
	const struct trace_event *event = data;
	char name[512];

	(void)cpu;
	if (size < sizeof(*event) || (tracing->count && tracing->printed >= tracing->count))
		return;
	printf("%" PRIu64 ".%06" PRIu64 "  cpu %u  pid %u  %.16s  %s(", (uint64_t)event->time_ns / 1000000000,
	       (uint64_t)event->time_ns / 1000 % 1000000, event->cpu, (unsigned int)(event->pid_tgid >> 32),
	       event->comm, name_of(tracing, event, name, sizeof(name)));
	for (int i = 0; i < 6; i++)
		printf("%s0x%" PRIx64, i ? ", " : "", (uint64_t)event->arguments[i]);
	if (tracing->at_return)
		printf(") = 0x%" PRIx64 "\n", (uint64_t)event->result);
	else
		printf(")\n");
	if (tracing->with_stack)
		print_stack(tracing, event);
	fflush(stdout);
	tracing->printed++;
}

static void lose(void *argument, int cpu, unsigned long long count)
{
	struct tracing *tracing = argument;

	(void)cpu;
	tracing->lost += count;
}

static uint64_t hits_of(int probe)
{
	struct bprobe_info info = {.count = 1};
	uint64_t hits = 0;

	for (uint32_t i = 0; i < info.count && !bprobe_get_info_of(probe, i, &info); i++)
		hits += info.hits;
	return hits;
}

/*
 * A run of the program counts when it has ended, but its event comes before: totals that were read at once could lack
 * the last event that was printed.
 */
static void wait_for_totals(int probe, uint64_t printed)
{
	for (int n = 0; n < 100 && hits_of(probe) < printed; n++)
		usleep(1000);
}

static int trace(struct tracing *tracing)
{
	struct bpf_object *object = bpf_object__open_file(OBJECT, NULL);
	struct perf_buffer *buffer;
	enum bprobe_point point = tracing->at_return ? BPROBE_RETURN : BPROBE_ENTRY;
	int device, program, probe, count;

	if (!object || bpf_object__load(object))
		return complain(errno, "Cannot load %s", OBJECT);
	tracing->stacks = bpf_object__find_map_fd_by_name(object, "stacks");
	buffer = perf_buffer__new(bpf_object__find_map_fd_by_name(object, "output"), PAGES, print, lose, tracing, NULL);
	if (!buffer)
		return complain(errno, "Cannot make the buffer for events");
	device = open_device();
	if (device < 0)
		return FAILED;
	program = bpf_program__fd(bpf_object__next_program(object, NULL));
	if (is_pattern(tracing->function))
		probe = attach_matching(device, program, point, tracing->function, &count);
	else
		probe = attach_to(device, program, point, tracing->function);
	if (probe < 0)
		return FAILED;
	while (!interrupted && (!tracing->count || tracing->printed < tracing->count))
		perf_buffer__poll(buffer, 100);
	wait_for_totals(probe, tracing->printed);
	print_totals(probe);
	close(probe);
	/* Print the events from before the close. */
	if (!tracing->count)
		perf_buffer__consume(buffer);
	if (tracing->lost)
		fprintf(stderr, "%" PRIu64 " events were lost: they came faster than they could be printed.\n",
			tracing->lost);
	perf_buffer__free(buffer);
	bpf_object__close(object);
	return DONE;
}

int command_trace(int argc, char **argv)
{
	static const struct option options[] = {
		{"return", no_argument, NULL, 'r'}, {"count", required_argument, NULL, 'c'},
		{"stack", no_argument, NULL, 's'}, {"help", no_argument, NULL, 'h'}, {},
	};
	struct rlimit unlimited = {RLIM_INFINITY, RLIM_INFINITY};
	struct tracing tracing = {};
	int option;
	char *end;

	while ((option = getopt_long(argc, argv, "h", options, NULL)) >= 0) {
		if (option == 'r') {
			tracing.at_return = true;
		} else if (option == 's') {
			tracing.with_stack = true;
		} else if (option == 'c') {
			tracing.count = strtoull(optarg, &end, 10);
			if (*end || !tracing.count)
				return misuse("--count needs a number above 0, not %s", optarg);
		} else if (option == 'h') {
			return fputs(help, stdout), DONE;
		} else {
			return misuse("trace does not know that option");
		}
	}
	if (argc - optind != 1)
		return misuse("trace takes one function or pattern");
	tracing.function = argv[optind];
	catch_signals();
	libbpf_set_print(print_warning);
	/* Before Linux 5.11 maps count as locked memory. */
	setrlimit(RLIMIT_MEMLOCK, &unlimited);
	if (tracing.with_stack || is_pattern(tracing.function)) {
		tracing.symbols = bprobe_symbols_load();
		if (!tracing.symbols)
			return complain(errno, "Cannot read /proc/kallsyms");
	}
	return trace(&tracing);
}
