// SPDX-License-Identifier: GPL-2.0
/*
 * The sites, and lookups of them: by the ip that the ftrace callback gets, and
 * by the address of the function.
 */
#include <linux/hash.h>
#include <linux/slab.h>

#include "internal.h"

/* Every function of a kernel can be a site: then each list holds a few. */
struct hlist_head bp_sites_by_ip[1 << BP_SITE_BITS];
static struct hlist_head by_address[1 << BP_SITE_BITS];

/*
 * The site of the function at @address. After a module was unloaded, another
 * function may be at the same address, so an existing site gets the name anew.
 */
struct bp_site *bp_site_get(unsigned long address, const char *name)
{
	struct hlist_head *head = &by_address[hash_long(address, BP_SITE_BITS)];
	struct bp_site *site;

	hlist_for_each_entry(site, head, by_address) {
		if (site->address == address) {
			strscpy(site->name, name, sizeof(site->name));
			return site;
		}
	}
	site = kzalloc(sizeof(*site), GFP_KERNEL);
	if (!site)
		return NULL;
	site->address = address;
	strscpy(site->name, name, sizeof(site->name));
	hlist_add_head(&site->by_address, head);
	return site;
}

/* Lets the ftrace callback find @site. */
void bp_site_put_at(struct bp_site *site, unsigned long ip)
{
	site->ip = ip;
	hlist_add_head_rcu(&site->by_ip, &bp_sites_by_ip[hash_long(ip, BP_SITE_BITS)]);
}

/*
 * Hides @site from the ftrace callback; false if it was not in its table. A
 * handler that has reached @site walks on to the end of its list, or of the
 * list that @site was meanwhile put into.
 */
bool bp_site_take_away(struct bp_site *site)
{
	if (hlist_unhashed(&site->by_ip))
		return false;
	hlist_del_init_rcu(&site->by_ip);
	return true;
}

/*
 * Calls @each for every site that the ftrace callback finds, until one call
 * returns other than 0. Returns that.
 */
int bp_sites_each(int (*each)(void *data, unsigned long ip), void *data)
{
	struct bp_site *site;
	int i, answer;

	for (i = 0; i < ARRAY_SIZE(bp_sites_by_ip); i++) {
		hlist_for_each_entry(site, &bp_sites_by_ip[i], by_ip) {
			answer = each(data, site->ip);
			if (answer)
				return answer;
		}
	}
	return 0;
}

void bp_sites_free(void)
{
	struct hlist_node *next;
	struct bp_site *site;
	int i;

	for (i = 0; i < ARRAY_SIZE(by_address); i++) {
		hlist_for_each_entry_safe(site, next, &by_address[i], by_address)
			kfree(site);
	}
}
