// SPDX-License-Identifier: GPL-2.0
/* Jobs of FX_IOC_LOOP: hot loops in the kernel, in threads. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>
#include "agent.h"

#define THREADS_MAX 64

struct looper {
	struct looping *looping;
	pthread_t thread;
	uint64_t seed;
	bool started, ended;
	uint64_t done, bad, first_ns, last_ns;
	struct fx_call first_bad;
};

struct looping {
	struct job *job;
	int device;
	int threads;
	struct fx_loop request;
	struct looper loopers[];
};

/* FX_IOC_STOP ends the loops of all jobs. A job that was not meant goes on with the rest. */
static void *loop(void *argument)
{
	struct looper *looper = argument;
	struct looping *looping = looper->looping;
	const struct fx_loop *request = &looping->request;
	uint64_t until = request->ms ? now_ns() + request->ms * 1000000ull : 0;

	while (!job_stopped(looping->job)) {
		struct fx_loop round = *request;
		uint64_t now = now_ns();

		if ((request->calls && looper->done >= request->calls) || (until && now >= until))
			break;
		round.seed = looper->seed + looper->done;
		round.calls = request->calls ? request->calls - looper->done : 0;
		round.ms = until ? (until - now + 999999) / 1000000 : 0;
		if (ioctl(looping->device, FX_IOC_LOOP, &round))
			break;
		if (!looper->bad && round.bad)
			looper->first_bad = round.first_bad;
		if (!looper->done)
			looper->first_ns = round.first_ns;
		looper->done += round.done;
		looper->bad += round.bad;
		if (round.done)
			looper->last_ns = round.last_ns;
	}
	__atomic_store_n(&looper->ended, true, __ATOMIC_RELEASE);
	return NULL;
}

static bool all_ended(struct looping *looping)
{
	for (int i = 0; i < looping->threads; i++) {
		if (looping->loopers[i].started && !__atomic_load_n(&looping->loopers[i].ended, __ATOMIC_ACQUIRE))
			return false;
	}
	return true;
}

static void run(struct job *job)
{
	struct looping *looping = job->data;

	looping->job = job;
	for (int i = 0; i < looping->threads; i++) {
		struct looper *looper = &looping->loopers[i];

		looper->looping = looping;
		looper->seed = looping->request.seed + ((uint64_t)i << 32);
		looper->started = !pthread_create(&looper->thread, NULL, loop, looper);
	}
	while (!all_ended(looping)) {
		/* Repeat it: a loop may have been about to begin at the last stop. */
		if (job_stopped(job))
			ioctl(looping->device, FX_IOC_STOP);
		sleep_us(1000);
	}
	for (int i = 0; i < looping->threads; i++) {
		if (looping->loopers[i].started)
			pthread_join(looping->loopers[i].thread, NULL);
	}
	close(looping->device);
}

static json_t *report(struct job *job)
{
	struct looping *looping = job->data;
	uint64_t done = 0, bad = 0, first = 0, last = 0;
	json_t *out, *first_bad = NULL;

	for (int i = 0; i < looping->threads; i++) {
		struct looper *looper = &looping->loopers[i];

		done += looper->done;
		bad += looper->bad;
		if (looper->first_ns && (!first || looper->first_ns < first))
			first = looper->first_ns;
		if (looper->last_ns > last)
			last = looper->last_ns;
		if (looper->bad && !first_bad)
			first_bad = call_to_json(&looper->first_bad, getpid());
	}
	out = json_pack("{s:I, s:I, s:o, s:o}", "done", (json_int_t)done, "bad", (json_int_t)bad, "firstNs", hex(first),
			"lastNs", hex(last));
	if (first_bad)
		json_object_set_new(out, "firstBad", first_bad);
	return json_pack("{s:o}", "loop", out);
}

json_t *op_start_loop(json_t *in, struct failure *failure)
{
	int device = fixtures_device(failure), target, context;
	int64_t threads = get_number(in, "threads", 1);
	uint64_t seed, address = 0;
	struct looping *looping;

	if (device < 0 || !need_choice(in, "target", target_names, &target, failure) ||
	    !need_choice(in, "context", context_names, &context, failure) || !need_hex(in, "seed", &seed, failure))
		return NULL;
	if (threads < 1 || threads > THREADS_MAX || context == FX_KTHREAD)
		return fail(failure, EINVAL, "There are loops in 1 to %d threads, in no `kthread`.", THREADS_MAX);
	if (target == FX_ADDRESS && !need_hex(in, "address", &address, failure))
		return NULL;
	looping = calloc(1, sizeof(*looping) + threads * sizeof(*looping->loopers));
	looping->device = fcntl(device, F_DUPFD_CLOEXEC, 3);
	looping->threads = threads;
	looping->request = (struct fx_loop){
		.size = sizeof(looping->request), .target = target, .context = context, .seed = seed,
		.calls = get_number(in, "calls", 0), .ms = get_number(in, "ms", 0),
		.period_us = get_number(in, "periodUs", context == FX_TASK ? 0 : 1000), .address = address,
	};
	return job_start((struct job){.run = run, .report = report, .data = looping}, failure);
}
