// SPDX-License-Identifier: GPL-2.0
/*
 * Changes the set of functions that an ftrace_ops traces, many functions in one
 * step. Each step copies the filter, looks at every function of the kernel and
 * waits for all CPUs: some 20 ms, for one function as for ten thousand.
 */
#include <linux/fs.h>
#include <linux/ftrace.h>
#include <linux/module.h>
#include <linux/sched.h>
#include <linux/slab.h>

#include "internal.h"

#ifdef BP_FTRACE_SET_FILTER_IPS_EXPORTED

int bp_filter_init(void)
{
	return 0;
}

static int set_filter(struct ftrace_ops *ops, unsigned long *addresses, unsigned int count, bool remove)
{
	return ftrace_set_filter_ips(ops, addresses, count, remove, 0);
}

#else /* before 5.18 */

/*
 * These kernels change a filter by one function at a time, or by many through
 * set_ftrace_filter: opening that file makes a new filter, writes add functions
 * to it, and closing it replaces the old filter in one step. We call the
 * functions behind that file, and add functions by what ftrace's own triggers
 * use for that. All of these are neither exported nor static: kallsyms has each
 * under its own name. Where an open file keeps the new filter is private to
 * ftrace, but it lies right before a pointer that we know: the ops.
 */
static const void *open_filter, *add_to_filter, *close_filter, *free_filter;

int bp_filter_init(void)
{
	open_filter = bp_resolve("ftrace_regex_open");
	add_to_filter = bp_resolve("ftrace_func_mapper_add_ip");
	close_filter = bp_resolve("ftrace_regex_release");
	free_filter = bp_resolve("free_ftrace_func_mapper");
	return open_filter && add_to_filter && close_filter && free_filter ? 0 : -ENXIO;
}

/* Finds the new filter of an open file: in struct ftrace_iterator, hash lies right before ops. */
static void **filter_of(const struct file *file, const struct ftrace_ops *ops)
{
	void **word = file->private_data, **end = word + ksize(word) / sizeof(*word);

	for (word++; word < end; word++) {
		if (*word == ops)
			return word - 1;
	}
	return NULL;
}

static int add_ip(void *filter, unsigned long ip)
{
	int err = bp_call(add_to_filter, filter, ip, NULL);

	return err == -EBUSY ? 0 : err;		/* it is there already */
}

/* Builds a new filter from the anchor and the sites. */
static int renew(struct ftrace_ops *ops)
{
	struct file file = {.f_mode = FMODE_WRITE, .f_flags = O_TRUNC};
	const void *old = rcu_access_pointer(ops->func_hash->filter_hash);
	void **filter;
	int err;

	err = bp_call(open_filter, ops, FTRACE_ITER_FILTER, NULL, &file);
	if (err)
		return err;
	filter = filter_of(&file, ops);
	err = filter ? 0 : -ENXIO;
	if (!err)
		err = add_ip(*filter, bp_ftrace_location((unsigned long)bprobe_anchor));
	if (!err)
		err = bp_sites_each(add_ip, *filter);
	if (err) {
		/*
		 * Closing a file without FMODE_WRITE does not change the ops.
		 * Only some kernels free the new filter then, so free it here
		 * and clear the pointer.
		 */
		file.f_mode = 0;
		if (filter) {
			bp_call(free_filter, *filter, NULL);
			*filter = NULL;
		}
	}
	bp_call(close_filter, NULL, &file);
	/* The close reports no error: an unchanged filter means that it had no memory. */
	return err ?: rcu_access_pointer(ops->func_hash->filter_hash) == old ? -ENOMEM : 0;
}

static int one_by_one(struct ftrace_ops *ops, const unsigned long *addresses, unsigned int count, bool remove)
{
	unsigned int i;
	int err = 0;

	for (i = 0; i < count && !err; i++)
		err = ftrace_set_filter_ip(ops, addresses[i], remove, 0);
	/* All or none. */
	for (; err && i && !remove; i--)
		ftrace_set_filter_ip(ops, addresses[i - 1], 1, 0);
	return err;
}

static int set_filter(struct ftrace_ops *ops, unsigned long *addresses, unsigned int count, bool remove)
{
	int err = count > 1 ? renew(ops) : -ENXIO;

	/* Lockdown forbids opening the file: then change one function at a time. */
	return !err || err == -ENOMEM ? err : one_by_one(ops, addresses, count, remove);
}

#endif

/* Adds all or none. The sites must be in their table already, as renew() reads it. */
int bp_filter_add(struct ftrace_ops *ops, unsigned long *addresses, unsigned int count)
{
	int err = set_filter(ops, addresses, count, false);

	/*
	 * The functions were checked before, so the error is ftrace's own, e.g.
	 * after it shut itself off.
	 */
	return !err || err == -ENOMEM ? err : -EOPNOTSUPP;
}

/*
 * The sites must be taken from their table already. Without memory they stay in
 * the filter: hits then cost time and do nothing.
 */
void bp_filter_remove(struct ftrace_ops *ops, unsigned long *addresses, unsigned int count)
{
	static bool stays;
	int err, tries = 20;

	do {
		err = set_filter(ops, addresses, count, true);
	} while (err == -ENOMEM && --tries && !schedule_timeout_uninterruptible(1));
	if (!err || err == -ENOMEM || stays)
		return;
	/* After ftrace has shut itself off, the functions call our stub for ever. */
	stays = true;
	__module_get(THIS_MODULE);
	pr_warn("bprobe: ftrace does not let go of functions (error %d), so the module stays\n", err);
}
