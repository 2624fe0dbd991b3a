// SPDX-License-Identifier: GPL-2.0
/*
 * Probe descriptors, their ioctl, and the ioctls of the device.
 */
#include <linux/anon_inodes.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/module.h>
#include <linux/seq_file.h>
#include <linux/uaccess.h>

#include "internal.h"

/*
 * Reads a structure whose first member is its size, as perf_event_open() does.
 * Accepts any size from the @first published one on. Members that the caller
 * does not know read as 0; bytes that we do not know must be 0.
 */
static int copy_sized(void *to, size_t known, size_t first, const void __user *from)
{
	u32 size, i;
	u8 rest;

	if (get_user(size, (const u32 __user *)from))
		return -EFAULT;
	if (size < first || size > PAGE_SIZE)
		return -E2BIG;
	for (i = known; i < size; i++) {
		if (get_user(rest, (const u8 __user *)from + i))
			return -EFAULT;
		if (rest)
			return -E2BIG;
	}
	memset(to, 0, known);
	return copy_from_user(to, from, min_t(size_t, size, known)) ? -EFAULT : 0;
}

static long group_info(struct bp_group *group, struct bprobe_info __user *arg)
{
	struct bprobe_info info;
	struct bp_probe *probe;
	struct bp_counts sum;
	u32 size, index;
	int err;

	err = copy_sized(&info, sizeof(info), BPROBE_INFO_FIRST_SIZE, arg);
	if (err)
		return err;
	size = min_t(u32, info.size, sizeof(info));
	index = info.index;
	if (index >= group->count)
		return -EINVAL;
	probe = &group->probe[index];
	bp_probe_counts(probe, &sum);
	memset(&info, 0, sizeof(info));
	info.size = size;
	info.point = group->point;
	info.address = probe->site->address;
	info.cookie = probe->cookie;
	info.prog_id = group->prog_id;
	info.hook = probe->site->hook;
	info.hits = sum.hits;
	BUILD_BUG_ON(sizeof(info.misses) != sizeof(sum.misses));
	memcpy(info.misses, sum.misses, sizeof(sum.misses));
	strscpy(info.symbol, probe->site->name, sizeof(info.symbol));
	info.index = index;
	info.count = group->count;
	return copy_to_user(arg, &info, size) ? -EFAULT : 0;
}

static long group_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
	if (cmd != BPROBE_IOC_INFO)
		return -ENOTTY;
	return group_info(file->private_data, (struct bprobe_info __user *)arg);
}

static int group_release(struct inode *inode, struct file *file)
{
	/* NULL if the attach failed. */
	if (file->private_data)
		bp_close(file->private_data);
	return 0;
}

/* So that the holder of a program that bpftool lists can be found in /proc. */
static void group_fdinfo(struct seq_file *m, struct file *file)
{
	const struct bp_group *group = file->private_data;

	seq_printf(m, "point:\t%s\nprog_id:\t%u\nfunctions:\t%u\n", bp_point_name(group), group->prog_id,
		   group->count);
}

static const struct file_operations group_fops = {
	.owner = THIS_MODULE,
	.release = group_release,
	.unlocked_ioctl = group_ioctl,
	.compat_ioctl = group_ioctl,
	.show_fdinfo = group_fdinfo,
};

/* BPROBE_IOC_CHECK: see bprobe.h. */
int bp_descriptor_check(struct bprobe_check __user *arg)
{
	struct bprobe_check check;
	const char *reason;
	int err;

	err = copy_sized(&check, sizeof(check), sizeof(check), arg);
	if (err)
		return err;
	if (check.flags)
		return -EINVAL;
	/* Clear all bytes: the caller's would be copied back behind the strings. */
	memset(check.symbol, 0, sizeof(check.symbol));
	memset(check.reason, 0, sizeof(check.reason));
	err = bp_function_name(check.address, check.symbol);
	if (err)
		return err;
	reason = bp_function_denied(check.address, check.symbol, NULL);
	/*
	 * Not strscpy(): on 4.15 it reads whole words past the end of a
	 * constant, which KASAN reports.
	 */
	snprintf(check.reason, sizeof(check.reason), "%s", reason ?: "");
	return copy_to_user(arg, &check, sizeof(check)) ? -EFAULT : 0;
}

/* Attaches @group and installs its file as @fd. */
static int open_group(struct bp_group *group, int fd, unsigned int *failed)
{
	struct file *file;
	int err;

	/* First, so that an attach that fails has run no program. */
	file = anon_inode_getfile("[bprobe]", &group_fops, NULL, O_RDWR);
	if (IS_ERR(file))
		return PTR_ERR(file);
	err = bp_attach(group, failed);
	if (err) {
		fput(file);
		return err;
	}
	file->private_data = group;
	fd_install(fd, file);
	return 0;
}

static int open_request(const struct bprobe_attach *request, unsigned int *failed)
{
	struct bp_group *group;
	int fd, err;

	group = bp_group_make(request, failed);
	if (IS_ERR(group))
		return PTR_ERR(group);
	/* Reserve it before touching a function: there may be no free descriptor. */
	fd = get_unused_fd_flags(O_CLOEXEC);
	err = fd < 0 ? fd : open_group(group, fd, failed);
	if (!err)
		return fd;
	if (fd >= 0)
		put_unused_fd(fd);
	bp_group_free(group);
	return err;
}

/* BPROBE_IOC_ATTACH: see bprobe.h. */
int bp_descriptor_open(struct bprobe_attach __user *arg)
{
	struct bprobe_attach request;
	unsigned int failed;
	int answer;

	BUILD_BUG_ON(offsetof(struct bprobe_attach, functions) != BPROBE_ATTACH_FIRST_SIZE);
	BUILD_BUG_ON(offsetof(struct bprobe_info, index) != BPROBE_INFO_FIRST_SIZE);
	answer = copy_sized(&request, sizeof(request), BPROBE_ATTACH_FIRST_SIZE, arg);
	if (answer)
		return answer;
	if (request.flags & ~BPROBE_NOT_IN_INTERRUPT || request.point > BPROBE_RETURN)
		return -EINVAL;
	if (!request.functions != !request.count)
		return -EINVAL;
	if (request.functions && (request.symbol || request.address || request.cookie))
		return -EINVAL;
	if (request.count > BPROBE_FUNCTIONS_MAX)
		return -E2BIG;
	failed = request.count;
	answer = open_request(&request, &failed);
	if (answer < 0 && request.count && put_user(failed, &arg->failed))
		return -EFAULT;
	return answer;
}
