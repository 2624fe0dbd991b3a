// SPDX-License-Identifier: GPL-2.0
/* The probe of a churn. */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "churn.h"

static bool begin_by_bprobe(struct churn *churn, json_t *in, struct failure *failure)
{
	int device = bprobe_device(failure), program = device < 0 ? -1 : handle_fd(in, "prog", PROG, failure);

	if (program < 0)
		return false;
	churn->device = fcntl(device, F_DUPFD_CLOEXEC, 3);
	churn->program = fcntl(program, F_DUPFD_CLOEXEC, 3);
	return true;
}

static bool begin_by_kernel(struct churn *churn, json_t *in, struct failure *failure)
{
	if (!hook_request_read(in, &churn->request, failure) ||
	    !symbol_name(churn->address, churn->symbol, sizeof(churn->symbol), failure))
		return false;
	churn->copy = copy_load(&churn->request, 0, churn->symbol, failure);
	if (churn->copy)
		clear_direction_flag(1);
	return churn->copy;
}

bool churn_begin(struct churn *churn, json_t *in, struct failure *failure)
{
	bool ok;

	if (!json_object_get(in, "mechanism"))
		return begin_by_bprobe(churn, in, failure);
	ok = begin_by_kernel(churn, in, failure);
	if (!ok)
		free(churn->request.addresses);
	return ok;
}

void churn_end(struct churn *churn)
{
	if (churn->copy) {
		copy_put(churn->copy);
		free(churn->request.addresses);
		clear_direction_flag(-1);
		return;
	}
	close(churn->device);
	close(churn->program);
}

int churn_attach(struct churn *churn)
{
	struct bprobe_options options = {.cookie = churn->cookie};

	if (churn->copy) {
		churn->runs = counter_runs(churn->cookie);
		return link_open(&churn->link, copy_program(churn->copy), &churn->request, churn->symbol) ? 0 : -1;
	}
	churn->probe = bprobe_attach_address(churn->device, churn->program, churn->point, churn->address, &options);
	return churn->probe < 0 ? -1 : 0;
}

/* Not all kernels count the misses of their own mechanisms. */
int churn_info(struct churn *churn, struct churn_info *info)
{
	struct bprobe_info asked = {};

	*info = (struct churn_info){};
	if (churn->copy) {
		info->hits = counter_runs(churn->cookie) - churn->runs;
		return 0;
	}
	if (bprobe_get_info(churn->probe, &asked))
		return -1;
	info->hits = asked.hits;
	info->busy = asked.misses[BPROBE_MISS_BPF_BUSY];
	for (int i = 0; i < BPROBE_MISS_MAX; i++)
		info->misses += i == BPROBE_MISS_BPF_BUSY ? 0 : asked.misses[i];
	return 0;
}

static void *close_now(void *argument)
{
	struct churn *churn = argument;

	if (churn->copy)
		link_close(&churn->link);
	else
		close(churn->probe);
	return NULL;
}

void churn_detach(struct churn *churn)
{
	pthread_t thread;

	pthread_mutex_lock(&fork_lock);
	if (churn->by != BY_THREAD || pthread_create(&thread, NULL, close_now, churn))
		close_now(churn);
	else
		pthread_join(thread, NULL);
	pthread_mutex_unlock(&fork_lock);
}
