# Tapir: a userspace TCP/IP stack on a Linux TAP device.
#
#   make            build/tapir, build/libtapir.a, build/libtapir.so,
#                   build/libtapir-packetdrill.so
#   make demo       the main job, in front of your eyes
#   make test       unit, simulation and live tests (make test-long: the full products);
#                   make test T="test_ring drill" runs those alone (drill: all scripts)
#   make diff       scenarios on our stack and on the kernel's, compared; DIFF="lost-*"
#   make fuzz       each fuzzer for FUZZ_SECONDS (60); FUZZ="wire http" for some
#   make mutants    our TCP broken in fifty ways, and which tests notice; M=name for one
#   make lint       format, floors, globals, purity, sizes, names, static analysis
#   make bench      figures beside the kernel's TCP, nginx and the TAP's limit, in under
#                   six minutes; BENCH="rtt memory" for some, RUNS=7, BENCH_JSON=FILE
#   make rfc        each requirement of the RFCs with its code, tests and status;
#                   RFC="9293 7323" for some
#   make install    PREFIX= DESTDIR=
#
# CC, CFLAGS, LDFLAGS and SANITIZE=address,undefined (or thread) are honoured. GCC makes
# the program with -O3 and optimizes while it links, for 10 % more requests; LTO= builds
# and links quicker. A sanitized build has a directory of its own,
# build/address-undefined; another compiler or other flags in the same directory rebuild
# what they touch.

CC       ?= cc
CFLAGS   ?= -O2 -g
PREFIX   ?= /usr/local
SANITIZE ?=
TEST_CFLAGS ?= -O1 -g
T           ?=
V           ?=

# V=1 shows the commands whole.
ifeq ($(V),)
say  = @printf '  %-6s %s\n' $(1) $(2);
else
say :=
endif

# One job a processor, unless this is a part of another make.
ifeq ($(MAKELEVEL),0)
MAKEFLAGS += -j$(shell nproc 2>/dev/null || echo 2)
endif
MAKEFLAGS += --no-print-directory

comma := ,
ifeq ($(SANITIZE),)
B   := build
SAN :=
else
B   := build/$(subst $(comma),-,$(SANITIZE))
SAN := -fsanitize=$(SANITIZE) -fno-sanitize-recover=all -fno-omit-frame-pointer
endif

# Both kinds of object: the archive serves who links without it, as all but the program
# itself do here. Clang's would need another archiver.
ifeq ($(SANITIZE)$(origin LTO),undefined)
LTO := $(if $(shell echo | $(CC) -dM -E - | grep __clang__),,-O3 -flto=auto -ffat-lto-objects)
endif

WARN := -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wstrict-prototypes \
        -Wmissing-prototypes -Werror
# Objects serve both libraries, hence PIC; only what the public headers declare is
# exported. Asserts stay on in every build: they are cheap, and a wrong stack is not.
STD  := -std=c11 -D_GNU_SOURCE -Isrc -Iinclude -fPIC -fvisibility=hidden \
        -fno-semantic-interposition -pthread
COMPILE = $(CC) $(STD) $(WARN) $(CFLAGS) $(CPPFLAGS) $(SAN)
LINK    = $(CC) $(CFLAGS) $(INLINED) $(SAN) $(LDFLAGS) -pthread

