# SPDX-License-Identifier: LGPL-2.1-or-later
#
# capauditd: `make` builds build/capauditd; `make help` lists the targets.
#
# Files are found by wildcard: a new .c in daemon/*/, a new tests/*/test_*.c or a new man page needs
# no line here. BUILD=FOLDER builds elsewhere, SOURCES="..." takes only these into the library.

VERSION := 0.1.0

prefix        ?= /usr
bindir        ?= $(prefix)/bin
mandir        ?= $(prefix)/share/man
docdir        ?= $(prefix)/share/doc/capauditd
completiondir ?= $(prefix)/share/bash-completion/completions
unitdir       ?= $(prefix)/lib/systemd/system
catalogdir    ?= $(prefix)/lib/systemd/catalog
DESTDIR       ?=

# make's own default is "cc", which ?= would leave alone.
ifeq ($(origin CC),default)
CC       := gcc
endif
PKG_CONFIG ?= pkg-config
INSTALL    ?= install
PACKAGES   := libcap-ng libproc2 libsystemd yaml-0.1 jansson smartcols nettle

# KUBERNETES=0 leaves out the Kubernetes API source, and libcurl with it. libcurl and libmicrohttpd are
# opened at run time and not linked: their headers are all that the program needs.
KUBERNETES ?= 1
HEADERS    := libmicrohttpd $(if $(filter 0,$(KUBERNETES)),,libcurl)

# BPF=0 leaves out the bpf engine, and libbpf, clang and bpftool with it.
BPF ?= 1
ifneq ($(BPF),0)
PACKAGES   += libbpf
endif

# SECCOMP=0 leaves out the daemon's filter of system calls, and libseccomp with it. So do sanitizers, which do what
# it refuses.
SECCOMP ?= 1

# SANITIZE=1 builds everything, tests included, with AddressSanitizer and UBSan; COVERAGE=1 for gcov;
# FUZZ=1 (needs clang) for libFuzzer. Each has a folder of its own.
SANITIZE ?= 0
COVERAGE ?= 0
FUZZ     ?= 0
CONFINED := $(if $(filter 0,$(SECCOMP))$(filter 1,$(SANITIZE)),0,1)
ifeq ($(CONFINED),1)
PACKAGES   += libseccomp
endif
BUILD    := build
ifeq ($(KUBERNETES),0)
BUILD    := build-without-kubernetes
endif
ifeq ($(BPF),0)
BUILD    := $(BUILD)-without-bpf
endif
ifeq ($(SECCOMP),0)
BUILD    := $(BUILD)-without-seccomp
endif
ifeq ($(SANITIZE),1)
BUILD    := build-sanitize
endif
ifeq ($(COVERAGE),1)
BUILD    := build-coverage
endif
ifeq ($(FUZZ),1)
BUILD    := build-fuzz
endif

WARNINGS  := -Wall -Wextra -Wstrict-prototypes -Wformat=2 -Wconversion -Wshadow -Wundef \
	-Wmissing-prototypes -Wold-style-definition -Wpointer-arith -Wwrite-strings
HARDENING := -fstack-protector-strong -fstack-clash-protection -fPIE -D_FORTIFY_SOURCE=2
LINKHARD  := -pie -Wl,-z,relro -Wl,-z,now -Wl,-z,noexecstack
ifneq ($(filter x86_64,$(shell uname -m)),)
HARDENING += -fcf-protection
endif
OPTIMIZE  ?= -O2 -g
ifeq ($(SANITIZE),1)
OPTIMIZE  := -O1 -g -fno-omit-frame-pointer
HARDENING := -fPIE
LINKHARD  := -pie
INSTRUMENT := -fsanitize=address,undefined -fno-sanitize-recover=undefined -DSANITIZE=1
endif
ifeq ($(COVERAGE),1)
OPTIMIZE  := -O0 -g
HARDENING := -fPIE
INSTRUMENT := --coverage
endif
ifeq ($(FUZZ),1)
CC        := clang
OPTIMIZE  := -O1 -g -fno-omit-frame-pointer
HARDENING := -fPIE
LINKHARD  := -pie
INSTRUMENT := -fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=undefined
endif

# pkg-config is asked once, and only by what compiles.
PKG_CFLAGS    = $(eval PKG_CFLAGS := $$(shell $(PKG_CONFIG) --cflags $(PACKAGES) $(HEADERS)))$(PKG_CFLAGS)
LIBS          = $(eval LIBS := $$(shell $(PKG_CONFIG) --libs $(PACKAGES)) -ldl)$(LIBS)
CMOCKA_LIBS   = $(eval CMOCKA_LIBS := $$(shell $(PKG_CONFIG) --libs cmocka))$(CMOCKA_LIBS)

