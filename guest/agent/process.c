// SPDX-License-Identifier: GPL-2.0
/* Processes and time. */
#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include "agent.h"

#define DESCRIPTORS 1024

pthread_mutex_t fork_lock = PTHREAD_MUTEX_INITIALIZER;

static bool is_kept(int fd, const int *keep, int count)
{
	for (int i = 0; i < count; i++) {
		if (keep[i] == fd)
			return true;
	}
	return false;
}

/*
 * fork(2), but the child keeps only the descriptors in @keep. The parent
 * continues when the child has closed all others: a copy of a probe would keep
 * it attached after its owner's close. The child dies with the agent.
 */
pid_t fork_clean(const int *keep, int count)
{
	int closed[2];
	char byte;
	pid_t pid;

	if (pipe(closed))
		return -1;
	pthread_mutex_lock(&fork_lock);
	pid = fork();
	if (!pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		for (int fd = 3; fd < DESCRIPTORS; fd++) {
			if (fd != closed[1] && !is_kept(fd, keep, count))
				close(fd);
		}
		close(closed[1]);
		/* stdin and stdout belong to the agent's link to the harness. */
		close(0);
		close(1);
		return 0;
	}
	close(closed[1]);
	/* The read ends as soon as the child has closed its copy or died. */
	while (pid > 0 && read(closed[0], &byte, 1) < 0 && errno == EINTR)
		;
	pthread_mutex_unlock(&fork_lock);
	close(closed[0]);
	return pid;
}

void *shared_memory(size_t size)
{
	void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);

	return memory == MAP_FAILED ? NULL : memory;
}

uint64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000000000ull + now.tv_nsec;
}

void sleep_us(uint64_t us)
{
	struct timespec time = {.tv_sec = us / 1000000, .tv_nsec = us % 1000000 * 1000};

	nanosleep(&time, NULL);
}

int wait_for(pid_t pid, int64_t timeout_ms, int *status)
{
	uint64_t until = now_ns() + timeout_ms * 1000000ull;
	pid_t done;

	while (!(done = waitpid(pid, status, WNOHANG))) {
		if (now_ns() >= until) {
			errno = ETIMEDOUT;
			return -1;
		}
		sleep_us(500);
	}
	return done == pid ? 0 : -1;
}
