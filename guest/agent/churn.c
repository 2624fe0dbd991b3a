// SPDX-License-Identifier: GPL-2.0
/*
 * A job that attaches and closes a probe over and over while others call its
 * target. The counters of the fixtures prove that calls overlapped the changes.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>
#include "churn.h"

/* The longest time that a round waits for a call of the target. */
#define PATIENCE_US 50000

/*
 * How long to watch a probe that is not hit: the host has probed code
 * translated anew every three seconds.
 */
#define DEAF_NS (8 * 1000000000ull)

static void count_error(struct churn *churn, const char *what, int number)
{
	char text[64];

	snprintf(text, sizeof(text), "%s %s", what, strerrorname_np(number));
	json_object_set_new(churn->errors, text,
			    json_integer(json_integer_value(json_object_get(churn->errors, text)) + 1));
}

static struct fx_counts counts_of(struct churn *churn)
{
	struct fx_counts counts = {};

	ioctl(churn->fixtures, FX_IOC_COUNTS, &counts);
	return counts;
}

/* Waits until a call begun after `since` has ended. */
static struct fx_counts await_call(struct churn *churn, const struct fx_counts *since)
{
	uint64_t until = now_ns() + PATIENCE_US * 1000ull;
	struct fx_counts now = counts_of(churn);

	while (now.ended[churn->target] <= since->begun[churn->target] && now_ns() < until) {
		sleep_us(50);
		now = counts_of(churn);
	}
	return now;
}

/* A change overlaps if calls began before it (since the last one), during it, and after it. */
static void change_begins(struct churn *churn, const struct fx_counts *now)
{
	int target = churn->target;

	if (churn->pending && churn->overlapping && now->begun[target] > churn->last.begun[target])
		churn->overlapped++;
	churn->overlapping = churn->pending ? now->begun[target] > churn->last.begun[target] : now->begun[target] > 0;
	churn->before_last = *now;
}

static void change_ends(struct churn *churn, const struct fx_counts *now)
{
	int target = churn->target;

	churn->overlapping = churn->overlapping && now->begun[target] > churn->before_last.begun[target];
	churn->last = *now;
	churn->pending = true;
	churn->changes++;
}

/*
 * If nothing hits a probe while its target is called, either the probe is deaf,
 * or an emulator still executes the code that was there before the probe. In
 * the second case it is hit later, at the latest when that code is translated
 * anew, though nothing changes in the guest.
 */
static void judge_silence(struct churn *churn)
{
	uint64_t runs = counter_runs(churn->cookie), since = now_ns();
	uint64_t ended = counts_of(churn).ended[churn->target];

	while (counter_runs(churn->cookie) == runs && now_ns() - since < DEAF_NS)
		sleep_us(10000);
	if (counter_runs(churn->cookie) != runs)
		churn->stale++;
	else
		churn->deaf++;
	churn->unheard += counts_of(churn).ended[churn->target] - ended;
}

/*
 * Before the close: did the program run? `attached` and `closing` are counts
 * from before and after the probe was held. A hit that was counted as a miss
 * does not make a probe deaf.
 */
static void judge_hits(struct churn *churn, const struct fx_counts *attached, const struct fx_counts *closing,
		       uint64_t hits, uint64_t misses)
{
	if (!hits && !misses && closing->ended[churn->target] > attached->begun[churn->target])
		judge_silence(churn);
}

/* After the close: does the program still run? */
static void judge_round(struct churn *churn, uint64_t hits)
{
	uint64_t runs = counter_runs(churn->cookie);
	struct fx_counts closed = counts_of(churn);

	await_call(churn, &closed);
	if (counter_runs(churn->cookie) != runs)
		churn->late++;
	churn->hits += hits;
	churn->rounds++;
}

static void hold(struct churn *churn, struct fx_counts *attached, struct fx_counts *closing)
{
	*attached = counts_of(churn);
	change_ends(churn, attached);
	sleep_us(churn->hold_us);
	*closing = await_call(churn, attached);
}

static void round_in_process(struct churn *churn)
{
	struct fx_counts attached, closing, now = counts_of(churn);
	struct churn_info info;

	change_begins(churn, &now);
	if (churn_attach(churn)) {
		count_error(churn, "attach", errno);
		sleep_us(1000);
		return;
	}
	hold(churn, &attached, &closing);
	if (churn_info(churn, &info))
		count_error(churn, "info", errno);
	/*
	 * The kernel runs no program on a CPU inside bpf(2), which each of our
	 * reads of a counter is.
	 */
	churn->busy += info.busy;
	churn->misses += info.misses;
	judge_hits(churn, &attached, &closing, info.hits, info.misses + info.busy);
	now = counts_of(churn);
	change_begins(churn, &now);
	churn_detach(churn);
	now = counts_of(churn);
	change_ends(churn, &now);
	judge_round(churn, info.hits);
}

