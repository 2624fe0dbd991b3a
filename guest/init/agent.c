// SPDX-License-Identifier: GPL-2.0
/* The agent, on its port. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include "init.h"

#define LOG "/run/agent.log"

static pid_t agent;
static int port = -1;

void start_agent(void)
{
	int log;

	port = open_port("probe-matrix.agent");
	agent = port < 0 ? -1 : fork();
	if (agent)
		return;
	setsid();
	log = open(LOG, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	dup2(port, 0);
	dup2(port, 1);
	dup2(log, 2);
	execl("/bin/agent", "agent", NULL);
	say("probe-matrix: cannot start the agent: %s.\n", strerror(errno));
	_exit(127);
}

/*
 * QEMU does not report that the guest closed a port, so the harness would wait.
 * When it reads a line that is no JSON, it gives this agent up.
 */
void agent_ended(pid_t pid, int status)
{
	char line[512], said[257] = "";
	int log = open(LOG, O_RDONLY | O_CLOEXEC);

	if (pid != agent)
		return;
	if (log >= 0) {
		lseek(log, -256, SEEK_END);
		if (read(log, said, sizeof(said) - 1) < 0)
			*said = 0;
		close(log);
	}
	for (char *at = said; (at = strchr(at, '\n'));)
		*at = ' ';
	if (WIFSIGNALED(status))
		snprintf(line, sizeof(line), "\nthe agent ended by SIG%s. %s\n", sigabbrev_np(WTERMSIG(status)), said);
	else
		snprintf(line, sizeof(line), "\nthe agent ended with %d. %s\n", WEXITSTATUS(status), said);
	if (write(port, line, strlen(line)) < 0)
		say("probe-matrix:%s", line);
}
