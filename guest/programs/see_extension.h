/* SPDX-License-Identifier: GPL-2.0 */
/* bprobe: struct pt_regs, and behind it the extension block, out of reach of direct loads. */
#define SECTION "kprobe"

static always_inline __u64 cookie_of(void *ctx)
{
	__u64 cookie = 0;

	bpf_probe_read(&cookie, sizeof(cookie),
		       (char *)ctx + BPROBE_EXT_OFFSET + __builtin_offsetof(struct bprobe_ext, cookie));
	return cookie;
}

static always_inline void read_ext(void *ctx, struct bprobe_ext *ext)
{
	bpf_probe_read(ext, sizeof(*ext), (char *)ctx + BPROBE_EXT_OFFSET);
}
