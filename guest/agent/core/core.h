/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The core of every test agent: requests as JSON lines on stdin, answers on
 * stdout (harness/link/agent-protocol.ts). One thread reads and answers. It is
 * a library, libagent.a. Linked with none.c, it is the agent that a guest boots
 * with. A suite may replace that one by the library with operations of its own.
 */
#ifndef CORE_H
#define CORE_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

/* Why a request failed: the error of the answer. */
struct failure {
	int number;
	char message[768];
};

/* An op returns its `out`, or NULL with *failure filled. */
typedef json_t *op_function(json_t *in, struct failure *failure);

struct operation {
	const char *name;
	op_function *run;
};

/* Where the files of a suite are. */
#define LIBRARY "/lib/probe-matrix"

/* What an agent adds to the core; none.c adds nothing. */
extern const struct operation suite_operations[];	/* the last entry has no name */
void after_operation(void);
void before_module_change(const char *module);	/* closes what would keep it loaded */
json_t *leftovers(void);			/* sentences about what a cell left behind */

/* json.c; both return NULL, so that `return fail(…)` ends an op. */
json_t *fail(struct failure *failure, int number, const char *format, ...) __attribute__((format(printf, 3, 4)));
json_t *fail_errno(struct failure *failure, const char *what);

/*
 * json.c: fields of requests. need_*() fails with EINVAL if the field is
 * missing or of the wrong type.
 */
bool get_hex(json_t *in, const char *name, uint64_t *value);	/* false: present, but no hex */
bool need_hex(json_t *in, const char *name, uint64_t *value, struct failure *failure);
bool need_number(json_t *in, const char *name, int64_t *value, struct failure *failure);
bool need_string(json_t *in, const char *name, const char **value, struct failure *failure);
bool need_choice(json_t *in, const char *name, const char *const *choices, int *value, struct failure *failure);
int64_t get_number(json_t *in, const char *name, int64_t otherwise);
json_t *hex(uint64_t value);
uint64_t hex_value(const char *text, bool *ok);
char *bytes_of(const char *hex_digits, size_t *size);		/* malloc()ed; NULL: malformed */
char *hex_of(const void *bytes, size_t size);			/* malloc()ed */

op_function op_hello, op_clock, op_become;	/* basics.c */
op_function op_prepare;				/* prepare.c */
op_function op_insmod, op_rmmod;		/* modules.c */
op_function op_mark;				/* mark.c */
extern const char *successor;	/* the program to exec after the answer */

#endif
