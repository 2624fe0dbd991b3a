// SPDX-License-Identifier: GPL-2.0

/** Functions that are in a trace without being guilty. `names` may end with `*`; leading underscores do not count. */
type Group = {readonly why: string; readonly names: string};

/** What runs because something has happened already. Such frames are not shown as a location at all. */
const reporting: readonly Group[] = [
	{
		why: 'prints the report',
		names: `dump_stack* dump_backtrace* show_stack* show_regs* show_trace* show_registers print_* pr_cont* printk*
			vprintk* console_unlock sched_show_task show_state_filter nmi_cpu_backtrace* nmi_trigger_cpumask_backtrace
			arch_trigger_* trigger_*backtrace rcu_dump_cpu_stacks rcu_print_* end_report start_report end_trace* object_err
			describe_* stack_trace_* save_stack* set_track* unwind_* arch_stack_walk* kunit_* dump_page* bad_page*
			dump_header oom_kill_process out_of_memory warn_alloc* lockup_detector*`,
	},
	{
		why: 'a warning or a panic ends here, whoever asked for it',
		names: `panic* vpanic nmi_panic warn warn_slowpath_* warn_printk warn_on_* warn_bogus_* *_panic rust_helper_BUG *rust_begin_unwind RN*4core9panicking* report_bug* handle_bug fixup_bug*
			fixup_exception* is_valid_bugaddr die die_addr die_body die_nmi oops_* begin_new_exec_oops crash_kexec* do_exit_oops`,
	},
	{
		why: 'the processor enters the kernel here, or returns',
		names: `asm_* exc_* idtentry_* do_trap* do_error_trap do_general_protection general_protection do_invalid_op
			invalid_op error_entry error_exit error_return divide_error do_divide_error double_fault do_double_fault
			page_fault* async_page_fault do_page_fault* do_user_addr_fault do_kern_addr_fault handle_page_fault
			do_async_page_fault bad_area* no_context kernelmode_fixup* do_sigbus do_int3 do_debug int3 debug irqentry_* raw_irqentry_*
			handle_stack_overflow entry_* ret_from_* syscall_return_slowpath* do_syscall_* do_fast_syscall_* do_int80_*
			x64_sys_call ia32_sys_call x32_sys_call sysenter_* int_ret_from_* system_call_* ret_from_intr retint_*
			secondary_startup_64* start_secondary x86_64_start_* restore_regs_and_* nmi_restore end_repeat_nmi nmi
			default_do_nmi do_nmi nmi_handle* common_interrupt* irq_entries_start ftrace_*caller* fentry mcount
			x86_indirect_* x86_return_* retbleed_* retpoline_* srso_* kprobe_* kretprobe_* opt_pre_handler optimized_callback`,
	},
	{
		why: 'a sanitizer checks a memory access that the caller makes',
		names: `kasan_* asan_* hwasan_* check_memory_region* check_region_inline kmsan_* msan_* kcsan_* tsan_* kfence_*
			kmemleak_* create_object* sanitizer_* write_comp_data check_kcov_mode canonicalize_ip ubsan_* val_to_string
			handle_overflow addr_has_metadata report_access kernel_poison_pages check_poison* memory_is_*
			kernel_text_address is_bpf_text_address in_lock_functions is_module_text_address
			fail_dump should_fail* should_failslab`,
	},
	{
		why: 'lockdep and the other lock checkers look at what the caller does',
		names: `lock_acquire* lock_release* lock_downgrade lock_set_class lock_contended lock_acquired lock_is_held*
			lock_pin* lockdep_* mark_lock* mark_held_locks mark_usage mark_irqflags validate_chain* check_prev* check_noncircular
			check_usage* check_irq_usage check_deadlock* check_chain_key check_path check_wait_context check_no_* valid_state
			register_lock_class* assign_lock_key look_up_lock_class static_obj match_held_lock hlock_class reacquire_held_locks
			find_held_lock find_lock_to_acquire add_lock_to_list alloc_list_entry add_chain_cache* lookup_chain_cache* alloc_chain_hlocks bfs save_trace graph_lock check_redundant
			rcu_read_* rcu_lock_* rcu_note_context_switch trace_hardirqs_* trace_softirqs_* debug_check_no_* debug_lockdep_*
			debug_locks_off spin_dump spin_bug rwlock_bug debug_spin_* debug_mutex_* debug_rt_* debug_smp_processor_id
			check_preemption_disabled this_cpu_preempt_check invalid_wait_context rcu_lockdep_*
			might_sleep* might_resched might_fault might_alloc* slab_pre_alloc* debug_object* debug_print_object
			debug_check_* debug_activate debug_timer_* debug_hrtimer_* debug_deactivate debug_assert_init debug_work_* debug_rcu_*
			timer_is_static_object work_is_static_object refcount_* kobject_*_warn rcuref_* preempt_count_* preempt_latency_*`,
	},
	{
		why: 'the scheduler is where every waiting task stands',
		names: `schedule* context_switch finish_task_switch* preempt_schedule* io_schedule* cond_resched* switch_to*
			dequeue_task deactivate_task sched_submit_work kick_pool_* do_sched_yield trace_sched_*`,
	},
	{
		why: 'a stall is noticed by an interrupt',
		names: `apic_timer_interrupt smp_apic_timer_* sysvec_* smp_reschedule_* reschedule_interrupt local_apic_timer_*
			hrtimer_interrupt hrtimer_run_queues* hrtimer_run_softirq update_process_times tick_sched_* tick_nohz_handler tick_handle_*
			tick_do_update* tick_periodic rcu_check_callbacks* rcu_sched_clock_irq* rcu_pending check_cpu_stall* print_cpu_stall* rcu_stall_*
			rcu_preempt_sched_clock* rcu_sched_show* watchdog_timer_fn* watchdog_overflow_* watchdog_hardlockup_* perf_event_overflow* perf_event_nmi_* dump_cpu_task smp_trace_*
			is_softlockup check_hung_* check_tasks* trace_event_raw_* perf_trace_* perf_tp_event* run_hrtimer`,
	},
];

