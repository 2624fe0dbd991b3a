// SPDX-License-Identifier: GPL-2.0
/*
 * Writes the counters of gcc's -fprofile-arcs to /run/coverage in the format
 * of .gcda files, for gcov. CONFIG_GCOV_KERNEL does the same for whole
 * kernels, but Debian's lack it, and that of 4.15 does not know the format of
 * gcc 10 and later.
 *
 * Structures and format: gcc/libgcov.h and gcc/gcov-io.h of gcc 12.
 */
#include <linux/fs.h>
#include <linux/ktime.h>
#include <linux/module.h>
#include <linux/string.h>
#include <linux/workqueue.h>
#include "coverage.h"

#if __GNUC__ < 12 || __GNUC__ > 13
#error "the format is that of gcc 12 and 13"
#endif
#define GCOV_COUNTERS 8
#define GCOV_DATA_MAGIC 0x67636461
#define GCOV_TAG_FUNCTION 0x01000000
#define GCOV_TAG_COUNTERS(kind) (0x01a10000 + ((kind) << 17))

struct gcov_ctr_info {
	unsigned int num;
	s64 *values;
};

struct gcov_fn_info {
	const struct gcov_info *key;
	unsigned int ident;
	unsigned int lineno_checksum;
	unsigned int cfg_checksum;
	struct gcov_ctr_info ctrs[1];
};

struct gcov_info {
	unsigned int version;
	struct gcov_info *next;
	unsigned int stamp;
	unsigned int checksum;
	const char *filename;
	void (*merge[GCOV_COUNTERS])(s64 *counters, unsigned int n);
	unsigned int n_functions;
	struct gcov_fn_info **functions;
};

extern struct gcov_info *coverage_begin[], *coverage_end[];

/* libgcov tells by it how counters of two runs are merged. Here it is compared with NULL only. */
void __gcov_merge_add(s64 *counters, unsigned int n);
void __gcov_merge_add(s64 *counters, unsigned int n)
{
}

static void put(struct file *to, loff_t *at, const void *data, size_t size)
{
	kernel_write(to, data, size, at);
}

static void put_word(struct file *to, loff_t *at, u32 word)
{
	put(to, at, &word, sizeof(word));
}

static void put_function(struct file *to, loff_t *at, const struct gcov_info *info, const struct gcov_fn_info *fn)
{
	const struct gcov_ctr_info *ctr = fn->ctrs;
	int kind;

	put_word(to, at, GCOV_TAG_FUNCTION);
	put_word(to, at, 3 * sizeof(u32));
	put_word(to, at, fn->ident);
	put_word(to, at, fn->lineno_checksum);
	put_word(to, at, fn->cfg_checksum);
	for (kind = 0; kind < GCOV_COUNTERS; kind++) {
		if (!info->merge[kind])
			continue;
		put_word(to, at, GCOV_TAG_COUNTERS(kind));
		put_word(to, at, ctr->num * sizeof(s64));
		put(to, at, ctr->values, ctr->num * sizeof(s64));
		ctr++;
	}
}

static void save_object(const struct gcov_info *info, u64 now)
{
	char name[256], *c;
	struct file *to;
	loff_t at = 0;
	unsigned int i;

	/* As gcov itself writes a path as one name. */
	snprintf(name, sizeof(name), "/run/coverage/%llu%s", now, info->filename);
	for (c = name + strlen("/run/coverage/"); *c; c++)
		if (*c == '/')
			*c = '#';
	to = filp_open(name, O_WRONLY | O_CREAT | O_TRUNC, 0600);
	if (IS_ERR(to))
		return;
	put_word(to, &at, GCOV_DATA_MAGIC);
	put_word(to, &at, info->version);
	put_word(to, &at, info->stamp);
	put_word(to, &at, info->checksum);
	for (i = 0; i < info->n_functions; i++)
		/* Of a function that several objects have, one has the counters. */
		if (info->functions[i] && info->functions[i]->key == info)
			put_function(to, &at, info, info->functions[i]);
	filp_close(to, NULL);
}

static void save_all(struct work_struct *work)
{
	u64 now = ktime_get_ns();
	struct gcov_info **info;

	for (info = coverage_begin; info < coverage_end; info++)
		save_object(*info, now);
}

/* By a kernel thread: the allocations of the caller may be failing, and its root may be elsewhere. */
void coverage_save(void)
{
	struct work_struct work;

	INIT_WORK_ONSTACK(&work, save_all);
	schedule_work(&work);
	flush_work(&work);
	destroy_work_on_stack(&work);
}

static int save_now(const char *value, const struct kernel_param *param)
{
	coverage_save();
	return 0;
}

static const struct kernel_param_ops save_ops = {
	.set = save_now,
};
module_param_cb(coverage, &save_ops, NULL, 0200);
