// SPDX-License-Identifier: GPL-2.0
/*
 * Runs at the entry and at the return of a call: carries the first argument from
 * one to the other, and does without the return if it is odd.
 */
#include "record.h"

#ifdef SESSION_TAKES_CTX
#define TAKEN void *ctx
#define GIVEN ctx
#else
#define TAKEN void
#define GIVEN
#endif

extern _Bool bpf_session_is_return(TAKEN) __ksym;
extern __u64 *bpf_session_cookie(TAKEN) __ksym;

PROGRAM(session, ctx)
{
	__u64 *carried = bpf_session_cookie(GIVEN), first = ctx[DI];
	struct event *event = keep(ctx);

	if (!bpf_session_is_return(GIVEN)) {
		*carried = first;
		return first & 1;
	}
	if (event)
		event->ext.entry[DI] = *carried;
	return 0;
}
