#!/bin/sh
# Checks kmod/ as a kernel's own code is: warnings of W=1, sparse, kernel-doc, and checkpatch where a kernel tree is given:
# check-kmod.sh HEADERS [TREE]. HEADERS is what a kernel's modules are built with, TREE holds scripts/checkpatch.pl. Says
# nothing and ends with 0 if there is nothing to say.
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
		# One source serves many kernels, so it has to ask for the version; asm-compat.h is assembly, which it cannot read.
		perl "$tree/scripts/checkpatch.pl" --no-tree --terse --no-summary --max-line-length=120 \
			--ignore LINUX_VERSION_CODE,CONSTANT_COMPARISON -f $(ls "$copy"/*.[ch] | grep -v asm-compat) || true
	fi
)
[ -z "$said" ] && exit 0
echo "$said" | sed "s|$copy/|kmod/|"
exit 1
