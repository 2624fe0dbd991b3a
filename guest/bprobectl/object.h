/* SPDX-License-Identifier: GPL-2.0 */
/* An object file with programs and maps of somebody's own. */
#ifndef OBJECT_H
#define OBJECT_H

#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include "bprobectl.h"

#define WORDS_MAX 32

struct object_options {
	const char *file;
	const char *names[WORDS_MAX + 1];	/* of the programs to run, or their sections; none: all */
	const char *sets[WORDS_MAX + 1];	/* NAME=VALUE, for constants */
	const char *pin;			/* a directory for the maps, or NULL */
	bool by_section;			/* sections say where the programs run */
};

/*
 * Loads the programs that were chosen; bpf_program__autoload() tells them. On
 * failure it has complained and answers NULL. The object is never closed: its
 * descriptors stay open until exit.
 */
struct bpf_object *object_load(const struct object_options *options);

/* Where a program runs by its section: at the return by "kretprobe" or "kretprobe/FUNCTION". */
enum bprobe_point object_point(const struct bpf_program *program);
/* The function in "kprobe/FUNCTION" or "kretprobe/FUNCTION". If there is none, complains and answers false. */
bool object_place(const struct bpf_program *program, const char **function);

/* constant.c: NAME=VALUE. Complains and answers false. */
bool object_set(struct bpf_object *object, const char *assignment);

/* type.c: prints @size bytes as the type @id, or in hexadecimal if it is 0 or larger than that. */
void print_typed(const struct btf *btf, uint32_t id, const void *data, size_t size);

/* record.c: prints what programs put into ring buffers and perf buffers, as the struct @type unless NULL. */
bool records_open(struct bpf_object *object, const char *type);
void records_wait(void);	/* at most 100 ms */
void records_end(void);		/* what is left, and how many were lost */

/* dump.c: prints the entries of all maps. */
int dump_maps(struct bpf_object *object);

#endif
