/* SPDX-License-Identifier: GPL-2.0 */
/* bprobectl: the commands, and what they share. */
#ifndef BPROBECTL_H
#define BPROBECTL_H

#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <bpf/libbpf.h>
#include "libbprobe.h"

/* Exit codes. */
enum { DONE = 0, FAILED = 1, USAGE = 2 };

int command_list(int argc, char **argv);
int command_trace(int argc, char **argv);
int command_attach(int argc, char **argv);

/* Says a sentence on stderr, with errno's text if @number is not 0; returns FAILED. */
int complain(int number, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* A wrong command line: says so and how to get help; returns USAGE. */
int misuse(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Set by Ctrl-C or SIGTERM, once catch_signals() was called. */
extern volatile sig_atomic_t interrupted;
void catch_signals(void);

/* For libbpf_set_print(): warnings only. */
int print_warning(enum libbpf_print_level level, const char *format, va_list arguments);

/* The device; on failure it has complained and answers -1. */
int open_device(void);
/* A probe on a function, "name" or "0xaddress"; on failure it has complained and answers -1. */
int attach_to(int device, int prog_fd, enum bprobe_point point, const char *function);
/* One probe on all functions that a pattern matches and that may be probed; how many to *count. Failure likewise. */
int attach_matching(int device, int prog_fd, enum bprobe_point point, const char *pattern, int *count);
/* Whether it has one of the signs that make it match more than itself. */
bool is_pattern(const char *function);
/* Hits and misses of a probe, on stderr: of those functions that have any, and together. */
void print_totals(int probe);

#endif
