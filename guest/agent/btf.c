// SPDX-License-Identifier: GPL-2.0
/* How many arguments functions have, by the BTF of the kernel, which takes long to read, and of the fixtures. */
#include <errno.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include "agent.h"

static struct btf *kernel, *fixtures;

static const struct btf *search(const struct btf *btf, const char *symbol, int *id)
{
	*id = btf ? btf__find_by_name_kind(btf, symbol, BTF_KIND_FUNC) : -ENOENT;
	return *id >= 0 ? btf : NULL;
}

uint32_t btf_arguments(const char *symbol)
{
	const struct btf *found;
	int id;

	if (!kernel)
		kernel = btf__load_vmlinux_btf();
	found = search(kernel, symbol, &id);
	if (!found && kernel && !fixtures)
		fixtures = btf__load_module_btf("fixtures", kernel);
	if (!found)
		found = search(fixtures, symbol, &id);
	return found ? btf_vlen(btf__type_by_id(found, btf__type_by_id(found, id)->type)) : UINT32_MAX;
}

void forget_module_btf(void)
{
	btf__free(fixtures);
	fixtures = NULL;
}
