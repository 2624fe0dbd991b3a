/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The differences between kernels from 4.15 on, in one place.
 */
#ifndef BPROBE_COMPAT_H
#define BPROBE_COMPAT_H

#include <linux/bpf.h>
#include <linux/filter.h>
#include <linux/ftrace.h>
#include <linux/kprobes.h>
#include <linux/rcupdate.h>
#include <linux/sched.h>
#include <linux/uaccess.h>
#include <linux/version.h>

/*
 * Such a kernel checks the type of what it calls by a pointer, and traps if there
 * is none: in the middle of a hit, as stubs.S has none.
 */
#if defined(CONFIG_CFI_CLANG) || defined(CONFIG_CFI)
#error "bprobe does not work with a kernel that has CONFIG_CFI: its stubs of assembly have no types"
#endif

/*
 * Handlers run with interrupts off. Since 4.20 synchronize_rcu() waits for
 * such regions; before, only the sched flavour does.
 */
#if LINUX_VERSION_CODE < KERNEL_VERSION(4, 20, 0)
#define bp_synchronize_handlers() synchronize_sched_expedited()
#else
#define bp_synchronize_handlers() synchronize_rcu_expedited()
#endif

/*
 * The meaning of this flag bit changed. Until 5.10 it says that the ops is
 * recursion-safe, and ftrace calls it directly. Since 5.11 it asks for
 * recursion protection, which ours does not need.
 */
#ifndef BP_FTRACE_DIRECT
#define BP_FTRACE_DIRECT 0
#endif

/* Without it, sysctl kernel.ftrace_enabled=0 silences every probe (since 5.5). */
#ifndef BP_FTRACE_PERMANENT
#define BP_FTRACE_PERMANENT 0
#endif

#if LINUX_VERSION_CODE < KERNEL_VERSION(5, 8, 0)
#define bp_read_nofault(dst, src, size) probe_kernel_read(dst, src, size)
#define bp_nmi_refused() in_nmi()	/* trace_call_bpf() returns without running there */
#else
#define bp_read_nofault(dst, src, size) copy_from_kernel_nofault(dst, src, size)
#define bp_nmi_refused() false	/* in_nmi() is true in every int3 handler, so it says nothing */
#endif

#if LINUX_VERSION_CODE < KERNEL_VERSION(5, 14, 0)
#define bp_task_is_dead(p) ((p)->state == TASK_DEAD)
#else
#define bp_task_is_dead(p) (READ_ONCE((p)->__state) == TASK_DEAD)
#endif

/* Has a task that is not running gone to sleep? A preempted task stays on its run queue. */
#ifdef BP_SCHED_DELAYED
#define bp_task_asleep(p) (!READ_ONCE((p)->on_rq) || READ_ONCE((p)->se.sched_delayed))
#else
#define bp_task_asleep(p) (!READ_ONCE((p)->on_rq))
#endif

#if LINUX_VERSION_CODE < KERNEL_VERSION(5, 14, 0)
#define BP_KPROBE_FAULT_HANDLER
#endif

/*
 * Before 5.12 a walk over the symbols of modules needs module_mutex held. Since
 * then the walk takes it itself, and it is not exported.
 */
#ifdef BP_MODULE_MUTEX_EXPORTED
#define bp_lock_module_symbols() mutex_lock(&module_mutex)
#define bp_unlock_module_symbols() mutex_unlock(&module_mutex)
#else
#define bp_lock_module_symbols() do { } while (0)
#define bp_unlock_module_symbols() do { } while (0)
#endif

/* Run the work before user space, without a signal: "true" until 5.10, TWA_RESUME since. */
#define BP_TASK_WORK_RESUME 1ul

/*
 * Since 5.0 the kernel's blacklist covers a compiler's copy of a function if it
 * covers the function. It looks that up by name, and until 6.1 walks over all
 * symbols for it.
 */
#define BP_SLOW_BLACKLIST (LINUX_VERSION_CODE >= KERNEL_VERSION(5, 0, 0) && \
			   LINUX_VERSION_CODE < KERNEL_VERSION(6, 2, 0))

/*
 * Since 5.8 the kernel handles a breakpoint as an NMI: nmi_enter() adds to the
 * preempt count, also under a real NMI.
 */
#define BP_BREAKPOINT_IS_NMI (LINUX_VERSION_CODE >= KERNEL_VERSION(5, 8, 0))

