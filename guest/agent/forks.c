// SPDX-License-Identifier: GPL-2.0
/*
 * A job of short-lived processes that call a target, and exit or are killed
 * during the call.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>
#include "agent.h"

#define LINES_MAX 16

/* Results of one line of processes, shared with them. */
struct line {
	uint64_t forked, calls, killed, bad;
	struct fx_loop loop;
};

struct forks {
	int fixtures;
	int target, lines;
	int64_t calls;
	bool kill;
	pid_t pids[LINES_MAX];
	struct shared {
		volatile bool stop;
		struct line lines[LINES_MAX];
	} *shared;
};

/*
 * Runs one process after the other. This is a separate process, which has no
 * probe that a fork could copy.
 */
static void run_line(struct forks *forks, struct line *line, uint64_t seed)
{
	while (!forks->shared->stop) {
		int status;
		pid_t pid;

		memset(&line->loop, 0, sizeof(line->loop));
		line->loop.size = sizeof(line->loop);
		line->loop.target = forks->target;
		line->loop.calls = forks->calls;
		line->loop.seed = seed += 1000003;
		pid = fork();
		if (!pid) {
			prctl(PR_SET_PDEATHSIG, SIGKILL);
			_exit(ioctl(forks->fixtures, FX_IOC_LOOP, &line->loop) ? 1 : 0);
		}
		if (pid < 0) {
			sleep_us(1000);
			continue;
		}
		line->forked++;
		if (forks->kill) {
			sleep_us(seed % 2000);
			kill(pid, SIGKILL);
		}
		waitpid(pid, &status, 0);
		line->killed += WIFSIGNALED(status);
		/* A killed loop ends between two calls and still reports how far it got. */
		line->calls += line->loop.done;
		line->bad += line->loop.bad;
	}
}

static void run(struct job *job)
{
	struct forks *forks = job->data;
	int status;

	for (int i = 0; i < forks->lines; i++) {
		forks->pids[i] = fork_clean(&forks->fixtures, 1);
		if (!forks->pids[i]) {
			run_line(forks, &forks->shared->lines[i], (uint64_t)i << 40);
			_exit(0);
		}
	}
	while (!job_stopped(job))
		sleep_us(1000);
	forks->shared->stop = true;
	for (int i = 0; i < forks->lines; i++) {
		if (forks->pids[i] > 0)
			waitpid(forks->pids[i], &status, 0);
	}
	close(forks->fixtures);
}

static json_t *report(struct job *job)
{
	struct forks *forks = job->data;
	struct line sum = {};

	for (int i = 0; i < forks->lines; i++) {
		sum.forked += forks->shared->lines[i].forked;
		sum.calls += forks->shared->lines[i].calls;
		sum.killed += forks->shared->lines[i].killed;
		sum.bad += forks->shared->lines[i].bad;
	}
	munmap(forks->shared, sizeof(*forks->shared));
	return json_pack("{s:{s:I, s:I, s:I, s:I}}", "forks", "forked", (json_int_t)sum.forked, "calls",
			 (json_int_t)sum.calls, "killed", (json_int_t)sum.killed, "bad", (json_int_t)sum.bad);
}

json_t *op_start_forks(json_t *in, struct failure *failure)
{
	int fixtures = fixtures_device(failure), target;
	int64_t threads, calls;
	struct forks *forks;

	if (fixtures < 0 || !need_choice(in, "target", target_names, &target, failure) ||
	    !need_number(in, "threads", &threads, failure) || !need_number(in, "calls", &calls, failure))
		return NULL;
	if (threads < 1 || threads > LINES_MAX || calls < 1 || target == FX_ADDRESS)
		return fail(failure, EINVAL, "There are 1 to %d threads, at least 1 call, and no `address`.", LINES_MAX);
	forks = calloc(1, sizeof(*forks));
	forks->shared = shared_memory(sizeof(*forks->shared));
	if (!forks->shared) {
		free(forks);
		return fail_errno(failure, "Cannot share memory");
	}
	forks->target = target;
	forks->lines = threads;
	forks->calls = calls;
	forks->kill = json_is_true(json_object_get(in, "kill"));
	forks->fixtures = fcntl(fixtures, F_DUPFD_CLOEXEC, 3);
	return job_start((struct job){.run = run, .report = report, .data = forks}, failure);
}
