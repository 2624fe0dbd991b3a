// SPDX-License-Identifier: GPL-2.0
/*
 * Turns a request of user space into a complete group of probes that is not
 * attached yet.
 */
#include <linux/kallsyms.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include "internal.h"

/* Counters of this many probes are allocated together: about a page for each CPU. */
#define COUNTS_TOGETHER ((unsigned int)(PAGE_SIZE / sizeof(struct bp_counts)))

/* Whether an instruction may read more than registers, the stack of the program and values of maps. */
static bool insn_looks(u8 code)
{
	/*
	 * A load that may fault, from any address: bpf_rdonly_cast() makes one of
	 * the context, and the verifier removes that call.
	 */
	if (BPF_CLASS(code) == BPF_LDX)
		return BPF_MODE(code) != BPF_MEM;
	return code == (BPF_JMP | BPF_CALL);
}

/*
 * Whether a program may read the extension block or walk the stack. Without
 * bp_probes.looks it would find the block of an earlier call, and a stack that
 * ends at our trampoline; so in doubt it does. The verifier sets cb_access
 * where it finds a tail call: the called programs may do anything, and may
 * change later.
 */
static bool looks(const struct bpf_prog *prog)
{
	u32 i;

	if (prog->cb_access)
		return true;
	for (i = 0; i < prog->len; i++) {
		if (insn_looks(prog->insnsi[i].code))
			return true;
	}
	return false;
}

static int take_program(struct bp_group *group, int fd)
{
	struct bpf_prog *prog = bpf_prog_get_type_dev(fd, BPF_PROG_TYPE_KPROBE, false);

	if (IS_ERR(prog))
		return PTR_ERR(prog) == -EINVAL ? -EPROTOTYPE : PTR_ERR(prog);
	group->prog = prog;
	if (bp_prog_unfit(prog))
		return -EPROTOTYPE;
	group->prog_id = prog->aux->id;
	group->looks = looks(prog);
	/* The verifier notes how far into its context a program reads by itself. */
	group->reads = group->looks || prog->aux->max_ctx_offset;
	return 0;
}

static int make_counts(struct bp_group *group)
{
	unsigned int i, n;

	for (i = 0; i < group->count; i++) {
		n = i % COUNTS_TOGETHER;
		if (n) {
			group->probe[i].counts = group->probe[i - n].counts + n;
			continue;
		}
		n = min(group->count - i, COUNTS_TOGETHER);
		group->probe[i].counts = __alloc_percpu(n * sizeof(struct bp_counts), __alignof__(struct bp_counts));
		if (!group->probe[i].counts)
			return -ENOMEM;
	}
	return 0;
}

static void forget_names(struct bp_wanted *wanted, unsigned int count)
{
	unsigned int i;

	for (i = 0; i < count; i++) {
		kfree(wanted[i].name);
		wanted[i].name = NULL;
	}
}

/* One name or address of user space. */
static int read_function(struct bp_wanted *wanted, const struct bprobe_function *function)
{
	char *name;

	if (!function->symbol == !function->address)
		return -EINVAL;
	wanted->address = function->address;
	if (!function->symbol)
		return 0;
	name = strndup_user((const char __user *)function->symbol, KSYM_NAME_LEN);
	if (IS_ERR(name))
		return PTR_ERR(name) == -EINVAL ? -ENAMETOOLONG : PTR_ERR(name);
	wanted->name = name;
	return 0;
}

/* From names to addresses. */
static int find_functions(struct bp_wanted *wanted, unsigned int count, unsigned int *failed)
{
	unsigned int i;
	int err;

	err = bp_symbols_find(wanted, count);
	for (i = 0; !err && i < count; i++) {
		if (!wanted[i].name || wanted[i].found == 1)
			continue;
		*failed = i;
		err = wanted[i].found ? -ENOTUNIQ : -ENOENT;
	}
	forget_names(wanted, count);
	return err;
}

/*
 * Gives @probe its site, and a reference on the module of its function. For a
 * copy whose original must be looked up, sets the name of the original in
 * @wanted.
 */
