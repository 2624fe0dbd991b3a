#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Checks kmod/ by the kernel's own standards: warnings of W=1, sparse, kernel-doc, and with TREE also checkpatch.
# HEADERS is the build directory for modules of a kernel, TREE contains scripts/checkpatch.pl. Prints nothing and exits
# with 0 if there are no findings. Usage: check-kmod.sh HEADERS [TREE]
set -e
headers=${1:?a directory of kernel headers}
tree=$2
copy=$(mktemp -d)
trap 'rm -rf "$copy"' EXIT
cp -r "$(dirname "$0")/../kmod/." "$copy"

said=$(
	make -C "$headers" M="$copy" C=2 W=1 modules 2>&1 >/dev/null | grep -v '^Skipping BTF' || true
	for file in "$copy"/*.[ch]; do
		perl "$headers/scripts/kernel-doc" -none "$file" 2>&1 | grep -E 'warning|error' || true
	done
	if [ -n "$tree" ]; then
		# LINUX_VERSION_CODE is allowed, because one source serves many kernels; checkpatch cannot parse asm-compat.h,
		# which is assembly.
		perl "$tree/scripts/checkpatch.pl" --no-tree --terse --no-summary --max-line-length=120 \
			--ignore LINUX_VERSION_CODE,CONSTANT_COMPARISON -f $(ls "$copy"/*.[ch] | grep -v asm-compat) || true
	fi
)
[ -z "$said" ] && exit 0
echo "$said" | sed "s|$copy/|kmod/|"
exit 1