/** Helpers are given by their caller what they fail with. It happened in them, but the title names the caller. */
const helpers: readonly Group[] = [
	{
		why: 'a lock that is no lock was given by the caller, and so was one that is held already',
		names: `raw_spin_* raw_read_* raw_write_* do_raw_* spin_lock* spin_unlock* queued_spin_* queued_read_* queued_write_*
			native_queued_* pv_queued_* pv_wait* osq_* mutex_* ww_mutex_* rt_mutex_* rtlock_* rt_spin_* rt_read_*
			rt_write_* down down_* up up_read up_write rwsem_* call_rwsem_* percpu_down_* percpu_up_* percpu_rwsem_* ldsem_*
			lock_sock_* lock_sock sock_def_readable_lock local_bh_* srcu_read_* call_srcu cleanup_srcu_struct init_waitqueue_head* init_rwsem rwlock_init bit_spin_* seqcount_* do_write_seqcount* atomic_dec_and_lock*
			refcount_dec_and_lock* refcount_dec_and_mutex_* task_rq_lock* console_lock console_trylock* lock_timer_base lock_hrtimer_base arch_local_* queue_*lock_slowpath`,
	},
	{
		why: 'waits for what the caller asked for, or wakes it',
		names: `wait_for_completion* wait_for_common* do_wait_for_common* complete complete_all complete_with_flags wait_on_bit* out_of_line_wait_*
			bit_wait* wait_on_page_* wait_on_buffer wait_on_folio* folio_wait_* folio_lock* lock_page* lock_buffer* wait_woken wait_rcu_gp*
			prepare_to_wait* finish_wait add_wait_queue* do_wait_intr* wake_bit_function try_to_wake_up
			default_wake_function autoremove_wake_function wake_up wake_up_process wake_up_q wake_up_state wake_up_all* wake_up_common* wake_up_sync* wake_up_locked* wake_up_bit wake_up_var wake_up_interruptible* woken_wake_function msleep* usleep_* ssleep fsleep*
			do_nanosleep hrtimer_nanosleep* process_timeout swake_up* flush_work* flush_workqueue* flush_delayed_work
			drain_workqueue start_flush_work check_flush_dependency destroy_workqueue cancel_work* cancel_delayed_work* kthread_stop* kthread_park kthread_flush* wait_for_device_probe
			filemap_fdatawait* wb_wait_for_completion* file_fdatawait* filemap_write_and_wait* fdatawait_* schedule_timeout* delay_* udelay const_udelay
			rcu_barrier* percpu_ref_kill_and_*`,
	},
	{
		why: 'copies, compares, prints or sums up memory of the caller',
		names: `memcpy* memmove* memset* memcmp* memchr* memscan memzero_* memdup_user* bcmp rep_movs* rep_stos* clear_page clear_page_erms clear_page_rep clear_page_orig copy_page copy_page_erms copy_page_rep clear_user*
			strlen strnlen strcmp strncmp strcasecmp strncasecmp strcpy strncpy strlcpy strscpy* sized_strscpy strcat strncat
			strlcat strchr* strrchr strnchr* strstr strnstr strpbrk strspn strcspn strsep strim strdup* string string_nocheck va_format
			string_get_size skip_spaces sysfs_streq match_string* number pointer widen_string vsnprintf vscnprintf vsprintf snprintf scnprintf
			sprintf kvasprintf* kasprintf* bstr_printf seq_printf seq_vprintf seq_write seq_puts seq_put_* sysfs_emit* hex_string mac_address_string uuid_string bitmap_string escaped_string hex_dump* print_hex_dump* bin2hex hex2bin
			format_decode ip4_addr_string* ip6_addr_string* special_hex_number restricted_pointer simple_strto* kstrto* sscanf vsscanf
			copy_user_* copy_from_user* copy_to_user* copy_in_user* copy_user* raw_copy_* copyin copyout copy_to_iter* copy_from_iter* copy_page_*_iter
			copy_mc_* copy_overflow copy_from_kernel_nofault* copy_to_kernel_nofault* simple_copy_to_iter csum_partial* csum_and_* do_csum instrument_copy_* iov_iter_* iterate_and_* iterate_iovec* iterate_bvec* iterate_ubuf* iterate_kvec* copy_folio_*
			strncpy_from_user* strnlen_user* do_strncpy_* get_user get_user_1 get_user_2 get_user_4 get_user_8 get_user_nocheck_* put_user put_user_1 put_user_2 put_user_4 put_user_8 put_user_nocheck_* check_object_size* check_heap_object*
			check_stack_object check_kernel_text_object usercopy_* check_bogus_address crc* jhash* xxh* siphash* aes_encrypt aes_decrypt aesti_* sha1_* sha256_* md5_*
			fortify_* stack_chk_fail assertfail* get_unaligned_* put_unaligned_* utf8_to_utf32 utf32_to_utf8 utf8s_to_utf16s utf16s_to_utf8s sort sort_r bsearch sg_copy_* sg_miter_* sg_next sg_init_table sg_init_one sg_pcopy_* sg_alloc_* sg_free_* sg_zero_* LZ4_* ZSTD_* FSE_* HUF_* lzo1x_* xz_dec_* zlib_* inflate_* string_escape_* string_unescape* strreplace argv_split
			seq_pad seq_putc seq_path seq_escape* seq_hex_* nla_find nla_memcmp nla_strcmp nla_strdup nla_strscpy nla_append* uuid_* guid_* bprintf vbin_printf csum_tcpudp* ip_compute_csum ip_fast_csum do_once_* prandom_* get_random_* hsiphash* ucs2_*
			import_iovec import_single_range import_ubuf mpi_* gen_pool_* cordic_* rational_* int_sqrt div64_* div_*64* iter_div_* gcd lcm dql_* flex_array_*`,
	},
	{
		why: 'allocates and frees what the caller says; the one who allocated or freed is guilty',
		names: `kmalloc* kzalloc* kcalloc kmem_cache_* kvmalloc* kvzalloc kvfree* kfree kfree_const kfree_sensitive kfree_bulk kzfree ksize krealloc* kmemdup* kstrdup*
			kvrealloc* vmalloc* vzalloc* vfree* vunmap* vmap free_vm_area alloc_vmap_area* remove_vm_area* get_vm_area_node* vm_area_alloc_pages
			slab_* new_slab* allocate_slab* alloc_slab* do_slab_* do_kmalloc* cache_alloc_* cache_free* cache_grow* cache_flusharray
			discard_slab free_slab* get_partial* free_debug_processing* alloc_debug_processing* free_consistency_checks* free_to_partial*
			on_freelist check_slab check_object check_bytes_and_report* deactivate_slab*
			get_any_partial* alloc_pages* alloc_page_* alloc_frozen_pages* get_page_from_freelist* prep_new_page* rmqueue* post_alloc_hook
			get_free_page* get_zeroed_page* free_pages* free_page* free_unref_* free_frozen_* free_pcppages* free_hot_cold_* free_one_page
			free_large_kmalloc* large_kmalloc_* put_page release_pages folio_put* folios_put* folio_alloc* alloc_percpu* pcpu_* free_percpu mempool_* devm_k* pagefault_* page_frag_*
			obj_cgroup_* memcg_slab_* mem_cgroup_charge* dma_alloc_* dma_free_* idr_* ida_* get_from_free_list free_debug_* free_pages_* kernel_map_pages phys_addr* virt_addr_valid virt_to_head_page* virt_to_cache vmap_* iounmap kmalloc_fix_flags
						kasprintf alloc_cpumask_var* zalloc_* xt_alloc_table_info stack_depot_* debug_dma_*`,
	},
	{
		why: 'a link of the caller was damaged',
		names: `list_add* list_del* list_move* list_lru_add* list_empty* list_splice* list_sort hlist_* llist_* klist_* plist_* rb_insert_* rb_erase* rb_next* rb_prev rb_first* rb_last rb_replace_* rb_link_node rb_add*
			interval_tree_* radix_tree_* xa_* xas_* mas_* mt_find* mt_dup* mtree_* lockref_* percpu_ref_put* percpu_ref_get* percpu_ref_tryget* percpu_ref_kill* percpu_counter_* bitmap_set bitmap_clear bitmap_and bitmap_or bitmap_xor bitmap_andnot bitmap_equal bitmap_empty bitmap_full bitmap_weight bitmap_subset bitmap_intersects bitmap_copy* bitmap_fill bitmap_zero bitmap_parse* bitmap_find_* bitmap_alloc bitmap_zalloc bitmap_free find_*bit find_next_* find_first_*
			test_bit* test_and_* set_bit* clear_bit* change_bit* atomic_* atomic64_* arch_atomic* constant_test_bit const_test_bit variable_test_bit instrument_atomic_* compound_head
			kref_* ref_tracker_* rht_* rhashtable_* kfifo_* sbitmap_* read_once_* write_once_* read_word_* xchg* cmpxchg* nla_parse* nla_validate* nla_strlcpy nla_memcpy
			cpumask_* nodes_*`,
	},
	{
		why: 'the object that it counts, registers or removes belongs to the caller',
		names: `kobject_* kobj_* kset_* add_uevent_var uevent_* sysfs_* internal_create_group* remove_files create_files device_add device_del device_register device_unregister
			device_initialize device_create* device_destroy* device_release_driver* device_remove_* device_release dpm_sysfs_* get_device_parent device_attach device_links_* device_move device_rename put_device get_device kill_device devres_*
			devm_* bus_add_* bus_remove_* cdev_* driver_register driver_unregister driver_attach driver_sysfs_* class_create* class_destroy class_unregister class_for_each_* platform_device_add platform_device_del platform_device_register* platform_device_unregister dev_pm_qos_* input_register_handle_list klist_iter_* get_driver put_driver dev_set_name dev_err* dev_warn* dev_info* dev_notice* dev_crit* dev_alert* dev_emerg* dev_printk* dev_vprintk*
			module_put try_module_get proc_create* proc_register proc_mkdir* remove_proc_* debugfs_create* xlate_proc_name free_irq request_threaded_irq request_irq devm_request_*
			module_get dput fast_dput iput
			drop_nlink inc_nlink clear_nlink set_nlink get_pid put_pid* mntput* fput path_put mark_buffer_dirty* mark_inode_dirty* brelse* bforget* unlock_buffer unlock_page folio_unlock
			folio_mark_dirty* set_page_dirty* end_page_* folio_end_* unregister_netdev* rollback_registered* usb_kill_* usb_submit_urb usb_free_* usb_poison_* usb_unlink_* usb_bulk_msg usb_control_msg* usb_interrupt_msg usb_start_wait_urb usb_hcd_submit_urb usb_hcd_link_* usb_anchor_* usb_unanchor_* usb_get_dev usb_put_dev usb_get_intf usb_put_intf usb_deregister usb_register_driver usb_register_dev usb_deregister_dev find_lock_entries find_get_entries truncate_inode_pages* truncate_pagecache* clk_* regulator_* pm_runtime_* rpm_*`,
	},
	{
		why: 'timers and work are armed by their owner',
		names: `mod_timer* mod_delayed_* add_timer* del_timer* timer_delete* try_to_del_timer* timer_shutdown* timer_init* init_timer* enqueue_timer detach_if_pending* hrtimer_start*
			hrtimer_cancel hrtimer_try_to_cancel hrtimer_init* hrtimer_active hrtimer_setup* queue_work* queue_delayed_* insert_work queue_rcu_work
			init_work* destroy_work* tasklet_kill tasklet_schedule* task_work_add irq_work_* alarm_* round_jiffies*
			call_rcu* kvfree_call_rcu kfree_call_rcu init_rcu_head* destroy_rcu_head* rcu_head_* try_to_grab_pending* grab_pending work_grab_*`,
	},
	{
		why: 'a buffer is too small for what the caller puts in',
		names: `skb_put* skb_push skb_pull* skb_trim skb_panic skb_over_panic skb_under_panic pskb_pull skb_unref skb_free_head
			kfree_skb* skb_release_* sk_skb_reason_drop consume_skb napi_consume_skb dev_kfree_skb* kmalloc_reserve*
			sk_filter_trim* sock_alloc_send_* sock_wmalloc* sock_wfree sock_kmalloc sock_kfree_s sock_kzfree_s sock_rfree sock_efree sk_reset_timer sk_stop_timer* sock_hold sock_put sk_free* sk_refcnt_* nlmsg_put* nla_put* nla_reserve* nlmsg_new`,
	},
];

