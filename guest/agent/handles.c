// SPDX-License-Identifier: GPL-2.0
/*
 * Handles: numbers for descriptors, never used twice. Also opens the two
 * devices.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>
#include "agent.h"

struct handle {
	struct handle *next;
	enum kind kind;
	int number;
	int fd;
};

static struct handle *handles;
static int last;
static int bprobe_fd = -1, fixtures_fd = -1;
static const char *const kind_names[KINDS] = {"program", "probe"};

int handle_add(enum kind kind, int fd)
{
	struct handle *handle = malloc(sizeof(*handle));

	*handle = (struct handle){.next = handles, .kind = kind, .number = ++last, .fd = fd};
	handles = handle;
	return handle->number;
}

static struct handle **find(json_t *in, const char *name, enum kind kind, struct failure *failure)
{
	int64_t number;

	if (!need_number(in, name, &number, failure))
		return NULL;
	for (struct handle **handle = &handles; *handle; handle = &(*handle)->next) {
		if ((*handle)->kind == kind && (*handle)->number == number)
			return handle;
	}
	fail(failure, EBADF, "There is no %s %ld.", kind_names[kind], (long)number);
	return NULL;
}

int handle_fd(json_t *in, const char *name, enum kind kind, struct failure *failure)
{
	struct handle **handle = find(in, name, kind, failure);

	return handle ? (*handle)->fd : -1;
}

int handle_close(json_t *in, const char *name, enum kind kind, struct failure *failure)
{
	struct handle **found = find(in, name, kind, failure), *handle;

	if (!found)
		return -1;
	handle = *found;
	*found = handle->next;
	/* A job that forks has copies for a moment: then this close would not be the last. */
	pthread_mutex_lock(&fork_lock);
	close(handle->fd);
	pthread_mutex_unlock(&fork_lock);
	free(handle);
	return 0;
}

int bprobe_device(struct failure *failure)
{
	if (bprobe_fd < 0)
		bprobe_fd = bprobe_open();
	if (bprobe_fd < 0)
		fail_errno(failure, "Cannot open " BPROBE_DEVICE);
	return bprobe_fd;
}

int fixtures_device(struct failure *failure)
{
	if (fixtures_fd < 0)
		fixtures_fd = open(FIXTURES_DEVICE, O_RDWR | O_CLOEXEC);
	if (fixtures_fd < 0)
		fail_errno(failure, "Cannot open " FIXTURES_DEVICE);
	return fixtures_fd;
}

/*
 * Called after each request: an open descriptor counts as a reference on the
 * module, which cases look at.
 */
void close_bprobe_device(void)
{
	if (bprobe_fd >= 0)
		close(bprobe_fd);
	bprobe_fd = -1;
}

void close_devices(void)
{
	close_bprobe_device();
	if (fixtures_fd >= 0)
		close(fixtures_fd);
	fixtures_fd = -1;
}
