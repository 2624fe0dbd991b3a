// SPDX-License-Identifier: GPL-2.0
/*
 * Process 1 of the guest: mounts, modules, network, SSH, the agent. A failure
 * is printed to the console, and init goes on without that part. The harness
 * notices a useless guest by a missing answer.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <net/route.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include "init.h"

#define ADDRESS "10.0.2.15"
#define GATEWAY "10.0.2.2"

static void mount_on(const char *type, const char *target, const char *data)
{
	mkdir(target, 0755);
	/* EBUSY: the kernel mounted devtmpfs itself. */
	if (mount(type, target, type, 0, data) && errno != EBUSY)
		say("probe-matrix: cannot mount %s on %s: %s.\n", type, target, strerror(errno));
}

static void mount_all(void)
{
	mount_on("devtmpfs", "/dev", NULL);
	mount_on("proc", "/proc", NULL);
	mount_on("sysfs", "/sys", NULL);
	mount_on("devpts", "/dev/pts", "mode=600,ptmxmode=666");
	mount_on("tmpfs", "/tmp", "mode=1777");
	mount_on("tmpfs", "/run", "mode=755");
	mount_on("debugfs", "/sys/kernel/debug", NULL);
	mount_on("tracefs", "/sys/kernel/tracing", NULL);
	mount_on("bpf", "/sys/fs/bpf", "mode=700");
	mkdir("/var", 0755);
	if (symlink("/run", "/var/run") && errno != EEXIST)
		say("probe-matrix: cannot link /var/run: %s.\n", strerror(errno));
	mkdir("/var/log", 0755);
	if (symlink("/proc/self/fd", "/dev/fd") && errno != EEXIST)
		say("probe-matrix: cannot link /dev/fd: %s.\n", strerror(errno));
}

static void load_module(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0 || (syscall(SYS_finit_module, fd, "", 0) && errno != EEXIST))
		say("probe-matrix: cannot load %s: %s.\n", path, strerror(errno));
	if (fd >= 0)
		close(fd);
}

static void load_modules(void)
{
	FILE *list = fopen("/etc/modules.load", "re");
	char line[256];

	if (!list)
		return;
	while (fgets(line, sizeof(line), list)) {
		line[strcspn(line, "\n")] = 0;
		if (*line && *line != '#')
			load_module(line);
	}
	fclose(list);
}

static void set_sysctl(const char *path, const char *when, const char *value)
{
	char now[16] = "";
	int fd = open(path, O_RDWR | O_CLOEXEC);

	if (fd < 0)
		return;
	if (read(fd, now, sizeof(now) - 1) > 0 && !strncmp(now, when, strlen(when)) &&
	    pwrite(fd, value, strlen(value), 0) < 0)
		say("probe-matrix: cannot set %s: %s.\n", path, strerror(errno));
	close(fd);
}

/*
 * kmemleak scans all memory a minute after boot, and again every ten. In a busy
 * guest its thread needs minutes for that and never sleeps, so all that waits
 * for RCU tasks waits as long: closing probes, unloading. Scans are asked for.
 */
static void stop_leak_scans(void)
{
	static const char off[] = "scan=off";
	int fd = open("/sys/kernel/debug/kmemleak", O_WRONLY | O_CLOEXEC);

	if (fd < 0)
		return;
	if (write(fd, off, strlen(off)) < 0)
		say("probe-matrix: cannot stop kmemleak's own scans: %s.\n", strerror(errno));
	close(fd);
}

static void set_address(struct sockaddr *socket_address, const char *text)
{
	struct sockaddr_in address = {.sin_family = AF_INET};

	inet_pton(AF_INET, text, &address.sin_addr);
	memcpy(socket_address, &address, sizeof(address));
}

static int interface_up(int sock, const char *name, const char *address, const char *mask)
{
	struct ifreq request = {};

	strncpy(request.ifr_name, name, IFNAMSIZ - 1);
	set_address(&request.ifr_addr, address);
	if (ioctl(sock, SIOCSIFADDR, &request))
		return -1;
	set_address(&request.ifr_netmask, mask);
	if (ioctl(sock, SIOCSIFNETMASK, &request) || ioctl(sock, SIOCGIFFLAGS, &request))
		return -1;
	request.ifr_flags |= IFF_UP | IFF_RUNNING;
	return ioctl(sock, SIOCSIFFLAGS, &request);
}

static void start_network(void)
{
	struct rtentry route = {.rt_flags = RTF_UP | RTF_GATEWAY};
	int sock = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (interface_up(sock, "lo", "127.0.0.1", "255.0.0.0"))
		say("probe-matrix: cannot bring lo up: %s.\n", strerror(errno));
	set_address(&route.rt_dst, "0.0.0.0");
	set_address(&route.rt_genmask, "0.0.0.0");
	set_address(&route.rt_gateway, GATEWAY);
	if (interface_up(sock, "eth0", ADDRESS, "255.255.255.0") || ioctl(sock, SIOCADDRT, &route))
		say("probe-matrix: cannot bring eth0 up: %s.\n", strerror(errno));
	close(sock);
}

static void set_hostname(void)
{
	char name[65] = "probe-matrix";
	FILE *file = fopen("/etc/hostname", "re");

	if (file) {
		if (fgets(name, sizeof(name), file))
			name[strcspn(name, "\n")] = 0;
		fclose(file);
	}
	if (sethostname(name, strlen(name)))
		say("probe-matrix: cannot set the host name: %s.\n", strerror(errno));
}

/*
 * Until now only errors were printed, for a fast boot. From now on every line
 * is evidence, and marks must not be dropped when they come fast.
 */
static void let_kernel_talk(void)
{
	write_file("/proc/sys/kernel/printk", "7", 1, 0);
	write_file("/proc/sys/kernel/printk_devkmsg", "on", 2, 0);
}

int main(void)
{
	int status;
	pid_t dead;

	umask(022);
	setenv("PATH", "/usr/sbin:/usr/bin:/sbin:/bin", 1);
	setenv("HOME", "/root", 1);
	mount_all();
	set_hostname();
	load_modules();
	set_sysctl("/proc/sys/net/core/bpf_jit_enable", "0", "1");
	stop_leak_scans();
	start_network();
	start_ssh();
	start_agent();
	let_kernel_talk();
	keep_identity();
	for (;;) {
		dead = wait(&status);
		if (dead > 0)
			agent_ended(dead, status);
		else
			sleep_ms(1000);
	}
}
