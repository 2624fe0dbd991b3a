// SPDX-License-Identifier: GPL-2.0
/* Port 22. */
#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include "init.h"

static void serve(int connection)
{
	static char *const argv[] = {
		"dropbear", "-i", "-E", "-s", "-W", "2097152", "-r", HOST_KEY, NULL,
	};
	int log;

	setsid();
	/* Its messages go to a file: the console is for the kernel. */
	log = open(SSH_LOG, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	dup2(connection, 0);
	dup2(connection, 1);
	dup2(log, 2);
	signal(SIGCHLD, SIG_DFL);
	execv("/usr/sbin/dropbear", argv);
	say("probe-matrix: cannot start dropbear: %s.\n", strerror(errno));
	_exit(127);
}

static void accept_all(int sock)
{
	int connection;

	signal(SIGCHLD, SIG_IGN);
	for (;;) {
		connection = accept4(sock, NULL, NULL, SOCK_CLOEXEC);
		if (connection >= 0 && !fork())
			serve(connection);
		if (connection >= 0)
			close(connection);
		else
			sleep_ms(100);
	}
}

/* Is any session left? Sends each one @signal, unless that is 0. */
static int find_sessions(int signal)
{
	DIR *directory = opendir("/proc");
	struct dirent *entry;
	char path[320], comm[16];
	int fd, found = 0;

	while (directory && (entry = readdir(directory))) {
		snprintf(path, sizeof(path), "/proc/%s/comm", entry->d_name);
		fd = *entry->d_name >= '1' && *entry->d_name <= '9' ? open(path, O_RDONLY | O_CLOEXEC) : -1;
		if (fd < 0)
			continue;
		if (read(fd, comm, sizeof(comm)) == sizeof("dropbear") && !strncmp(comm, "dropbear\n", 9)) {
			found = 1;
			if (signal)
				kill(atoi(entry->d_name), signal);
		}
		close(fd);
	}
	if (directory)
		closedir(directory);
	return found;
}

void end_ssh_sessions(void)
{
	for (int i = 0; i < 200 && find_sessions(0); i++)
		sleep_ms(5);
	while (find_sessions(SIGKILL))
		sleep_ms(5);
}

/*
 * One server for each connection. So no server runs, and no key is read, before
 * the guest has an identity. But port 22 is open at once: the side that sent
 * the identity may connect right after.
 */
void start_ssh(void)
{
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(22)};
	int sock = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), on = 1;

	setsockopt(sock, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (bind(sock, (struct sockaddr *)&address, sizeof(address)) || listen(sock, 16))
		say("probe-matrix: cannot listen on port 22: %s.\n", strerror(errno));
	else if (!fork())
		accept_all(sock);
	close(sock);
}