/** Names without the parts that differ between builds: what compilers add, and how a system call is wrapped. */
export function plainName(name: string): string {
	const plain = name.replace(/(?:\.(?:isra|constprop|part|cold|llvm|unlikely)(?:\.\d+)*|\.\d+)+$/, '');
	for (const [pattern, replacement] of sameThing) if (pattern.test(plain)) return plain.replace(pattern, replacement);
	return plain;
}

/** One name for what is the same function to a reader. */
const sameThing: readonly (readonly [RegExp, string])[] = [
	// The entry of a system call: 4.15 has SyS_, later kernels one for each ABI.
	[/^(?:__(?:x64|ia32|x32)_(?:compat_)?sys_|(?:compat_)?SyS_|compat_sys_)/, 'sys_'],
	// The body of a system call, which the source names without a prefix.
	[/^(?:__se_(?:compat_)?sys_|__do_(?:compat_)?sys_|SYSC_|C_SYSC_)/, ''],
	// How many CPUs are called decides which of them is used.
	[/^smp_call_function_(?:many|single|any)\w*$/, 'smp_call_function'],
	// Boot options decide which of them does the waiting.
	[/^_*(synchronize_s?rcu)(?:_expedited|_normal)?$/, '$1'],
	// One and the same since 4.20.
	[/^synchronize_(?:sched|rcu_bh)$/, 'synchronize_rcu'],
];

/** Whoever allocates through these should have freed. They have code of their own, so other reports may name them. */
const allocators: readonly Group[] = [
	{
		why: 'allocates on behalf of its caller',
		names: `alloc_* *_alloc *_alloc_* *_zalloc *_dup alloc_skb* napi_alloc_skb* netdev_alloc_skb* dev_alloc_skb
			build_skb* sk_clone* sock_alloc* new_inode* getname_flags copy_process`,
	},
];

function matcher(groups: readonly Group[]): (name: string) => boolean {
	const names = groups.flatMap(group => group.names.trim().split(/\s+/));
	const exact = new Set(names.filter(name => !name.includes('*')));
	const patterns = names.filter(name => name.includes('*')).map(name => name.replaceAll('*', String.raw`\w*`));
	const pattern = new RegExp(`^(?:${patterns.join('|')})$`);
	return name => {
		const bare = name.replace(/\..*$/, '').replace(/^_+/, '');
		return exact.has(bare) || pattern.test(bare);
	};
}

export const isReporting = matcher(reporting);
export const isHelper = matcher(helpers);
export const isAllocator = matcher(allocators);
