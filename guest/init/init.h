/* SPDX-License-Identifier: GPL-2.0 */
#ifndef INIT_H
#define INIT_H

#include <sys/types.h>

/* util.c */
void say(const char *format, ...) __attribute__((format(printf, 1, 2)));	/* on the console */
void sleep_ms(long ms);
int write_file(const char *path, const void *data, size_t size, mode_t mode);	/* -1: reported */

/* ports.c: virtio-serial ports, by the names given to QEMU. */
int open_port(const char *name);			/* connected to the host; -1: reported */
int read_line(int port, char *line, size_t size);	/* one port; no newline; -1: too long */

/* identity.c */
void keep_identity(void);		/* in a process of its own */

/* ssh.c */
#define HOST_KEY "/etc/dropbear/dropbear_ed25519_host_key"
#define SSH_LOG "/run/dropbear.log"
void start_ssh(void);
void end_ssh_sessions(void);		/* gives them a second to end by themselves */

/* agent.c */
void start_agent(void);
void agent_ended(pid_t pid, int status);

#endif