LIB_SRC  := $(sort $(wildcard src/*/*.c))
TOOL_SRC := $(sort $(wildcard tools/*.c))
DRILL_SRC := $(sort $(wildcard tools/drill/*.c))
LAB_SRC  := $(sort $(wildcard tools/lab/*.c))
HARNESS  := $(sort $(wildcard tests/harness/*.c))
TEST_SRC := $(sort $(wildcard tests/unit/test_*.c tests/sim/test_*.c tests/http/test_*.c \
                              tests/bench/test_*.c tests/drill_unit/test_*.c \
                              tests/packetdrill/test_*.c tests/lab/test_*.c))
EXAMPLES := $(sort $(wildcard tools/examples/*.c))
# Of the bench: the programs, and the parts that they and their tests share.
BENCH_MAIN := load limit table
BENCH_SRC  := $(sort $(wildcard tools/bench/*.c))
BENCH_PART := $(filter-out $(BENCH_MAIN:%=tools/bench/%.c),$(BENCH_SRC))
# Of the fuzzers: the programs, and the harnesses that both run.
FUZZ_MAIN := libfuzzer replay
FUZZ_SRC  := $(sort $(wildcard tests/fuzz/*.c))
FUZZ_PART := $(filter-out $(FUZZ_MAIN:%=tests/fuzz/%.c),$(FUZZ_SRC))
# The object behind packetdrill's --so_filename.
SO_SRC := $(sort $(wildcard tools/packetdrill/*.c))
SO_OBJ := $(SO_SRC:%.c=$(B)/%.o)
# One end of a scenario that is played on two stacks.
PLAY := tests/diff/play
# The tests that have threads in them also run under ThreadSanitizer.
TSAN_SRC := $(sort $(wildcard tests/unit/test_bsd*.c tests/unit/test_sim*.c \
                              tests/unit/test_loop*.c tests/unit/test_raw*.c \
                              tests/sim/test_sim*.c tests/packetdrill/test_*.c \
                              tests/drill_unit/test_drill_run.c))

LIB_OBJ     := $(LIB_SRC:%.c=$(B)/%.o)
TOOL_OBJ    := $(TOOL_SRC:%.c=$(B)/%.o)
DRILL_OBJ   := $(DRILL_SRC:%.c=$(B)/%.o)
LAB_OBJ     := $(LAB_SRC:%.c=$(B)/%.o)
HARNESS_OBJ := $(HARNESS:%.c=$(B)/%.o)
TEST_BIN    := $(TEST_SRC:%.c=$(B)/%)
EXAMPLE_BIN := $(EXAMPLES:tools/%.c=$(B)/%)
BENCH_OBJ   := $(BENCH_SRC:%.c=$(B)/%.o)
BENCH_BIN   := $(BENCH_MAIN:%=$(B)/bench/%)
FUZZ_OBJ    := $(FUZZ_SRC:%.c=$(B)/%.o)
FUZZ_BIN    := $(FUZZ_MAIN:%=$(B)/tests/fuzz/%)

.PHONY: all examples bench bench-programs demo diff diff-play test test-long tests \
        tsan-tests fuzz mutants lint rfc format install clean FORCE
.SECONDARY:
all: $(B)/tapir $(B)/libtapir.a $(B)/libtapir.so $(B)/libtapir-packetdrill.so
	@:

# --- objects -----------------------------------------------------------------------------

# Holds the command line: when that changes, what it built is built again. So does a
# change of the list of files, for the libraries and the program.
$(B)/flags: FORCE
	@mkdir -p $(@D)
	@echo '$(COMPILE) | $(LINK) | $(LTO)' | cmp -s - $@ || \
	    echo '$(COMPILE) | $(LINK) | $(LTO)' >$@

$(B)/files: FORCE
	@mkdir -p $(@D)
	@echo '$(LIB_SRC) $(TOOL_SRC) $(DRILL_SRC) $(LAB_SRC) $(HARNESS) $(BENCH_SRC) $(FUZZ_SRC) $(SO_SRC)' | cmp -s - $@ || \
	    echo '$(LIB_SRC) $(TOOL_SRC) $(DRILL_SRC) $(LAB_SRC) $(HARNESS) $(BENCH_SRC) $(FUZZ_SRC) $(SO_SRC)' >$@

INLINED = -fno-lto
$(B)/src/%.o $(TOOL_OBJ) $(B)/tapir: private INLINED = $(LTO)
$(B)/%.o: %.c $(B)/flags
	@mkdir -p $(@D)
	$(call say,CC,$@)$(COMPILE) $(INLINED) -MMD -MP -c -o $@ $<

# Tests see the harness, and cmocka's tests take an argument they need not use.
$(B)/tests/%.o: tests/%.c $(B)/flags
	@mkdir -p $(@D)
	$(call say,CC,$@)$(COMPILE) -Itests -Wno-unused-parameter -MMD -MP -c -o $@ $<

-include $(LIB_OBJ:.o=.d) $(TOOL_OBJ:.o=.d) $(DRILL_OBJ:.o=.d) $(LAB_OBJ:.o=.d) $(HARNESS_OBJ:.o=.d) \
         $(TEST_BIN:=.d) $(EXAMPLE_BIN:$(B)/%=$(B)/tools/%.d) $(BENCH_OBJ:.o=.d) $(FUZZ_OBJ:.o=.d) \
         $(SO_OBJ:.o=.d) $(B)/$(PLAY).d

# --- libraries and programs --------------------------------------------------------------

$(B)/libtapir.a: $(LIB_OBJ) $(B)/files
	@rm -f $@
	$(call say,AR,$@)$(AR) rcs $@ $(LIB_OBJ)

$(B)/libtapir.so: $(LIB_OBJ) $(B)/files
	$(call say,LINK,$@)$(LINK) -shared -Wl,-soname,libtapir.so $(if $(SAN),,-Wl,-z$(comma)defs) -o $@ $(LIB_OBJ)

# packetdrill's language: a part of the program, and what its tests look into.
$(B)/drill.a: $(DRILL_OBJ) $(B)/files
	@rm -f $@
	$(call say,AR,$@)$(AR) rcs $@ $(DRILL_OBJ)

# The lab of connection management, likewise.
$(B)/lab.a: $(LAB_OBJ) $(B)/files
	@rm -f $@
	$(call say,AR,$@)$(AR) rcs $@ $(LAB_OBJ)

$(B)/tapir: $(TOOL_OBJ) $(B)/drill.a $(B)/lab.a $(B)/libtapir.a
	$(call say,LINK,$@)$(LINK) -o $@ $(TOOL_OBJ) $(B)/drill.a $(B)/lab.a $(B)/libtapir.a

# The library's symbols stay inside: what is loaded with it may have a libtapir, too.
$(B)/libtapir-packetdrill.so: $(SO_OBJ) $(B)/drill.a $(B)/libtapir.a
	$(call say,LINK,$@)$(LINK) -shared -Wl,--exclude-libs,ALL \
	    $(if $(SAN),,-Wl,-z$(comma)defs) -o $@ $(SO_OBJ) $(B)/drill.a $(B)/libtapir.a

examples: $(EXAMPLE_BIN)
	@:
$(B)/examples/%: $(B)/tools/examples/%.o $(B)/libtapir.a
	@mkdir -p $(@D)
	$(call say,LINK,$@)$(LINK) -o $@ $< $(B)/libtapir.a

bench-programs: $(BENCH_BIN)
	@:
$(B)/bench.a: $(BENCH_PART:%.c=$(B)/%.o) $(B)/files
	@rm -f $@
	$(call say,AR,$@)$(AR) rcs $@ $(BENCH_PART:%.c=$(B)/%.o)

$(BENCH_BIN): $(B)/bench/%: $(B)/tools/bench/%.o $(B)/bench.a $(B)/libtapir.a
	@mkdir -p $(@D)
	$(call say,LINK,$@)$(LINK) -o $@ $< $(B)/bench.a $(B)/libtapir.a

# --- tests -------------------------------------------------------------------------------

$(B)/harness.a: $(HARNESS_OBJ) $(B)/files
	@rm -f $@
	$(call say,AR,$@)$(AR) rcs $@ $(HARNESS_OBJ)

# Harness and library use each other: memory runs out in the library where a test says so
# (harness/memory.h). The harness's main loops use cmocka.
WRAP := -Wl,--wrap=malloc,--wrap=calloc,--wrap=realloc \
        -Wl,--wrap=pages_new,--wrap=pages_new_aligned
$(TEST_BIN): $(B)/%: $(B)/%.o $(B)/harness.a $(B)/bench.a $(B)/drill.a $(B)/lab.a $(B)/libtapir.a
	$(call say,LINK,$@)$(LINK) $(WRAP) -o $@ $< -Wl,--start-group \
	    $(B)/harness.a $(B)/bench.a $(B)/drill.a $(B)/lab.a $(B)/libtapir.a -Wl,--end-group -lcmocka

# Loaded by its test.
$(B)/tests/packetdrill/test_interface: | $(B)/libtapir-packetdrill.so

# Scripts of tests/drill, as one program: T=drill.
DRILL  = $(if $(T),$(filter drill,$(T)),drill)
WANTED = $(if $(T),$(filter $(foreach t,$(T),%/$(t)),$(1)),$(1))
tests: $(call WANTED,$(TEST_BIN)) $(if $(DRILL),$(B)/tapir)
	@:
tsan-tests: $(call WANTED,$(TSAN_SRC:%.c=$(B)/%))
	@:

# The fuzzers' corpora are tests, too: replay runs them. The other program needs clang's
# libFuzzer, or AFL++'s compiler with its driver for the same face.
$(B)/fuzz.a: $(FUZZ_PART:%.c=$(B)/%.o) $(B)/files
	@rm -f $@
	$(call say,AR,$@)$(AR) rcs $@ $(FUZZ_PART:%.c=$(B)/%.o)

$(B)/tests/fuzz/libfuzzer: LDFLAGS += -fsanitize=fuzzer
$(FUZZ_BIN): $(B)/%: $(B)/%.o $(B)/fuzz.a $(B)/drill.a $(B)/libtapir.a
	$(call say,LINK,$@)$(LINK) -o $@ $< $(B)/fuzz.a $(B)/drill.a $(B)/libtapir.a

diff-play: $(B)/$(PLAY)
	@:
$(B)/$(PLAY): $(B)/$(PLAY).o $(B)/libtapir.a
	$(call say,LINK,$@)$(LINK) -o $@ $< $(B)/libtapir.a

ASAN := build/address-undefined
TSAN := build/thread
LIVE := $(addprefix tests/live/,program.sh repeat.sh examples.sh wire.sh pmtu.sh gateways.sh \
                              names.sh http.sh peers.sh ip6.sh http_client.sh bench.sh diff.sh run.sh)
test:
	@$(MAKE) SANITIZE= B=build all examples bench-programs diff-play
	@$(MAKE) SANITIZE=address,undefined B=$(ASAN) CFLAGS='$(TEST_CFLAGS)' tests \
	    $(call WANTED,$(ASAN)/tests/fuzz/replay)
	@$(MAKE) SANITIZE=thread B=$(TSAN) CFLAGS='$(TEST_CFLAGS)' tsan-tests
	@tools/dev/run-tests $(call WANTED,$(TEST_SRC:%.c=$(ASAN)/%)) \
	    $(call WANTED,$(ASAN)/tests/fuzz/replay) \
	    $(call WANTED,$(TSAN_SRC:%.c=$(TSAN)/%)) $(DRILL:%=tests/%/run.sh) \
	    $(if $(T),,$(LIVE))

test-long: export TAPIR_LONG = 1
test-long: test

# --- beside the kernel -------------------------------------------------------------------

# The same calls and faults on our stack and on the kernel's: what differs is declared.
diff: $(B)/tapir diff-play
	@BUILD=$(B) tests/diff/run.py $(DIFF)

# --- fuzzing -----------------------------------------------------------------------------

fuzz:
	+@tools/dev/fuzz

# Our TCP broken on purpose in fifty ways: which tests notice? M="NAME..." for some.
mutants:
	+@M='$(M)' tools/dev/mutants

# --- demo, bench, lint, install ----------------------------------------------------------

demo: $(B)/tapir
	@tools/demo.sh $(B)/tapir

bench: $(B)/tapir bench-programs
	@TAPIR=$(B)/tapir BENCH_TOOLS=$(B)/bench BENCH='$(BENCH)' \
	    tools/bench/bench.sh

lint:
	+@tools/dev/lint

rfc:
	@tools/dev/rfc-index $(RFC)

format:
	@clang-format -i $(LIB_SRC) $(TOOL_SRC) $(HARNESS) $(TEST_SRC) $(EXAMPLES) $(BENCH_SRC) \
	    $(DRILL_SRC) $(LAB_SRC) $(FUZZ_SRC) $(SO_SRC) $(PLAY).c $(wildcard src/*/*.h include/tapir/*.h tools/*.h tools/*/*.h tests/*/*.h)

DEST = $(DESTDIR)$(PREFIX)
install: all
	install -d $(DEST)/bin $(DEST)/lib/pkgconfig $(DEST)/include/tapir \
	    $(DEST)/share/man/man1 $(DEST)/share/bash-completion/completions \
	    $(DEST)/share/tapir/site
	install -m 755 $(B)/tapir $(DEST)/bin/tapir
	install -m 644 $(B)/libtapir.a $(DEST)/lib/libtapir.a
	install -m 755 $(B)/libtapir.so $(B)/libtapir-packetdrill.so $(DEST)/lib/
	install -m 644 include/tapir/*.h $(DEST)/include/tapir/
	install -m 644 tools/site/* $(DEST)/share/tapir/site/
	for lab in tools/labs/*; do \
	    install -D -m 644 $$lab/sheet $(DEST)/share/tapir/labs/$${lab##*/}/sheet || exit 1; done
	install -m 644 tools/man/tapir.1 $(DEST)/share/man/man1/tapir.1
	install -m 644 tools/tapir.bash $(DEST)/share/bash-completion/completions/tapir
	sed 's|@PREFIX@|$(PREFIX)|' tools/tapir.pc >$(DEST)/lib/pkgconfig/tapir.pc

clean:
	rm -rf build