/* The owner: attaches, reports the result, waits to be killed. */
static void own(struct churn *churn, int tell)
{
	int error = churn_attach(churn) ? errno : 0;

	if (write(tell, &error, sizeof(error)) != sizeof(error))
		_exit(1);
	for (;;)
		pause();
}

/* Only the listing shows the probe of an owner to other processes. */
static int is_owned(const struct bprobe_listed *listed, void *owned)
{
	if (listed->pid != ((struct bprobe_listed *)owned)->pid)
		return 0;
	*(struct bprobe_listed *)owned = *listed;
	return 1;
}

static void round_by_kill(struct churn *churn)
{
	struct fx_counts attached, closing, now;
	struct bprobe_listed owned = {};
	int tell[2], error = EPIPE, status;
	pid_t owner;

	if (pipe2(tell, O_CLOEXEC)) {
		count_error(churn, "pipe", errno);
		return;
	}
	owner = fork_clean((int[]){churn->device, churn->program, tell[1]}, 3);
	if (!owner)
		own(churn, tell[1]);
	close(tell[1]);
	now = counts_of(churn);
	change_begins(churn, &now);
	if (owner < 0 || read(tell[0], &error, sizeof(error)) != sizeof(error) || error) {
		count_error(churn, owner < 0 ? "fork" : "attach", owner < 0 ? errno : error);
	} else {
		hold(churn, &attached, &closing);
		owned.pid = owner;
		if (bprobe_list(is_owned, &owned) != 1)
			count_error(churn, "list", ENOENT);
		judge_hits(churn, &attached, &closing, owned.hits, owned.misses);
		now = counts_of(churn);
		change_begins(churn, &now);
	}
	if (owner > 0) {
		kill(owner, SIGKILL);
		waitpid(owner, &status, 0);
	}
	close(tell[0]);
	if (error)
		return;
	now = counts_of(churn);
	change_ends(churn, &now);
	judge_round(churn, owned.hits);
}

static void run(struct job *job)
{
	struct churn *churn = job->data;
	struct fx_counts now;

	while (!job_stopped(job) && (!churn->rounds_max || churn->rounds < churn->rounds_max)) {
		if (churn->by == BY_KILL)
			round_by_kill(churn);
		else
			round_in_process(churn);
	}
	now = counts_of(churn);
	change_begins(churn, &now);
	close(churn->fixtures);
}

static json_t *report(struct job *job)
{
	struct churn *churn = job->data;

	churn_end(churn);
	return json_pack("{s:{s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:o}}", "churn", "rounds", (json_int_t)churn->rounds,
			 "changes", (json_int_t)churn->changes, "overlapped", (json_int_t)churn->overlapped, "hits",
			 (json_int_t)churn->hits, "misses", (json_int_t)churn->misses, "busy",
			 (json_int_t)churn->busy, "lateRounds", (json_int_t)churn->late, "deafRounds", (json_int_t)churn->deaf,
			 "staleRounds", (json_int_t)churn->stale, "unheard",
			 (json_int_t)churn->unheard, "errors", churn->errors);
}

json_t *op_start_churn(json_t *in, struct failure *failure)
{
	static const char *const ways[] = {"close", "thread", "kill", NULL};
	int fixtures = fixtures_device(failure);
	int64_t cookie, hold_us;
	struct churn request = {}, *churn;

	if (fixtures < 0 || !need_choice(in, "point", point_names, &request.point, failure) ||
	    !need_choice(in, "target", target_names, &request.target, failure) ||
	    !need_choice(in, "by", ways, &request.by, failure) ||
	    !need_hex(in, "address", &request.address, failure) ||
	    !need_number(in, "cookie", &cookie, failure) || !need_number(in, "holdUs", &hold_us, failure))
		return NULL;
	churn = malloc(sizeof(*churn));
	*churn = request;
	churn->cookie = cookie;
	churn->hold_us = hold_us;
	churn->rounds_max = get_number(in, "rounds", 0);
	if (!churn_begin(churn, in, failure)) {
		free(churn);
		return NULL;
	}
	churn->errors = json_object();
	churn->fixtures = fcntl(fixtures, F_DUPFD_CLOEXEC, 3);
	return job_start((struct job){.run = run, .report = report, .data = churn}, failure);
}