/* Since 5.4 a kernel can be locked down, against kprobes too. */
#if LINUX_VERSION_CODE >= KERNEL_VERSION(5, 4, 0)
#define bp_locked_down() security_locked_down(LOCKDOWN_KPROBES)
#else
#define bp_locked_down() 0
#endif

/* Before 5.4 a task may be freed before its last switch away from the CPU. */
#define BP_FREED_WHILE_RUNNING (LINUX_VERSION_CODE < KERNEL_VERSION(5, 4, 0))

/* Does lockdep believe that interrupts are on? */
#ifndef CONFIG_PROVE_LOCKING
#define bp_lockdep_irqs_on() false
#elif LINUX_VERSION_CODE < KERNEL_VERSION(5, 7, 0)
#define bp_lockdep_irqs_on() trace_hardirqs_enabled(current)
#elif LINUX_VERSION_CODE < KERNEL_VERSION(5, 9, 0)
#define bp_lockdep_irqs_on() lockdep_hardirqs_enabled(current)
#else
#define bp_lockdep_irqs_on() lockdep_hardirqs_enabled()
#endif

/* module_kallsyms_on_each_symbol() can be confined to one module since 6.3. */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 3, 0)
#define BP_CALL_EACH_MODULE_SYMBOL(each, fn, data) bp_call(each, fn, data)
#else
#define BP_CALL_EACH_MODULE_SYMBOL(each, fn, data) bp_call(each, NULL, fn, data)
#endif

/* Callbacks for symbols were given the symbol's module until 6.4. */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 4, 0)
#define BP_SYMBOL_MODULE struct module *module,
#else
#define BP_SYMBOL_MODULE
#endif

/* Programs that need more than a plain run in a handler. */
static inline bool bp_prog_unfit(const struct bpf_prog *prog)
{
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 9, 0)
	if (prog->sleepable)
		return true;
#elif LINUX_VERSION_CODE >= KERNEL_VERSION(5, 10, 0)
	if (prog->aux->sleepable)
		return true;
#endif
#if LINUX_VERSION_CODE >= KERNEL_VERSION(4, 17, 0)
	if (prog->expected_attach_type)
		return true;
#endif
#if LINUX_VERSION_CODE >= KERNEL_VERSION(4, 16, 0)
	if (prog->kprobe_override)
		return true;
#endif
	return false;
}

/* Runs @prog under a guard that is already held. */
static __always_inline void bp_prog_run(const struct bpf_prog *prog, const void *ctx)
{
#if LINUX_VERSION_CODE < KERNEL_VERSION(5, 15, 0)
	(void)BPF_PROG_RUN(prog, ctx);
#else
	(void)bpf_prog_run(prog, ctx);
#endif
}

/*
 * Programs run under rcu_read_lock(). Since 4.20 interrupts that are off do the
 * same, and only lockdep can tell; before, freed elements of maps do not wait
 * for that.
 */
#if LINUX_VERSION_CODE < KERNEL_VERSION(4, 20, 0) || defined(CONFIG_DEBUG_LOCK_ALLOC)
#define bp_programs_rcu_lock() rcu_read_lock()
#define bp_programs_rcu_unlock() rcu_read_unlock()
#else
#define bp_programs_rcu_lock() do { } while (0)
#define bp_programs_rcu_unlock() do { } while (0)
#endif

/*
 * Since 5.15 helpers find what they must know of the hook through the task. Ours
 * is empty (cookies there are for the kernel's own probes) and only read, so one
 * is enough for all CPUs.
 */
#ifdef BP_TRACE_RUN_CTX
extern struct bpf_trace_run_ctx bp_run_ctx;
#define bp_run_ctx_enter() bpf_set_run_ctx(&bp_run_ctx.run_ctx)
#define bp_run_ctx_leave(outer) bpf_reset_run_ctx(outer)
#else
struct bpf_run_ctx;
#define bp_run_ctx_enter() NULL
#define bp_run_ctx_leave(outer) ((void)(outer))
#endif

/* The one program that @array runs. */
static inline void bp_prog_array_set(struct bpf_prog_array *array, struct bpf_prog *prog)
{
#if LINUX_VERSION_CODE < KERNEL_VERSION(4, 19, 0)
	array->progs[0] = prog;
#else
	array->items[0].prog = prog;
#endif
}

#define BP_PROG_ARRAY_SIZE (sizeof(struct bpf_prog_array) + 64)

#endif
