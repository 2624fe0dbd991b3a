// SPDX-License-Identifier: GPL-2.0
/*
 * The module and its device, /dev/bprobe.
 */
#include <linux/capability.h>
#include <linux/fs.h>
#include <linux/miscdevice.h>
#include <linux/module.h>
#include <linux/security.h>
#include <linux/seq_file.h>

#include "frame.h"

static int device_show(struct seq_file *m, void *unused)
{
	bp_probes_show(m);
	return 0;
}

static int device_open(struct inode *inode, struct file *file)
{
	/* Programs can read all memory, so file permissions alone are not enough. */
	if (!capable(CAP_SYS_ADMIN))
		return -EPERM;
	/* misc_open() stored the device here; seq_open() warns if the pointer is set. */
	file->private_data = NULL;
	return single_open(file, device_show, NULL);
}

static long device_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
	int err;

	if (cmd != BPROBE_IOC_ATTACH && cmd != BPROBE_IOC_CHECK)
		return -ENOTTY;
	/* The descriptor may have been passed to an unprivileged process. */
	if (!capable(CAP_SYS_ADMIN))
		return -EPERM;
	if (cmd == BPROBE_IOC_CHECK)
		return bp_descriptor_check((struct bprobe_check __user *)arg);
	/* What the kernel's own kprobes ask. Logs the refusal. */
	err = bp_locked_down();
	if (err)
		return err;
	return bp_descriptor_open((struct bprobe_attach __user *)arg);
}

static const struct file_operations device_fops = {
	.owner = THIS_MODULE,
	.open = device_open,
	.read = seq_read,
	.llseek = seq_lseek,
	.release = single_release,
	.unlocked_ioctl = device_ioctl,
	.compat_ioctl = device_ioctl,
};

static struct miscdevice device = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = "bprobe",
	.mode = 0600,
	.fops = &device_fops,
};

static int __init bprobe_init(void)
{
	int err;

	BUILD_BUG_ON(sizeof(struct pt_regs) != BPROBE_EXT_OFFSET);
	BUILD_BUG_ON(offsetof(struct bp_ctx, ext) != BPROBE_EXT_OFFSET);

	err = bp_resolve_init();
	if (err)
		return err;
	err = bp_symbols_init() ?: bp_functions_init() ?: bp_close_init();
	if (err)
		return err;
	err = bp_run_init();
	if (err)
		return err;
	err = bp_frames_init();
	if (err)
		goto exit_run;
	err = bp_tasks_init();
	if (err)
		goto exit_frames;
	err = bp_hooks_init();
	if (err)
		goto exit_tasks;
	err = misc_register(&device);
	if (err)
		goto exit_hooks;
	return 0;

exit_hooks:
	bp_hooks_exit();
	bp_sites_free();
exit_tasks:
	bp_tasks_exit();
exit_frames:
	bp_frames_exit();
exit_run:
	bp_run_exit();
	return err;
}

/*
 * No descriptor is open and no group is left, as each holds the module. A task
 * may still be on its way out of finish() (close.c). Calls may still be in
 * flight, and their tasks may sleep for hours: bp_keep_exit() gives them their
 * return addresses back. After that only tasks that are inside the trampoline
 * right now can enter our code. synchronize_rcu_tasks() waits for those, and
 * for the tasks that leave finish().
 */
static void __exit bprobe_exit(void)
{
	misc_deregister(&device);
	bp_hooks_exit();
	bp_keep_exit();
	synchronize_rcu_tasks();
	/* Not earlier: until here a call that returns looks for programs at its site. */
	bp_sites_free();
	bp_tasks_exit();
	bp_frames_exit();
	bp_run_exit();
}

module_init(bprobe_init);
module_exit(bprobe_exit);
MODULE_DESCRIPTION("eBPF programs at the entry and the return of any kernel function");
MODULE_VERSION("0.2.0");
MODULE_LICENSE("GPL");