ALL_CPPFLAGS  = -Iinclude -D_GNU_SOURCE -DCAPAUDITD_VERSION='"$(VERSION)"' $(if $(filter 0,$(CONFINED)),-DUNCONFINED=1) $(CPPFLAGS)
ALL_CFLAGS    = -std=gnu17 $(OPTIMIZE) $(WARNINGS) $(HARDENING) $(INSTRUMENT) $(PKG_CFLAGS) $(CFLAGS)
ALL_LDFLAGS   = $(LINKHARD) $(INSTRUMENT) -Wl,--as-needed $(LDFLAGS)

# kube_access.c reads files and needs no libcurl. A fuzz target of the API source is named after it.
KUBERNETES_SOURCES := daemon/identify/kubernetes.c daemon/identify/curl_library.c \
	$(filter-out daemon/identify/kube_access.c,$(wildcard daemon/identify/kube_*.c))
# kernel_btf*.c need only the kernel's headers; their unit test compares with libbpf. A test of the
# engine or its fuzz target is named after it.
BPF_SOURCES := $(filter-out daemon/discover/bpf_none.c,$(wildcard daemon/discover/bpf_*.c))
BPF_TESTS   := tests/unit/test_kernel_btf.c $(wildcard tests/unit/test_bpf_*.c tests/fuzz/fuzz_bpf_*.c)
SECCOMP_SOURCES := daemon/command/syscall_filter.c daemon/command/syscall_rules.c
LEFT_OUT := $(if $(filter 0,$(KUBERNETES)),$(KUBERNETES_SOURCES) $(wildcard tests/fuzz/fuzz_kube_*.c), \
		daemon/identify/kubernetes_none.c) \
	$(if $(filter 0,$(BPF)),$(BPF_SOURCES) $(BPF_TESTS),daemon/discover/bpf_none.c) \
	$(if $(filter 0,$(CONFINED)),$(SECCOMP_SOURCES),daemon/command/syscall_filter_none.c)

