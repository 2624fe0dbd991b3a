// SPDX-License-Identifier: GPL-2.0
/* Jobs: threads that run while requests are answered. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "agent.h"

struct entry {
	struct entry *next;
	int number;
	struct job job;
};

static struct entry *entries;
static int last;

bool job_stopped(struct job *job)
{
	return __atomic_load_n(&job->stop, __ATOMIC_ACQUIRE);
}

static void *run(void *argument)
{
	struct job *job = argument;

	job->run(job);
	return NULL;
}

json_t *job_start(struct job job, struct failure *failure)
{
	struct entry *entry = calloc(1, sizeof(*entry));
	int error;

	entry->job = job;
	error = pthread_create(&entry->job.thread, NULL, run, &entry->job);
	if (error) {
		free(entry);
		free(job.data);
		return fail(failure, error, "Cannot start a thread: %s.", strerror(error));
	}
	entry->number = ++last;
	entry->next = entries;
	entries = entry;
	return json_pack("{s:i}", "job", entry->number);
}

json_t *op_stop_job(json_t *in, struct failure *failure)
{
	struct entry **found = &entries, *entry;
	int64_t number;
	json_t *report;

	if (!need_number(in, "job", &number, failure))
		return NULL;
	while (*found && (*found)->number != number)
		found = &(*found)->next;
	entry = *found;
	if (!entry)
		return fail(failure, ESRCH, "There is no job %ld.", (long)number);
	*found = entry->next;
	__atomic_store_n(&entry->job.stop, true, __ATOMIC_RELEASE);
	pthread_join(entry->job.thread, NULL);
	report = entry->job.report(&entry->job);
	free(entry->job.data);
	free(entry);
	return report;
}