static int take_site(struct bp_probe *probe, struct bp_wanted *wanted, bool of_many)
{
	bool ask_for_original = false;
	char name[BPROBE_NAME_LEN];
	int gone, err;

	/* First: else another module could take the place of the one that is looked at. */
	probe->owner = bp_module_get(wanted->address, &gone);
	err = bp_function_name(wanted->address, name);
	if (err)
		return err;
	if (bp_function_denied(wanted->address, name, of_many ? &ask_for_original : NULL))
		return -EOPNOTSUPP;
	if (gone)
		return gone;
	if (ask_for_original) {
		wanted->name = kstrndup(name, strcspn(name, "."), GFP_KERNEL);
		if (!wanted->name)
			return -ENOMEM;
	}
	mutex_lock(&bp_mutex);
	probe->site = bp_site_get(wanted->address, name);
	mutex_unlock(&bp_mutex);
	return probe->site ? 0 : -ENOMEM;
}

static int take_sites(struct bp_group *group, struct bp_wanted *wanted, unsigned int *failed)
{
	unsigned int i;
	int err = 0;

	for (i = 0; i < group->count; i++) {
		err = take_site(&group->probe[i], &wanted[i], group->count > 1);
		if (err)
			break;
		cond_resched();
	}
	if (err && err != -ENOMEM)
		*failed = i;
	if (err)
		return err;
	/* Refuse copies of functions that are blacklisted. */
	for (i = 0; i < group->count; i++)
		wanted[i].found = 0;
	err = bp_symbols_find(wanted, group->count);
	for (i = 0; !err && i < group->count; i++) {
		if (!wanted[i].found || !bp_kprobe_blacklisted(wanted[i].address))
			continue;
		*failed = i;
		err = -EOPNOTSUPP;
	}
	return err;
}

static int fill(struct bp_group *group, const struct bprobe_function *functions, unsigned int *failed)
{
	struct bp_wanted *wanted = kvmalloc_array(group->count, sizeof(*wanted), GFP_KERNEL | __GFP_ZERO);
	unsigned int i;
	int err = 0;

	if (!wanted)
		return -ENOMEM;
	for (i = 0; i < group->count && !err; i++) {
		group->probe[i].group = group;
		group->probe[i].cookie = functions[i].cookie;
		err = read_function(&wanted[i], &functions[i]);
		if (err && err != -ENOMEM)
			*failed = i;
	}
	if (!err)
		err = find_functions(wanted, group->count, failed);
	if (!err)
		err = take_sites(group, wanted, failed);
	forget_names(wanted, group->count);
	kvfree(wanted);
	return err;
}

static struct bp_group *make(const struct bprobe_attach *request, const struct bprobe_function *functions,
			     unsigned int count, unsigned int *failed)
{
	struct bp_group *group = kvzalloc(sizeof(*group) + count * sizeof(group->probe[0]), GFP_KERNEL);
	unsigned int i;
	int err;

	if (!group)
		return ERR_PTR(-ENOMEM);
	group->count = count;
	group->point = request->point;
	group->pid = task_tgid_nr(current);
	err = fill(group, functions, failed);
	if (!err)
		err = make_counts(group);
	if (!err)
		err = take_program(group, request->prog_fd);
	if (err) {
		bp_group_free(group);
		return ERR_PTR(err);
	}
	for (i = 0; i < count; i++) {
		group->probe[i].prog = group->prog;
		group->probe[i].not_in_interrupt = request->flags & BPROBE_NOT_IN_INTERRUPT;
	}
	return group;
}

/* Sets *@failed if one function is the reason for the error. */
struct bp_group *bp_group_make(const struct bprobe_attach *request, unsigned int *failed)
{
	struct bprobe_function one = {
		.symbol = request->symbol, .address = request->address, .cookie = request->cookie,
	};
	struct bprobe_function *functions;
	struct bp_group *group;
	size_t size;

	if (!request->functions)
		return make(request, &one, 1, failed);
	size = request->count * sizeof(*functions);
	functions = kvmalloc(size, GFP_KERNEL);
	if (!functions)
		return ERR_PTR(-ENOMEM);
	if (copy_from_user(functions, (const void __user *)request->functions, size))
		group = ERR_PTR(-EFAULT);
	else
		group = make(request, functions, request->count, failed);
	kvfree(functions);
	return group;
}

/* @group is not attached, and may be incomplete. */
void bp_group_free(struct bp_group *group)
{
	unsigned int i;

	for (i = 0; i < group->count; i++) {
		module_put(group->probe[i].owner);
		if (i % COUNTS_TOGETHER == 0)
			free_percpu(group->probe[i].counts);
	}
	if (group->prog)
		bpf_prog_put(group->prog);
	kvfree(group);
}
