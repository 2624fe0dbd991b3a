/* SPDX-License-Identifier: GPL-2.0 */
#ifndef INIT_H
#define INIT_H

#include <sys/types.h>

/* util.c */
void say(const char *format, ...) __attribute__((format(printf, 1, 2)));	/* on the console */
void sleep_ms(long ms);
int write_file(const char *path, const void *data, size_t size, mode_t mode);	/* -1: said why */

/* ports.c: virtio-serial ports by the names QEMU was given. */
int open_port(const char *name);			/* connected on the host's side; -1: said why */
int read_line(int port, char *line, size_t size);	/* of one port only; without its end; -1: too long */

/* identity.c */
void keep_identity(void);		/* in a process of its own */

/* ssh.c */
#define HOST_KEY "/etc/dropbear/dropbear_ed25519_host_key"
#define SSH_LOG "/run/dropbear.log"
void start_ssh(void);
void end_ssh_sessions(void);		/* waits for those that end by themselves, at most a second */

/* agent.c */
void start_agent(void);
void agent_ended(pid_t pid, int status);

#endif
