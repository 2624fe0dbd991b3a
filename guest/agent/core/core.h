/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The core of every test agent: requests as JSON lines on stdin, answers on
 * stdout (harness/link/agent-protocol.ts). One thread reads and answers. Linked
 * alone, it is the agent of a guest that holds nothing of a suite yet. The
 * agent of a suite replaces that one; it is this core and the operations of the
 * suite.
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

/* Operations of the suite; the last entry has no name. */
extern const struct operation suite_operations[];
void after_operation(void);

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

/* basics.c */
op_function op_hello, op_clock, op_become;
extern const char *successor;	/* the program to exec after the answer */

#endif
