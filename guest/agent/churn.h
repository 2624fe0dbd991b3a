/* SPDX-License-Identifier: GPL-2.0 */
/* A job that attaches and closes a probe over and over. */
#ifndef CHURN_H
#define CHURN_H

#include "hooks.h"

enum { BY_CLOSE, BY_THREAD, BY_KILL };

struct churn {
	int fixtures;
	int point, target, by;
	uint64_t address, cookie, hold_us, rounds_max;

	/* churn-probe.c */
	int device, program, probe;	/* of bprobe */
	struct copy *copy;		/* of a mechanism of the kernel, or NULL */
	struct hook_request request;
	struct link link;
	char symbol[256];
	uint64_t runs;			/* of the program, before the attach */

	struct fx_counts before_last, last;	/* around the last change, until judged */
	bool pending, overlapping;
	uint64_t rounds, changes, overlapped, hits, misses, busy, late, deaf, stale, unheard;
	json_t *errors;
};

struct churn_info {
	uint64_t hits, misses, busy;
};

/* churn-probe.c: the probe of a churn, by bprobe or by a mechanism of the kernel. */
bool churn_begin(struct churn *churn, json_t *in, struct failure *failure);
void churn_end(struct churn *churn);
int churn_attach(struct churn *churn);		/* 0, or -1 with errno */
int churn_info(struct churn *churn, struct churn_info *info);
void churn_detach(struct churn *churn);

#endif
