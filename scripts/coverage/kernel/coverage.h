/* SPDX-License-Identifier: GPL-2.0 */
/* Included before each source of a module whose coverage is measured. */
#ifndef COVERAGE_H
#define COVERAGE_H

#include <linux/module.h>

void coverage_save(void);

/* What ran is lost with the module: save it when it leaves, or has failed to come. */
#undef module_init
#define module_init(init)			\
	int __init init_module(void)		\
	{					\
		int err = init();		\
						\
		if (err)			\
			coverage_save();	\
		return err;			\
	}

#undef module_exit
#define module_exit(exit)			\
	void __exit cleanup_module(void)	\
	{					\
		exit();				\
		coverage_save();		\
	}

#endif
