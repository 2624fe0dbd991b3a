# SPDX-License-Identifier: GPL-2.0
# make install PREFIX=/usr/local DESTDIR=: bprobectl, libbprobe and the manual pages, for a real machine. Unlike what runs in
# the guest these are dynamically linked.
PREFIX ?= /usr/local
BINDIR ?= $(PREFIX)/sbin
LIBDIR ?= $(PREFIX)/lib
INCLUDEDIR ?= $(PREFIX)/include
MANDIR ?= $(PREFIX)/share/man
# Where bprobectl finds the program of its trace.
programs_dir = $(LIBDIR)/bprobe

# bprobe has one version, which DKMS needs as a word of its own. The soname changes when old programs would break. Where only
# the guest's programs are built, kmod/ is not there.
version = $(shell sed -n 's/^PACKAGE_VERSION="\(.*\)"/\1/p' $(or $(wildcard ../kmod/dkms.conf),/dev/null))
soname = libbprobe.so.0
shared = libbprobe.so.$(version)

system = $(patsubst %.c,$(OUT)/system/obj/%.o,$(wildcard $(1)/*.c))

system: $(OUT)/system/$(shared) $(OUT)/system/bprobectl $(OUT)/system/libbprobe.pc $(OUT)/libbprobe.a \
	$(OUT)/programs/trace.bpf.o

$(OUT)/system/$(shared): $(call system,libbprobe) libbprobe/libbprobe.map
	$(CC) -shared -Wl,-soname,$(soname) -Wl,--version-script,libbprobe/libbprobe.map -Wl,-z,defs -o $@ $(filter %.o,$^)

# Holds its own copy of the library, so that it also runs where the linker does not look in LIBDIR.
$(OUT)/system/bprobectl: $(call system,bprobectl) $(OUT)/libbprobe.a
	$(CC) -Wl,-z,relro,-z,now -o $@ $^ -lbpf

$(OUT)/system/libbprobe.pc: libbprobe/libbprobe.pc.in $(OUT)/system/places
	sed -e 's|@PREFIX@|$(PREFIX)|' -e 's|@LIBDIR@|$(LIBDIR)|' -e 's|@INCLUDEDIR@|$(INCLUDEDIR)|' \
		-e 's|@VERSION@|$(version)|' $< >$@

$(OUT)/system/obj/%.o: %.c Makefile install.mk $(OUT)/system/places
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) -fPIC -DPROGRAMS='"$(programs_dir)"' $(CPPFLAGS) -c -o $@ $<

# Changes with the places, so that what holds them is made again.
$(OUT)/system/places: FORCE
	@mkdir -p $(@D)
	@echo '$(PREFIX) $(LIBDIR) $(INCLUDEDIR) $(version)' | cmp -s - $@ || \
		echo '$(PREFIX) $(LIBDIR) $(INCLUDEDIR) $(version)' >$@

install: system
	install -D -m 755 $(OUT)/system/bprobectl $(DESTDIR)$(BINDIR)/bprobectl
	install -D -m 644 $(OUT)/programs/trace.bpf.o $(DESTDIR)$(programs_dir)/trace.bpf.o
	install -D -m 644 $(OUT)/libbprobe.a $(DESTDIR)$(LIBDIR)/libbprobe.a
	install -D -m 644 $(OUT)/system/$(shared) $(DESTDIR)$(LIBDIR)/$(shared)
	ln -sf $(shared) $(DESTDIR)$(LIBDIR)/$(soname)
	ln -sf $(soname) $(DESTDIR)$(LIBDIR)/libbprobe.so
	install -D -m 644 $(OUT)/system/libbprobe.pc $(DESTDIR)$(LIBDIR)/pkgconfig/libbprobe.pc
	install -D -m 644 libbprobe/libbprobe.h $(DESTDIR)$(INCLUDEDIR)/libbprobe.h
	install -D -m 644 ../kmod/bprobe.h $(DESTDIR)$(INCLUDEDIR)/bprobe.h
	install -D -m 644 ../man/bprobectl.8 $(DESTDIR)$(MANDIR)/man8/bprobectl.8
	install -D -m 644 ../man/bprobe.4 $(DESTDIR)$(MANDIR)/man4/bprobe.4
	$(if $(DESTDIR),,ldconfig)

.PHONY: system install FORCE
