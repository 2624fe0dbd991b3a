// SPDX-License-Identifier: GPL-2.0
/* Attaches that something comes in between: no free descriptor, signals, SIGKILL. */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>
#include "agent.h"

/* Attempts to measure; attempts while signals come; and how many parts of an attach are tried for a kill. */
#define UNDISTURBED 3
#define ROUNDS 16
#define PARTS 20

static volatile sig_atomic_t signals;

static void count_signal(int signal)
{
	(void)signal;
	signals = signals + 1;
}

static const char *once(const struct attempt *attempt)
{
	int error = attempt_once(attempt);

	return error ? strerrorname_np(error) : "";
}

static void add_end(json_t *ends, const char *end)
{
	json_array_append_new(ends, json_string(end));
}

/* The shortest of some attempts. */
static uint64_t undisturbed_us(const struct attempt *attempt, const char *(*run)(const struct attempt *), json_t *ends)
{
	uint64_t least = UINT64_MAX, since, took;

	for (int i = 0; i < UNDISTURBED; i++) {
		since = now_ns();
		add_end(ends, run(attempt));
		took = now_ns() - since;
		least = took < least ? took : least;
	}
	return least / 1000;
}

/* Once without a free descriptor, and once as usual. */
static void without_descriptors(const struct attempt *attempt, json_t *ends)
{
	struct rlimit before, none;

	getrlimit(RLIMIT_NOFILE, &before);
	none = (struct rlimit){.rlim_cur = 0, .rlim_max = before.rlim_max};
	setrlimit(RLIMIT_NOFILE, &none);
	add_end(ends, once(attempt));
	setrlimit(RLIMIT_NOFILE, &before);
	add_end(ends, once(attempt));
}

/* Signals come all the time, about seven for each attempt. */
static void among_signals(const struct attempt *attempt, json_t *ends)
{
	struct sigaction action = {.sa_handler = count_signal}, before;
	struct itimerval timer = {};
	uint64_t us = undisturbed_us(attempt, once, ends) / 7 + 50;

	timer.it_value.tv_usec = timer.it_interval.tv_usec = us < 100000 ? us : 100000;
	sigaction(SIGALRM, &action, &before);
	setitimer(ITIMER_REAL, &timer, NULL);
	for (int i = 0; i < ROUNDS; i++)
		add_end(ends, once(attempt));
	setitimer(ITIMER_REAL, &(struct itimerval){}, NULL);
	sigaction(SIGALRM, &before, NULL);
}

/* A child that attaches and exits with the probe, or is killed after some time; 0: not at all. */
static const char *killed_after(const struct attempt *attempt, uint64_t us)
{
	pid_t pid = fork_clean((int[]){attempt->device, attempt->program}, 2);
	int status;

	if (!pid)
		_exit(attempt_attach(attempt) < 0 ? errno : 0);
	if (pid < 0)
		return strerrorname_np(errno);
	if (us) {
		sleep_us(us);
		kill(pid, SIGKILL);
	}
	if (wait_for(pid, 20000, &status))
		return strerrorname_np(errno);
	if (WIFSIGNALED(status))
		return "SIGKILL";
	return WEXITSTATUS(status) ? strerrorname_np(WEXITSTATUS(status)) : "";
}

static const char *in_child(const struct attempt *attempt)
{
	return killed_after(attempt, 0);
}

/* Each child is killed a little later than the one before, until beyond what an undisturbed one takes. */
static void killed(const struct attempt *attempt, json_t *ends)
{
	uint64_t us = undisturbed_us(attempt, in_child, ends);

	for (int part = 1; part <= PARTS; part++)
		add_end(ends, killed_after(attempt, us * part * 5 / 4 / PARTS + 1));
}

/* See agent-protocol.ts. */
json_t *op_disturbed(json_t *in, struct failure *failure)
{
	static const char *const bys[] = {"descriptors", "signals", "kill", NULL};
	static void (*const disturb[])(const struct attempt *, json_t *) = {without_descriptors, among_signals, killed};
	struct attempt attempt;
	json_t *ends;
	int by;

	if (!need_choice(in, "by", bys, &by, failure) || !attempt_from_json(in, &attempt, failure))
		return NULL;
	ends = json_array();
	signals = 0;
	disturb[by](&attempt, ends);
	attempt_free(&attempt);
	return json_pack("{s:o, s:i}", "ends", ends, "signals", (int)signals);
}
