// SPDX-License-Identifier: GPL-2.0
/* A job of many threads: each calls a target once, and then stays until the job ends. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>
#include "agent.h"

#define THREADS_MAX 1000
#define STACK_SIZE 65536

struct staying {
	int device;
	int threads;
	struct fx_loop request;
	pthread_mutex_t lock;
	pthread_cond_t change;
	bool over;
	int called, failed;
};

static void *call_and_stay(void *argument)
{
	struct staying *staying = argument;
	struct fx_loop once = staying->request;
	bool failed = ioctl(staying->device, FX_IOC_LOOP, &once) || once.bad;

	pthread_mutex_lock(&staying->lock);
	staying->failed += failed;
	staying->called++;
	while (!staying->over)
		pthread_cond_wait(&staying->change, &staying->lock);
	pthread_mutex_unlock(&staying->lock);
	return NULL;
}

static void run(struct job *job)
{
	struct staying *staying = job->data;
	pthread_t threads[THREADS_MAX];
	pthread_attr_t attributes;
	int started = 0;

	pthread_attr_init(&attributes);
	pthread_attr_setstacksize(&attributes, STACK_SIZE);
	while (started < staying->threads &&
	       !pthread_create(&threads[started], &attributes, call_and_stay, staying))
		started++;
	pthread_attr_destroy(&attributes);
	while (!job_stopped(job))
		sleep_us(1000);
	pthread_mutex_lock(&staying->lock);
	staying->over = true;
	pthread_cond_broadcast(&staying->change);
	pthread_mutex_unlock(&staying->lock);
	while (started)
		pthread_join(threads[--started], NULL);
	close(staying->device);
}

static json_t *report(struct job *job)
{
	const struct staying *staying = job->data;

	return json_pack("{s:{s:i, s:i}}", "stayed", "called", staying->called, "failed", staying->failed);
}

json_t *op_start_staying(json_t *in, struct failure *failure)
{
	int device = fixtures_device(failure), target;
	struct staying *staying;
	int64_t threads;

	if (device < 0 || !need_choice(in, "target", target_names, &target, failure) ||
	    !need_number(in, "threads", &threads, failure))
		return NULL;
	if (threads < 1 || threads > THREADS_MAX || target == FX_ADDRESS)
		return fail(failure, EINVAL, "There are 1 to %d threads, and no `address`.", THREADS_MAX);
	staying = calloc(1, sizeof(*staying));
	*staying = (struct staying){
		.device = fcntl(device, F_DUPFD_CLOEXEC, 3),
		.threads = threads,
		.request = {.size = sizeof(struct fx_loop), .target = target, .calls = 1},
		.lock = PTHREAD_MUTEX_INITIALIZER,
		.change = PTHREAD_COND_INITIALIZER,
	};
	return job_start((struct job){.run = run, .report = report, .data = staying}, failure);
}