SOURCES := $(sort $(filter-out $(LEFT_OUT),$(wildcard daemon/*.c daemon/*/*.c)))
OBJECTS := $(SOURCES:%.c=$(BUILD)/%.o)
LIBRARY := $(BUILD)/libcapauditd.a
PROGRAM := $(BUILD)/capauditd
IMAGE   := $(BUILD)/capauditd-image.tar
MAN_PAGES := $(patsubst docs/man/%.scd,$(BUILD)/man/%,$(sort $(wildcard docs/man/*.scd)))

.SUFFIXES:
.SECONDARY:
.DELETE_ON_ERROR:
.DEFAULT_GOAL := all

##@ Build

.PHONY: all
all: $(PROGRAM) $(if $(shell command -v scdoc),$(MAN_PAGES)) ## build/capauditd, and the man pages where scdoc is there

$(PROGRAM): $(BUILD)/daemon/main.o $(LIBRARY)
	$(CC) $(ALL_CFLAGS) $(ALL_LDFLAGS) -o $@ $^ $(LIBS)

$(LIBRARY): $(filter-out $(BUILD)/daemon/main.o,$(OBJECTS))
	@rm -f $@
	$(AR) rcs $@ $^

# Libraries that are opened at run time: what -lNAME stands for on this machine, asked of the linker (libcurl
# need not be libcurl.so.4), with the name of its package and the prefix of its file.
$(BUILD)/%-as-linked.so:
	@mkdir -p $(@D)
	$(CC) -shared -o $@ -Wl,--no-as-needed $(shell $(PKG_CONFIG) --libs $*)

soname = $(shell LC_ALL=C readelf --dynamic $(BUILD)/$(1)-as-linked.so | sed -n 's/.*(NEEDED).*\[\($(1)[^]]*\)\].*/\1/p')
CURL_SONAME       ?= $(call soname,libcurl)
MICROHTTPD_SONAME ?= $(call soname,libmicrohttpd)
comma := ,
$(BUILD)/daemon/identify/curl_library.o: $(BUILD)/libcurl-as-linked.so
$(BUILD)/daemon/identify/curl_library.o: private ALL_CPPFLAGS += -DCURL_SONAMES='"$(CURL_SONAME)"$(patsubst \
	%,$(comma)"%",$(filter-out $(CURL_SONAME),libcurl-gnutls.so.4 libcurl.so.4))'
$(BUILD)/daemon/command/http_library.o: $(BUILD)/libmicrohttpd-as-linked.so
$(BUILD)/daemon/command/http_library.o: private ALL_CPPFLAGS += -DMICROHTTPD_SONAMES='"$(MICROHTTPD_SONAME)"'

$(BUILD)/%.o: %.c
	@mkdir -p $(@D)
	$(CC) $(ALL_CPPFLAGS) $(ALL_CFLAGS) -MMD -MP -c -o $@ $<

# The programs that run in the kernel: each is compiled for the BPF machine, its debugging information
# but not its types thrown away, and made a header that holds its bytes. On every architecture the
# same source, since offsets are the running kernel's business (CO-RE). Their types name source files: with
# the folder of the build they would differ from machine to machine.
BPF_PROGRAMS := $(patsubst daemon/discover/bpf/%.bpf.c,%,$(sort $(wildcard daemon/discover/bpf/*.bpf.c)))
BPF_CLANG    ?= clang
BPFTOOL      ?= $(or $(shell command -v bpftool),/usr/sbin/bpftool)
BPF_CFLAGS   := -std=gnu11 -O2 -g -Wall -Wextra -Wno-unused-parameter -target bpf -mcpu=v3 -fno-stack-protector \
	-fdebug-compilation-dir=.
MULTIARCH    := $(shell $(CC) -print-multiarch 2>/dev/null)
BPF_ALL_CFLAGS = $(BPF_CFLAGS) $(if $(MULTIARCH),-idirafter /usr/include/$(MULTIARCH))
BPF_SKELETONS := $(BPF_PROGRAMS:%=$(BUILD)/bpf/%.skel.h)

$(BUILD)/bpf/%.bpf.o: daemon/discover/bpf/%.bpf.c
	@mkdir -p $(@D)
	$(BPF_CLANG) $(BPF_ALL_CFLAGS) -MMD -MP -c -o $@ $<

$(BUILD)/bpf/%.linked.o: $(BUILD)/bpf/%.bpf.o
	$(BPFTOOL) gen object $@ $<

$(BUILD)/bpf/%.skel.h: $(BUILD)/bpf/%.linked.o
	$(BPFTOOL) gen skeleton $< name $*_bpf >$@

ifneq ($(BPF),0)
$(BUILD)/daemon/discover/bpf_%.o: ALL_CPPFLAGS += -isystem $(BUILD)/bpf
# Headers of system folders are not noted as what an object is made of: these are named.
$(patsubst %.c,$(BUILD)/%.o,$(BPF_SOURCES)): $(BPF_SKELETONS)
-include $(BPF_PROGRAMS:%=$(BUILD)/bpf/%.bpf.d)
endif

.PHONY: man
man: $(MAN_PAGES) ## man pages (scdoc)

$(BUILD)/man/%: docs/man/%.scd
	@mkdir -p $(@D)
	scdoc <$< >$@

.PHONY: deps
deps: ## installs what building and testing need and is missing (apt or dnf)
	tests/tools/deps all

.PHONY: clean
clean: ## removes what was built
	rm -rf build build-*

##@ Test

# Unit tests: every tests/unit/test_NAME.c is a program of its own, linked with the library and
# tests/support. A line "// wrap: FUNCTION..." in it names functions that the linker replaces by
# __wrap_FUNCTION. System and service tests are the same, with their folders' other files.
UNIT_TESTS    := $(patsubst %.c,$(BUILD)/%,$(sort $(filter-out $(LEFT_OUT),$(wildcard tests/unit/test_*.c))))
API_TESTS     := $(patsubst %.c,$(BUILD)/%,$(sort $(wildcard tests/system/test_api*.c)))
SYSTEM_TESTS  := $(filter-out $(if $(filter 0,$(KUBERNETES)),$(API_TESTS)),$(patsubst %.c,$(BUILD)/%,$(sort $(wildcard tests/system/test_*.c))))
SERVICE_TESTS := $(patsubst %.c,$(BUILD)/%,$(sort $(wildcard tests/service/test_*.c)))
SCRIPT_TESTS  := $(sort $(wildcard tests/service/test_*.sh tests/manifests/test_*.sh tests/documents/test_*.sh))
SUPPORT        := $(patsubst %.c,$(BUILD)/%.o,$(sort $(wildcard tests/support/*.c)))
SYSTEM_SUPPORT := $(patsubst %.c,$(BUILD)/%.o,$(sort $(wildcard tests/system/sys_*.c)))
wraps          = $(foreach f,$(shell sed -n 's,^// wrap: ,,p' $(1)),-Wl,--wrap=$(f))
link_test      = $(CC) $(ALL_CFLAGS) $(ALL_LDFLAGS) $(call wraps,$(@:$(BUILD)/%=%.c)) -o $@ $^ $(LIBS) $(CMOCKA_LIBS)

$(BUILD)/tests/unit/test_%: $(BUILD)/tests/unit/test_%.o $(SUPPORT) $(LIBRARY)
	$(link_test)

$(BUILD)/tests/system/test_%: $(BUILD)/tests/system/test_%.o $(SYSTEM_SUPPORT) $(LIBRARY)
	$(link_test)

$(BUILD)/tests/service/test_%: $(BUILD)/tests/service/test_%.o $(SYSTEM_SUPPORT) $(LIBRARY)
	$(link_test)

# The Kubernetes API source: tests/kubernetes/kube_*.c (an API server on loopback, with libmicrohttpd)
# are shared by its tests, and a program of their own for the tests of commands. A test may call
# libcurl by itself.
ifneq ($(KUBERNETES),0)
KUBERNETES_TESTS   := $(patsubst %.c,$(BUILD)/%,$(sort $(wildcard tests/kubernetes/test_*.c)))
API_BENCH          := $(BUILD)/tests/bench/api
endif
KUBERNETES_SUPPORT := $(patsubst %.c,$(BUILD)/%.o,$(sort $(wildcard tests/kubernetes/kube_*.c)))
API_SERVER         := $(patsubst %.c,$(BUILD)/%,$(wildcard tests/kubernetes/api_server.c))
MICROHTTPD_LIBS     = $(eval MICROHTTPD_LIBS := $$(shell $(PKG_CONFIG) --libs libmicrohttpd gnutls libcurl))$(MICROHTTPD_LIBS)

$(BUILD)/tests/kubernetes/test_%: $(BUILD)/tests/kubernetes/test_%.o $(KUBERNETES_SUPPORT) $(SUPPORT) $(LIBRARY)
	$(link_test) $(MICROHTTPD_LIBS)

# The commands beside an API server.
$(API_TESTS): %: %.o $(BUILD)/tests/system/api_fixture.o $(SYSTEM_SUPPORT) $(filter-out %/kube_fixture.o,$(KUBERNETES_SUPPORT)) $(LIBRARY)
	$(link_test) $(MICROHTTPD_LIBS)

$(BUILD)/tests/kubernetes/api_server: $(BUILD)/tests/kubernetes/api_server.o $(KUBERNETES_SUPPORT) $(LIBRARY)
	$(link_test) $(MICROHTTPD_LIBS)

# The soak: a test program like the others, in parts, and the programs that are its load.
SOAK_TESTS := $(patsubst %.c,$(BUILD)/%,$(sort $(wildcard tests/soak/test_*.c)))
SOAK_PARTS := $(patsubst %.c,$(BUILD)/%.o,$(sort $(wildcard tests/soak/soak_*.c)))
SOAK_LOAD  := $(addprefix $(BUILD)/tests/soak/,crowd forks)

$(BUILD)/tests/soak/test_%: $(BUILD)/tests/soak/test_%.o $(SOAK_PARTS) $(SYSTEM_SUPPORT) $(LIBRARY) | $(SOAK_LOAD)
	$(link_test)

# There are thousands of them: without libraries, and without sanitizers, they are small.
load = $(CC) $(ALL_CPPFLAGS) -std=gnu17 -O2 $(WARNINGS) $(CFLAGS) -static -o $@ $(filter %.c,$^)

$(BUILD)/tests/soak/crowd: tests/bench/crowd.c tests/bench/crowd.h
	@mkdir -p $(@D)
	$(load)

$(BUILD)/tests/soak/forks: tests/soak/forks.c tests/bench/container.c tests/soak/forks.h tests/bench/container.h
	@mkdir -p $(@D)
	$(load)

# Fuzz targets: with libFuzzer (make fuzz), or with a small main that replays their corpora.
FUZZ_NAMES  := $(patsubst tests/fuzz/fuzz_%.c,%,$(sort $(filter-out $(LEFT_OUT),$(wildcard tests/fuzz/fuzz_*.c))))
REPLAYS     := $(FUZZ_NAMES:%=$(BUILD)/tests/fuzz/replay_%)

$(BUILD)/tests/fuzz/replay_%: $(BUILD)/tests/fuzz/fuzz_%.o $(BUILD)/tests/fuzz/replay_main.o $(LIBRARY)
	$(CC) $(ALL_CFLAGS) $(ALL_LDFLAGS) -o $@ $^ $(LIBS)

# What each run of the tests consists of. Instrumented objects of core call what the instrumentation
# likes: only plain ones are looked at for purity.
CORE_OBJECTS := $(if $(filter 0,$(SANITIZE)),$(if $(filter 0,$(COVERAGE)),$(filter $(BUILD)/daemon/core/%,$(OBJECTS))))
# Unit tests and replays know nothing of one another: as many at a time as there are processors. CHECK_JOBS=1 runs
# one after the other.
CHECK_JOBS ?= $(shell nproc)
SOURCE_CHECKS = tests/tools/check-headers 'tests/tools/check-layers $(CORE_OBJECTS)' tests/tools/check-security-doc
QUICK_RUN  = --jobs $(CHECK_JOBS) $(if $(filter 0,$(SANITIZE)),$(SOURCE_CHECKS)) $(UNIT_TESTS) \
	$(foreach f,$(FUZZ_NAMES),'$(BUILD)/tests/fuzz/replay_$(f) tests/fuzz/corpus/$(f)')

# System and service tests mostly wait, and each has names of its own for all that it makes: SYSTEM_JOBS=2 runs two at a
# time. Alone run those that compare or measure what is on the whole machine.
SYSTEM_JOBS ?= 1
ALONE      := $(addprefix $(BUILD)/tests/system/test_,engines events) $(SOAK_TESTS)
SYSTEM_RUN  = --jobs $(SYSTEM_JOBS) $(filter-out $(NOT_SANITIZED),$(SCRIPT_TESTS)) \
	$(KUBERNETES_TESTS) $(filter-out $(ALONE),$(SYSTEM_TESTS) $(SERVICE_TESTS)) --jobs 1 $(ALONE)

# What sanitizers have nothing to see in.
NOT_SANITIZED := $(if $(filter 1,$(SANITIZE)),tests/manifests/test_manifests.sh tests/service/test_image_build.sh \
	tests/service/test_prometheus.sh tests/documents/test_operations.sh)
define left_out
Left out with sanitizers, since make check without them has it and the program does nothing in it that it does not elsewhere:
  tests/tools/check-headers, check-layers, check-security-doc (they look at the source)
  tests/manifests/test_manifests.sh (the manifests; what they make the program do: test_policy, test_api)
  tests/service/test_image_build.sh (how the image is built; the sanitized one is run by test_image)
  tests/service/test_prometheus.sh (rules and dashboard; what is served: test_serve)
  tests/documents/test_operations.sh (the guide beside the program's words)
  test_undelivered.sh stops journald for five seconds, and not for a minute
  test_soak is 20 s long for each engine (memory is not measured: a sanitizer keeps what was freed)
endef
export left_out
RUN_TESTS  = CAPAUDITD='$(abspath $(PROGRAM))' CAPAUDITD_IMAGE='$(abspath $(IMAGE))' SANITIZE=$(SANITIZE) \
	$(if $(filter 1,$(SANITIZE)),SOAK_SECONDS=20) tests/tools/run-tests --results $(BUILD)/test-results --logs $(BUILD)/test-logs

# Leaks are errors; a sanitizer's report must be seen by the test that started the program.
export ASAN_OPTIONS  ?= detect_leaks=1:abort_on_error=0:exitcode=99:detect_stack_use_after_return=1
export UBSAN_OPTIONS ?= print_stacktrace=1:halt_on_error=1

.PHONY: quickcheck
quickcheck: $(PROGRAM) $(UNIT_TESTS) $(REPLAYS) ## unit tests, headers, layers, fuzz corpora: seconds, no root
	@$(RUN_TESTS) $(QUICK_RUN)

.PHONY: check check-all
check: ## everything: quickcheck, real containers, journald, systemd (root); SANITIZE=1 with sanitizers
	@tests/tools/deps build man check
	@$(MAKE) --no-print-directory check-all

ifeq ($(shell id -u),0)
check-all: $(PROGRAM) $(IMAGE) man $(UNIT_TESTS) $(REPLAYS) $(KUBERNETES_TESTS) $(API_SERVER) $(SYSTEM_TESTS) $(SERVICE_TESTS) $(SOAK_TESTS)
	@$(if $(filter 1,$(SANITIZE)),printf '%s\n' "$$left_out",:)
	@$(RUN_TESTS) $(QUICK_RUN) $(SYSTEM_RUN)
else
check-all: quickcheck
	@echo "Not run: tests/system and tests/service. They start real containers, a journald and a systemd" >&2
	@echo "of their own, which takes root. make check is complete only as root: sudo make check" >&2
	@false
endif

# The soak at full length; a minute of a smaller one is among the tests. Where this machine cannot hold it, it fails.
# SOAK_ENGINE=bpf: that engine alone; tests/soak/soak.h has the other variables.
SOAK_SECONDS    ?= 600
SOAK_PROCESSES  ?= 30000
SOAK_CONTAINERS ?= 2000
SOAK_FORKERS    ?= 100
soak_settings    = SOAK_REQUIRED=1 SOAK_SECONDS=$(SOAK_SECONDS) SOAK_PROCESSES=$(SOAK_PROCESSES) \
	SOAK_CONTAINERS=$(SOAK_CONTAINERS) SOAK_FORKERS=$(SOAK_FORKERS)

.PHONY: soak soak-run
soak: ## ten minutes for each engine: 30,000 processes, 2,000 containers, 1,000 forks a second (root)
	@tests/tools/deps build check
	@$(MAKE) --no-print-directory soak-run

soak-run: $(PROGRAM) $(SOAK_TESTS)
	@$(soak_settings) V=1 TEST_TIMEOUT=$$((3 * ($(SOAK_SECONDS) + 600))) CAPAUDITD='$(abspath $(PROGRAM))' \
		SANITIZE=$(SANITIZE) tests/tools/run-tests --results $(BUILD)/soak-results --logs $(BUILD)/soak-logs $(SOAK_TESTS)

# Other kernels, in QEMU: the guests' programs are static. KERNELS="6.1 newest" boots only these, ENGINES="procfs"
# looks with that engine alone.
GUEST_PROGRAMS := $(addprefix $(BUILD)/tests/kernels/,contain inside i386)

$(BUILD)/tests/kernels/%: tests/kernels/%.c
	@mkdir -p $(@D)
	$(CC) $(ALL_CPPFLAGS) -std=gnu17 -O2 $(WARNINGS) $(CFLAGS) -static -o $@ $<

$(BUILD)/tests/kernels/inside: tests/system/inside/inside.c
	@mkdir -p $(@D)
	$(CC) $(ALL_CPPFLAGS) -std=gnu17 -O2 $(WARNINGS) $(CFLAGS) -static -pthread -o $@ $<

$(BUILD)/tests/kernels/i386: tests/kernels/i386.S
	@mkdir -p $(@D)
	$(CC) -m32 -nostdlib -static -o $@ $<

.PHONY: check-kernels check-kernels-run
check-kernels: ## kernels from 5.10 on, fetched from apt's archive and booted in QEMU: two minutes, no root
	@tests/tools/deps build man kernels
	@$(MAKE) --no-print-directory check-kernels-run

check-kernels-run: $(PROGRAM) $(GUEST_PROGRAMS) man
	@CAPAUDITD='$(abspath $(PROGRAM))' GUEST_PROGRAMS='$(abspath $(BUILD)/tests/kernels)' \
		tests/tools/run-tests --results $(BUILD)/kernels-results --logs $(BUILD)/kernels-logs \
		$(sort $(wildcard tests/kernels/test_*.sh))

.PHONY: check-headers
check-headers: ## every header compiles alone, under gcc and clang
	@tests/tools/run-tests tests/tools/check-headers

.PHONY: check-layers
check-layers: $(CORE_OBJECTS) ## who includes whom; core does no I/O and keeps no state
	@tests/tools/run-tests 'tests/tools/check-layers $(CORE_OBJECTS)'

.PHONY: check-warnings
check-warnings: ## no warning under gcc or clang, tests included
	@set -e; for compiler in gcc clang; do \
		$(MAKE) --no-print-directory CC=$$compiler BUILD=$(BUILD)-werror-$$compiler CFLAGS='$(CFLAGS) -Werror' \
			check-compiles; \
	done

.PHONY: check-compiles
check-compiles: $(PROGRAM) $(UNIT_TESTS) $(REPLAYS) $(KUBERNETES_TESTS) $(API_SERVER) $(API_BENCH) $(SYSTEM_TESTS) $(SERVICE_TESTS) $(SOAK_TESTS) $(filter-out %/i386,$(GUEST_PROGRAMS))

.PHONY: valgrind
valgrind: $(UNIT_TESTS) ## unit tests under valgrind
	@V=$(V) tests/tools/run-tests --results $(BUILD)/valgrind-results --logs $(BUILD)/valgrind-logs \
		--jobs $(CHECK_JOBS) $(UNIT_TESTS:%='tests/tools/under-valgrind %')

# New finds stay outside git, in build-fuzz/corpus; what is worth keeping is copied by hand, with a name.
FUZZ_SECONDS ?= 60
.PHONY: fuzz fuzz-run
fuzz: ## libFuzzer, FUZZ_SECONDS (60) for each target (clang)
	@tests/tools/deps build fuzz
	@$(MAKE) --no-print-directory FUZZ=1 BUILD=$(BUILD)-fuzz fuzz-run

# As many at a time as make runs jobs; each says what it did when it ends.
FUZZ_RUNS := $(FUZZ_NAMES:%=fuzz-run-%)
.PHONY: $(FUZZ_RUNS)
fuzz-run: $(FUZZ_RUNS)

$(FUZZ_RUNS): fuzz-run-%: $(BUILD)/tests/fuzz/fuzz_%
	@mkdir -p $(BUILD)/corpus/$*
	@status=0; $< -max_total_time=$(FUZZ_SECONDS) -timeout=10 -rss_limit_mb=1024 \
		-print_final_stats=1 -verbosity=0 -artifact_prefix=$(BUILD)/$*- \
		$(BUILD)/corpus/$* tests/fuzz/corpus/$* >$(BUILD)/fuzz-$*.log 2>&1 || status=$$?; \
	{ echo "== $*: $(FUZZ_SECONDS) s"; cat $(BUILD)/fuzz-$*.log; }; exit $$status

$(BUILD)/tests/fuzz/fuzz_%: $(BUILD)/tests/fuzz/fuzz_%.o $(LIBRARY)
	$(CC) $(ALL_CFLAGS) $(ALL_LDFLAGS) -fsanitize=fuzzer -o $@ $^ $(LIBS)

.PHONY: coverage coverage-run
coverage: ## line coverage by folder (gcov, gcovr); as root with the system tests
	@tests/tools/deps build check coverage
	@$(MAKE) --no-print-directory COVERAGE=1 BUILD=$(BUILD)-coverage coverage-run

# Daemons are asked to end, since who is killed writes no counts. Who may not write them says so, which some system tests
# take for output of the program: they may fail here, and what counts is what ran. The image's tests run another build.
COVERAGE_SYSTEM = $(if $(filter 0,$(shell id -u)),$(filter-out %image,$(SYSTEM_TESTS)))

coverage-run: $(PROGRAM) $(UNIT_TESTS) $(REPLAYS) $(KUBERNETES_TESTS) $(API_SERVER) $(COVERAGE_SYSTEM)
	@find $(BUILD) -name '*.gcda' -delete
	@-SYS_DAEMONS_END=1 GCOV_ERROR_FILE=/dev/null $(RUN_TESTS) $(UNIT_TESTS) \
		$(foreach f,$(FUZZ_NAMES),'$(BUILD)/tests/fuzz/replay_$(f) tests/fuzz/corpus/$(f)') \
		$(KUBERNETES_TESTS) tests/service/test_command_line.sh $(COVERAGE_SYSTEM)
	@tests/tools/coverage-table $(BUILD)

##@ Show

.PHONY: demo
demo: ## five real containers, audited and explained (root)
	@tests/tools/deps build demo
	@$(MAKE) --no-print-directory $(PROGRAM)
	@CAPAUDITD='$(abspath $(PROGRAM))' tests/demo.sh

# What the Kubernetes API source costs is measured by a program of its own, with the tests' server.
$(BUILD)/tests/bench/api: $(BUILD)/tests/bench/api.o $(BUILD)/tests/bench/api_daemon.o $(BUILD)/tests/bench/api_text.o \
		$(filter-out %/kube_fixture.o,$(KUBERNETES_SUPPORT))
	$(link_test) $(MICROHTTPD_LIBS)

.PHONY: bench
bench: ## 10,000 processes in 200 containers, beside pscap; events; 1,000 containers beside an API server (root)
	@tests/tools/deps build bench
	@$(MAKE) --no-print-directory $(PROGRAM) $(API_BENCH)
	@CAPAUDITD='$(abspath $(PROGRAM))' API_BENCH='$(abspath $(API_BENCH))' tests/bench/bench.sh

##@ Source

C_FILES = $(sort $(wildcard daemon/*.[ch] daemon/*/*.[ch] daemon/discover/bpf/*.[ch] include/capauditd/*.h tests/*/*.[ch]))
SHELL_FILES = $(sort $(shell grep -lsE '^\#!.*[ /](ba)?sh' .ci/run tests/*.sh tests/*/* packaging/*/* 2>/dev/null))

.PHONY: format
format: ## clang-format over everything
	clang-format -i $(C_FILES)

.PHONY: check-format
check-format: ## what clang-format would change
	clang-format --dry-run --Werror $(C_FILES)

.PHONY: lint
lint: ## clang-tidy, cppcheck, shellcheck: no finding is the goal
	@tests/tools/deps build lint
	@$(MAKE) --no-print-directory lint-run

# All files at once, whatever is left out of this build: the skeletons of the BPF programs are needed.
.PHONY: lint-run
lint-run: export LINT_CPPFLAGS = $(ALL_CPPFLAGS) -isystem $(BUILD)/bpf
lint-run: export LINT_BPF_CFLAGS = $(BPF_ALL_CFLAGS)
lint-run: $(BPF_SKELETONS)
	@tests/tools/lint $(filter %.c,$(C_FILES)) -- $(SHELL_FILES)

##@ Install

.PHONY: install
install: $(PROGRAM) man ## into DESTDIR, below prefix; starts and enables nothing
	$(INSTALL) -D -m 755 $(PROGRAM) $(DESTDIR)$(bindir)/capauditd
	@set -e; for page in $(MAN_PAGES); do \
		(set -x; $(INSTALL) -D -m 644 $$page $(DESTDIR)$(mandir)/man$${page##*.}/$${page##*/}); \
	done
	@mkdir -p $(DESTDIR)$(unitdir)
	sed 's,/usr/bin/capauditd,$(bindir)/capauditd,' systemd/capauditd.service \
		>$(DESTDIR)$(unitdir)/capauditd.service
	@chmod 644 $(DESTDIR)$(unitdir)/capauditd.service
	$(INSTALL) -D -m 644 systemd/capauditd.socket $(DESTDIR)$(unitdir)/capauditd.socket
	$(INSTALL) -D -m 644 systemd/capauditd.catalog $(DESTDIR)$(catalogdir)/capauditd.catalog
	$(INSTALL) -D -m 644 packaging/bash-completion/capauditd $(DESTDIR)$(completiondir)/capauditd
	$(INSTALL) -D -m 644 -t $(DESTDIR)$(docdir) README.md LICENSE $(wildcard config/*.yaml)
	$(INSTALL) -D -m 644 -t $(DESTDIR)$(docdir)/prometheus config/prometheus/capauditd.rules.yaml
	$(INSTALL) -D -m 644 -t $(DESTDIR)$(docdir)/grafana $(wildcard config/grafana/*.json)

.PHONY: uninstall
uninstall: ## removes what install wrote (not your policy)
	rm -f $(DESTDIR)$(bindir)/capauditd $(DESTDIR)$(unitdir)/capauditd.service $(DESTDIR)$(unitdir)/capauditd.socket \
		$(DESTDIR)$(catalogdir)/capauditd.catalog $(DESTDIR)$(completiondir)/capauditd
	@set -e; for page in $(MAN_PAGES); do \
		(set -x; rm -f $(DESTDIR)$(mandir)/man$${page##*.}/$${page##*/}); \
	done
	rm -rf $(DESTDIR)$(docdir)

##@ Packages

.PHONY: image
image: $(IMAGE) ## build/capauditd-image.tar: an OCI image of the program and its libraries; V=1 lists it

$(IMAGE): $(PROGRAM) packaging/image/build
	packaging/image/build --program $(PROGRAM) --version $(VERSION) --output $@ $(if $(filter 1,$(V)),--verbose)

.PHONY: dist
dist: ## capauditd-VERSION.tar.xz of what is committed; the same bytes each time
	git archive --format=tar --prefix=capauditd-$(VERSION)/ --output=capauditd-$(VERSION).tar HEAD
	xz -9e --threads=1 --force capauditd-$(VERSION).tar

# Packages, of the files that git knows. What their builds need is not a make's own: variables given to this one
# do not reach them. RPM_OPTIONS: rpmbuild's (--nocheck); DEB_BUILD_OPTIONS=nocheck is the other's.
PACKAGED := $(BUILD)/packages
RPM_OPTIONS ?=

.PHONY: deb
deb: ## Debian packages in build/packages (dpkg-buildpackage)
	@tests/tools/deps build man packages
	packaging/tools/build-deb --output $(PACKAGED)

.PHONY: rpm
rpm: ## RPM packages in build/packages (rpmbuild)
	@tests/tools/deps build man packages
	packaging/tools/build-rpm --output $(PACKAGED) $(RPM_OPTIONS)

.PHONY: sbom
sbom: $(PROGRAM) ## build/capauditd.spdx.json: what the program is made of, with versions (SPDX; Debian)
	packaging/tools/sbom --program $(PROGRAM) --version $(VERSION) --output $(BUILD)/capauditd.spdx.json

# The packages' own builds run the unit tests; one of them is enough here.
.PHONY: check-packages check-packages-run
check-packages: ## builds both kinds twice, reads them, lives through a Debian package's life (root)
	@tests/tools/deps build man packages
	@$(MAKE) --no-print-directory check-packages-run RPM_OPTIONS=--nocheck

check-packages-run: $(if $(shell command -v dpkg-buildpackage),deb sbom) rpm $(PROGRAM)
	@CAPAUDITD='$(abspath $(PROGRAM))' CAPAUDITD_PACKAGES='$(abspath $(PACKAGED))' \
		tests/tools/run-tests --results $(BUILD)/packages-results --logs $(BUILD)/packages-logs \
		$(sort $(wildcard tests/packages/test_*.sh))

.PHONY: help
help: ## this list
	@awk 'BEGIN { FS = ":.*## " } /^##@ / { printf "\n%s\n", substr($$0, 5) } \
		/^[a-z-]+:.*## / { printf "  %-16s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))

-include $(OBJECTS:.o=.d) $(wildcard $(BUILD)/tests/*/*.d)
