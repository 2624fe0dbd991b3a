// SPDX-License-Identifier: GPL-2.0
/* Shared by all commands. */
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "bprobectl.h"

volatile sig_atomic_t interrupted;

int complain(int number, const char *format, ...)
{
	va_list arguments;

	fputs("bprobectl: ", stderr);
	va_start(arguments, format);
	vfprintf(stderr, format, arguments);
	va_end(arguments);
	if (number)
		fprintf(stderr, ": %s", strerror(number));
	fputs(".\n", stderr);
	return FAILED;
}

int misuse(const char *format, ...)
{
	va_list arguments;

	fputs("bprobectl: ", stderr);
	va_start(arguments, format);
	vfprintf(stderr, format, arguments);
	va_end(arguments);
	fputs("; see bprobectl --help.\n", stderr);
	return USAGE;
}

int print_warning(enum libbpf_print_level level, const char *format, va_list arguments)
{
	return level == LIBBPF_WARN ? vfprintf(stderr, format, arguments) : 0;
}

static void interrupt(int number)
{
	(void)number;
	interrupted = 1;
}

void catch_signals(void)
{
	struct sigaction action = {.sa_handler = interrupt};

	/* Without SA_RESTART, so that a signal ends waiting. */
	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
}

int open_device(void)
{
	int device = bprobe_open();

	if (device < 0 && (errno == ENOENT || errno == ENODEV || errno == ENXIO))
		complain(0, "There is no " BPROBE_DEVICE "; load the module bprobe first");
	else if (device < 0 && (errno == EACCES || errno == EPERM))
		complain(0, "Only root may open " BPROBE_DEVICE);
	else if (device < 0)
		complain(errno, "Cannot open " BPROBE_DEVICE);
	return device;
}

/* Is @function an address ("0x...")? Then *address is its value. */
static bool is_address(const char *function, uint64_t *address)
{
	char *end;

	*address = strtoull(function, &end, 16);
	return !strncmp(function, "0x", 2) && !*end;
}

static int complain_refused(int device, const char *function)
{
	struct bprobe_check check;
	uint64_t address;

	if ((is_address(function, &address) || bprobe_resolve(function, &address, 1) > 0) &&
	    !bprobe_check(device, address, &check) && check.reason[0])
		return complain(0, "%s cannot be probed: %s", function, check.reason);
	return complain(0, "%s cannot be probed: this kernel has no way to hook it", function);
}

static int complain_attach(int number, int device, const char *function)
{
	switch (number) {
	case ENOENT:
		return complain(0, "There is no function %s; /proc/kallsyms has all", function);
	case ENOTUNIQ:
		return complain(0, "Several functions are named %s; give the address of the one you mean", function);
	case EADDRNOTAVAIL:
		return complain(0, "No function begins at %s", function);
	case EOPNOTSUPP:
		return complain_refused(device, function);
	case EPROTOTYPE:
		return complain(0, "The program is not of the kind kprobe, or it sleeps or overrides returns");
	case EPERM:
		return complain(0, "Probes need CAP_SYS_ADMIN");
	}
	return complain(number, "Cannot attach to %s", function);
}

int attach_to(int device, int prog_fd, enum bprobe_point point, const char *function)
{
	uint64_t address;
	int probe;

	if (!strncmp(function, "0x", 2)) {
		if (!is_address(function, &address)) {
			complain(0, "%s is no address", function);
			return -1;
		}
		probe = bprobe_attach_address(device, prog_fd, point, address, NULL);
	} else {
		probe = bprobe_attach_symbol(device, prog_fd, point, function, NULL);
	}
	if (probe < 0)
		complain_attach(errno, device, function);
	return probe;
}

bool is_pattern(const char *function)
{
	return strpbrk(function, "*?[") != NULL;
}

int attach_matching(int device, int prog_fd, enum bprobe_point point, const char *pattern, int *count)
{
	struct bprobe_function *functions;
	uint32_t failed;
	char name[24];
	int probe;

	*count = bprobe_match(device, pattern, BPROBE_FUNCTIONS_MAX, &functions);
	if (*count < 0) {
		complain(errno, "Cannot look for functions");
		return -1;
	}
	if (!*count) {
		complain(0, "No function that can be probed matches %s; /proc/kallsyms has all", pattern);
		free(functions);
		return -1;
	}
	probe = bprobe_attach_list(device, prog_fd, point, functions, *count, NULL, &failed);
	if (probe < 0 && failed < (uint32_t)*count) {
		snprintf(name, sizeof(name), "0x%" PRIx64, (uint64_t)functions[failed].address);
		complain_attach(errno, device, name);
	} else if (probe < 0) {
		complain_attach(errno, device, pattern);
	}
	free(functions);
	return probe;
}

static void print_counts(uint64_t hits, const uint64_t misses[BPROBE_MISS_MAX])
{
	fprintf(stderr, "%" PRIu64 " hits", hits);
	for (int i = 0; i < BPROBE_MISS_MAX; i++) {
		if (misses[i])
			fprintf(stderr, ", %" PRIu64 " missed (%s)", misses[i], bprobe_miss_name(i));
	}
	fputs(".\n", stderr);
}

void print_totals(int probe)
{
	uint64_t hits = 0, misses[BPROBE_MISS_MAX] = {}, missed;
	struct bprobe_info info = {.count = 1};

	for (uint32_t i = 0; i < info.count; i++) {
		if (bprobe_get_info_of(probe, i, &info)) {
			complain(errno, "Cannot ask the probe for its totals");
			return;
		}
		missed = 0;
		hits += info.hits;
		for (int n = 0; n < BPROBE_MISS_MAX; n++) {
			missed += info.misses[n];
			misses[n] += info.misses[n];
		}
		if (info.count > 1 && !info.hits && !missed)
			continue;
		fprintf(stderr, "%s of %s: ", bprobe_point_name(info.point), info.symbol);
		print_counts(info.hits, (const uint64_t *)info.misses);
	}
	if (info.count > 1) {
		fprintf(stderr, "%s of %" PRIu32 " functions: ", bprobe_point_name(info.point), info.count);
		print_counts(hits, misses);
	}
}
