// SPDX-License-Identifier: GPL-2.0
/*
 * A probe is a descriptor: what user space asks for, and what it is answered.
 */
#include <linux/anon_inodes.h>
#include <linux/file.h>
#include <linux/kallsyms.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include "internal.h"

/* Reads a structure whose first member is its size, as perf_event_open() does. */
static int copy_sized(void *to, size_t known, const void __user *from)
{
	u32 size, i;
	u8 rest;

	if (get_user(size, (const u32 __user *)from))
		return -EFAULT;
	if (size < known || size > PAGE_SIZE)
		return -E2BIG;
	for (i = known; i < size; i++) {
		if (get_user(rest, (const u8 __user *)from + i))
			return -EFAULT;
		if (rest)
			return -E2BIG;
	}
	return copy_from_user(to, from, known) ? -EFAULT : 0;
}

static long probe_info(struct bp_probe *probe, struct bprobe_info __user *arg)
{
	struct bprobe_info info;
	struct bp_counts sum;
	int err = copy_sized(&info, sizeof(info), arg);

	if (err)
		return err;
	bp_probe_counts(probe, &sum);
	memset(&info, 0, sizeof(info));
	info.size = sizeof(info);
	info.point = probe->point;
	info.address = probe->site->address;
	info.cookie = probe->cookie;
	info.prog_id = probe->prog_id;
	info.hook = probe->site->hook;
	info.hits = sum.hits;
	BUILD_BUG_ON(sizeof(info.misses) != sizeof(sum.misses));
	memcpy(info.misses, sum.misses, sizeof(sum.misses));
	strscpy(info.symbol, probe->site->name, sizeof(info.symbol));
	return copy_to_user(arg, &info, sizeof(info)) ? -EFAULT : 0;
}

static long probe_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
	if (cmd != BPROBE_IOC_INFO)
		return -ENOTTY;
	return probe_info(file->private_data, (struct bprobe_info __user *)arg);
}

static int probe_release(struct inode *inode, struct file *file)
{
	bp_probe_detach(file->private_data);
	return 0;
}

static const struct file_operations probe_fops = {
	.owner = THIS_MODULE,
	.release = probe_release,
	.unlocked_ioctl = probe_ioctl,
	.compat_ioctl = probe_ioctl,
};

/* The function that @request names; its name goes to @name. */
static int find_function(const struct bprobe_attach *request, unsigned long *address,
			 char name[BPROBE_NAME_LEN])
{
	char symbol[KSYM_NAME_LEN];
	long length;
	int err;

	if (!request->symbol == !request->address)
		return -EINVAL;
	*address = request->address;
	if (request->symbol) {
		length = strncpy_from_user(symbol, (const char __user *)request->symbol, sizeof(symbol));
		if (length < 0)
			return length;
		if (length == sizeof(symbol))
			return -ENAMETOOLONG;
		err = bp_symbol_address(symbol, address);
		if (err)
			return err;
	}
	err = bp_function_name(*address, name);
	if (err)
		return err;
	return bp_function_denied(*address, name) ? -EOPNOTSUPP : 0;
}

/* BPROBE_IOC_CHECK: see bprobe.h. */
int bp_descriptor_check(struct bprobe_check __user *arg)
{
	struct bprobe_check check;
	const char *reason;
	int err;

	err = copy_sized(&check, sizeof(check), arg);
	if (err)
		return err;
	if (check.flags)
		return -EINVAL;
	/* All bytes: some of them are the caller's. */
	memset(check.symbol, 0, sizeof(check.symbol));
	memset(check.reason, 0, sizeof(check.reason));
	err = bp_function_name(check.address, check.symbol);
	if (err)
		return err;
	reason = bp_function_denied(check.address, check.symbol);
	strscpy(check.reason, reason ?: "", sizeof(check.reason));
	return copy_to_user(arg, &check, sizeof(check)) ? -EFAULT : 0;
}

static struct bpf_prog *find_program(int fd)
{
	struct bpf_prog *prog = bpf_prog_get_type_dev(fd, BPF_PROG_TYPE_KPROBE, false);

	if (IS_ERR(prog))
		return PTR_ERR(prog) == -EINVAL ? ERR_PTR(-EPROTOTYPE) : prog;
	if (!bp_prog_unfit(prog))
		return prog;
	bpf_prog_put(prog);
	return ERR_PTR(-EPROTOTYPE);
}

/* BPROBE_IOC_ATTACH: see bprobe.h. */
int bp_descriptor_open(const struct bprobe_attach __user *arg)
{
	char name[BPROBE_NAME_LEN];
	struct bprobe_attach request;
	unsigned long address;
	struct bp_probe *probe;
	int err;

	err = copy_sized(&request, sizeof(request), arg);
	if (err)
		return err;
	if (request.flags || request.point > BPROBE_RETURN)
		return -EINVAL;
	err = find_function(&request, &address, name);
	if (err)
		return err;

	probe = kzalloc(sizeof(*probe), GFP_KERNEL);
	if (!probe)
		return -ENOMEM;
	probe->point = request.point;
	probe->cookie = request.cookie;
	probe->pid = task_tgid_nr(current);
	probe->counts = alloc_percpu(struct bp_counts);
	err = -ENOMEM;
	if (!probe->counts)
		goto free_probe;
	probe->prog = find_program(request.prog_fd);
	err = PTR_ERR_OR_ZERO(probe->prog);
	if (err)
		goto free_counts;
	probe->prog_id = probe->prog->aux->id;
	/* Keeps the function where it is. */
	probe->owner = bp_module_get(address, &err);
	if (err)
		goto put_prog;
	err = bp_probe_attach(probe, address, name);
	if (err)
		goto put_module;
	err = anon_inode_getfd("[bprobe]", &probe_fops, probe, O_RDWR | O_CLOEXEC);
	if (err < 0)
		bp_probe_detach(probe);
	return err;

put_module:
	module_put(probe->owner);
put_prog:
	bpf_prog_put(probe->prog);
free_counts:
	free_percpu(probe->counts);
free_probe:
	kfree(probe);
	return err;
}
