# tests/ -> solo-tests, one program with every CUnit suite. It sees private symbols, so it links the objects themselves.
#
# While a part is half written, build and test another on its own:
#   make BUILD=/tmp/mine TEST_SUITES=tests/test_clock.c REACTOR_SOURCES='reactor/a.c reactor/b.c' \
#       LDFLAGS=-Wl,--unresolved-symbols=ignore-all /tmp/mine/bin/solo-tests

TEST_SUITES  := $(wildcard tests/test_*.c)
TEST_SOURCES := $(TEST_SUITES) $(wildcard tests/runner*.c tests/support*.c tests/chat/*.c) $(addprefix tests/,reduction.c estimate.c class_size.c recorder.c)
TEST_OBJECTS := $(call object,$(TEST_SOURCES)) $(BUILD)/obj/generated/suites.o
# The command's own parts are tested too, all but the file with its main.
TESTED_COMMAND = $(call object,$(filter-out $(shell grep -ls '^int main' $(COMMAND_SOURCES) /dev/null),$(COMMAND_SOURCES)))
TESTED_OBJECTS = $(REACTOR_OBJECTS) $(HARNESS_OBJECTS) $(TESTED_COMMAND)
# No prototype for suite_<x>: the generated list has its own.
$(TEST_OBJECTS): PART_CFLAGS = -DSOLO_NO_STATIC_CONTRACTS -Wno-missing-prototypes -iquote reactor -iquote harness -iquote sanitizer $(HARNESS_CFLAGS) \
    $(if $(ENGINE_WATCHED),-DSOLO_ENGINE_WATCHED)
$(TEST_OBJECTS): | $(CONTRACTS)

# Their virtual threads share plain memory on purpose: what they test is the order, which a race detector cannot know.
RACY_TESTS := tests/test_sim.c tests/test_sampling.c tests/test_dpor.c tests/test_dependence.c tests/test_shards.c tests/test_class_size.c tests/test_estimate.c
$(call object,$(RACY_TESTS)): PART_TOOL := none $(TOOL_NEVER_INSTRUMENTED)

# Every tests/test_<x>.c has a suite_<x>: the list is made from the file names.
$(BUILD)/generated/suites.c: $(BUILD)/generated/suites.list
	@sed 's/.*/void suite_&(void);/' $< > $@; printf 'void runner_add_suites(void);\nvoid runner_add_suites(void)\n{\n' >> $@; \
	sed 's/.*/    suite_&();/' $< >> $@; echo '}' >> $@
$(BUILD)/generated/suites.list: force
	@mkdir -p $(@D); printf '%s\n' $(sort $(TEST_SUITES:tests/test_%.c=%)) | cmp -s - $@ || \
	    printf '%s\n' $(sort $(TEST_SUITES:tests/test_%.c=%)) > $@

$(BUILD)/bin/solo-tests: $(TEST_OBJECTS) $(TESTED_OBJECTS) $(EXTRAS_OBJECTS) $(HOOK) | $(BACKTRACE)
	$(call say,LINK)mkdir -p $(@D) && $(CC) $(TOOL) -pthread -rdynamic -o $@ $^ $(HARNESS_LIBS) $(EXTRAS_LIBS) -lcunit -lm $(LDFLAGS)
ALL += $(BUILD)/bin/solo-tests

# Ordinary programs that the tests explore: tests/programs/<name>.c -> tests/programs/<name> in the build folder.
PROGRAMS := $(patsubst %.c,$(BUILD)/%,$(wildcard tests/programs/*.c))
$(PROGRAMS): $(BUILD)/%: $(BUILD)/obj/%.o $(BUILD)/lib/libsolo.so $(BUILD)/lib/libsolo-http.so $(HOOK)
	$(call say,LINK)mkdir -p $(@D) && $(CC) $(TOOL) -pthread -Wl,--as-needed -Wl,-rpath,'$$ORIGIN/../../lib' -o $@ $< $(HOOK) \
	    -L$(BUILD)/lib -lsolo-http -lsolo $(LDFLAGS)
ALL += $(PROGRAMS)

# Programs on blocking libraries of others: tests/apis/<library>.c, left out where the library is not installed.
has_package = $(shell pkg-config --exists $(1) && echo yes)
APIS := getaddrinfo $(if $(call has_package,sqlite3),sqlite) $(if $(call has_package,libcurl),curl)
API_LIBS_sqlite = -lsqlite3
API_LIBS_curl   = -lcurl
API_PROGRAMS := $(APIS:%=$(BUILD)/tests/apis/%)
$(API_PROGRAMS): $(BUILD)/tests/apis/%: $(BUILD)/obj/tests/apis/%.o $(BUILD)/lib/libsolo.so $(HOOK)
	$(call say,LINK)mkdir -p $(@D) && $(CC) $(TOOL) -pthread -Wl,--as-needed -Wl,-rpath,'$$ORIGIN/../../lib' -o $@ $< $(HOOK) \
	    -L$(BUILD)/lib -lsolo $(API_LIBS_$*) $(LDFLAGS)
ALL += $(API_PROGRAMS)

# Programs that know nothing of the kit: tests/plain/<name>.c -> tests/plain/<name> in the build folder.
PLAIN_PROGRAMS := $(patsubst %.c,$(BUILD)/%,$(wildcard tests/plain/*.c))
# In AddressSanitizer's build with it: its kit does not load into other programs.
PLAIN_TOOL := $(if $(filter asan,$(FLAVOUR)),$(TOOL))
$(patsubst %,$(BUILD)/obj/%.o,$(basename $(wildcard tests/plain/*.c))): PART_TOOL := $(or $(PLAIN_TOOL),none)
$(PLAIN_PROGRAMS): $(BUILD)/%: $(BUILD)/obj/%.o
	$(call say,LINK)mkdir -p $(@D) && $(CC) $(PLAIN_TOOL) -pthread -o $@ $< $(LDFLAGS)
# The same with scheduling points at memory accesses, by each compiler that is there; and one in C++.
ACCESS_PROGRAMS := $(foreach program,unlocked spin stack lock_order,$(BUILD)/tests/plain/$(program).gcc $(BUILD)/tests/plain/$(program).clang)
$(ACCESS_PROGRAMS): $(BUILD)/bin/solo $(BUILD)/lib/access/libtsan.a $(BUILD)/lib/access/libtsan_preinit.o
$(filter %.gcc,$(ACCESS_PROGRAMS)): $(BUILD)/%.gcc: %.c
	$(call say,SOLO-CC)mkdir -p $(@D) && $(BUILD)/bin/solo cc --with gcc -O1 -pthread -o $@ $<
$(filter %.clang,$(ACCESS_PROGRAMS)): $(BUILD)/%.clang: %.c
	$(call say,SOLO-CC)mkdir -p $(@D) && if command -v clang >/dev/null; then \
	    $(BUILD)/bin/solo cc --with clang -O1 -pthread -o $@ $<; else touch $@; fi
# And with ThreadSanitizer beside that.
DETECTOR_PROGRAMS := $(foreach program,unlocked lost_wakeup primitives lock_order,$(BUILD)/tests/plain/$(program).tsan)
$(DETECTOR_PROGRAMS): $(BUILD)/%.tsan: %.c $(BUILD)/bin/solo $(BUILD)/lib/access/tsan_points.o $(BUILD)/lib/access/tsan_hook.o
	$(call say,SOLO-CC)mkdir -p $(@D) && if command -v clang >/dev/null; then \
	    $(BUILD)/bin/solo cc --tsan -O1 -pthread -o $@ $<; else touch $@; fi
# Programs in C++.
CXX_OF_gcc   := g++
CXX_OF_clang := clang++
CXX_PROGRAMS := $(patsubst %.cc,$(BUILD)/%,$(wildcard tests/plain/*.cc))
$(CXX_PROGRAMS): $(BUILD)/%: %.cc | deps-test
	$(call say,CXX)mkdir -p $(@D) && if command -v $(CXX_OF_$(CC)) >/dev/null; then \
	    $(CXX_OF_$(CC)) $(PLAIN_TOOL) -std=c++17 -g -O1 -pthread -o $@ $<; else touch $@; fi
DETECTOR_CXX_PROGRAMS := $(BUILD)/tests/plain/statics.tsan
$(DETECTOR_CXX_PROGRAMS): $(BUILD)/%.tsan: %.cc $(BUILD)/bin/solo $(BUILD)/lib/access/tsan_points.o \
    $(BUILD)/lib/access/tsan_hook.o | deps-test
	$(call say,SOLO-CC)mkdir -p $(@D) && if command -v clang++ >/dev/null; then \
	    $(BUILD)/bin/solo cc --tsan -std=c++17 -O1 -pthread -o $@ $<; else touch $@; fi
# Each compiler's sanitizers, in programs for the plain kit: with libsolo and without.
SANITIZED_PROGRAMS := $(foreach program,plain/lost_update plain/leak plain/used programs/mixed programs/dead_memory,$(foreach compiler,gcc clang,$(foreach \
    tool,address thread,$(BUILD)/tests/$(program).$(compiler)-$(tool))))
$(SANITIZED_PROGRAMS): $(BUILD)/lib/libsolo.so | deps-test
	$(call say,SANITIZE)mkdir -p $(@D) && if command -v $(word 1,$(SANITIZED_BY)) >/dev/null; then \
	    $(word 1,$(SANITIZED_BY)) -fsanitize=$(word 2,$(SANITIZED_BY)) -std=gnu11 -g -O1 $(INCLUDES) -DSOLO_NO_STATIC_CONTRACTS -pthread \
	    -Wl,--as-needed -Wl,-rpath,'$$ORIGIN/../../lib' -o $@ $(patsubst $(BUILD)/%,%,$(basename $@)).c -L$(BUILD)/lib -lsolo; else touch $@; fi
SANITIZED_BY = $(subst -, ,$(patsubst .%,%,$(suffix $@)))
ALL += $(PLAIN_PROGRAMS) $(CXX_PROGRAMS) \
    $(if $(filter plain,$(FLAVOUR)),$(ACCESS_PROGRAMS) $(DETECTOR_PROGRAMS) $(DETECTOR_CXX_PROGRAMS) $(SANITIZED_PROGRAMS))

# Extensions that `solo verify` is tried on: tests/extensions/<name>.c -> tests/extensions/<name>.so in the build folder.
EXTENSIONS := $(patsubst %.c,$(BUILD)/%.so,$(wildcard tests/extensions/*.c))
$(EXTENSIONS): $(BUILD)/%.so: $(BUILD)/obj/%.o $(BUILD)/lib/libsolo.so
	$(call say,LINK)mkdir -p $(@D) && $(CC) -shared $(TOOL) -pthread -Wl,-rpath,'$$ORIGIN/../../lib' -o $@ $< -L$(BUILD)/lib -lsolo $(LDFLAGS)
ALL += $(EXTENSIONS)

# Fuzzers, built by clang, whose library has their main: tests/fuzz/<name>.c -> fuzz/<name> in the plain build folder.
ifeq ($(FLAVOUR),plain)
FUZZERS := $(patsubst tests/%.c,$(BUILD)/%,$(wildcard tests/fuzz/*.c))
$(FUZZERS): $(BUILD)/%: tests/%.c $(BUILD)/lib/libsolo.so $(BUILD)/lib/libsolo-harness.so | deps-test
	$(call say,CLANG)mkdir -p $(@D) && clang -std=gnu11 -O1 -g -fsanitize=fuzzer -Wall -Wextra $(INCLUDES) -DSOLO_NO_STATIC_CONTRACTS \
	    -Wl,-rpath,'$$ORIGIN/../lib' -o $@ $< -L$(BUILD)/lib -lsolo-harness -lsolo
endif

# What follows uses ALL, so whatever adds to it comes before.

# What `make test` does, in this order; the steps of other folders come after these two.
TEST_STEPS := test-units test-compile-fail $(TEST_STEPS)
TESTS ?=
# Searches of thousands of schedules are left out where a tool makes each a hundred times slower, if that takes more than a minute;
# the runner says so.
LEFT_OUT_valgrind := scale.test_scale__a_crash_in_one_job_is_a_finding_like_any_other \
                     scale.test_scale__every_strategy_gives_the_same_for_all_numbers_of_jobs \
                     shards.test_shards__of_an_unbounded_search_together_run_what_one_search_runs \
                     shards.test_shards__of_a_search_bounded_by_delays_together_run_what_one_search_runs \
                     shards.test_shards__of_a_search_bounded_by_preemptions_together_run_what_one_search_runs \
                     shards.test_shards__jobs_give_to_the_schedule_what_one_search_gives \
                     shards.test_shards__jobs_stop_at_the_limit_of_one_search \
                     shards.test_shards__with_reduction_together_find_what_one_search_finds \
                     shards.test_shards__a_search_that_is_interrupted_ends_as_if_it_had_not_been
TEST_OPTIONS ?= $(if $(filter valgrind tsan,$(FLAVOUR)),--timeout 300) --junit $(BUILD)/solo-tests.xml \
                $(if $(TESTS),,$(LEFT_OUT_$(FLAVOUR):%=--skip %))
RUN_TESTS = $(if $(filter valgrind,$(FLAVOUR)),valgrind -q --error-exitcode=99 --leak-check=full --show-leak-kinds=definite --errors-for-leak-kinds=definite)
export TSAN_OPTIONS ?= atexit_sleep_ms=0
PHONY += test test-units
test-units: $(BUILD)/bin/solo-tests $(ALL) $(FUZZERS) | deps-test ## run the CUnit suites; TESTS='suite suite.test ...' for some of them
	$(RUN_TESTS) $(BUILD)/bin/solo-tests $(TEST_OPTIONS) $(TESTS)

test: $(ALL) ## prove it: every suite, check of the course, and sanitizer self-tests (6 minutes or less)
	+@tests/steps '$(MAKE) FLAVOUR=$(FLAVOUR) BUILD=$(BUILD)' $(TEST_STEPS)

PHONY += test-compile-fail
test-compile-fail: | deps-test ## clang refuses wrong calls and wrong callbacks, and nothing else
	@tests/compile_fail/run

# ---- Rules ----
PHONY += check format
format: | deps-check ## format the C files: clang-format, and comments wrapped at 120 columns
	@tests/check/format
check: $(ALL) | deps-check ## check the rules: layers, headers, the world's door, documentation, format, static analysis
	@BUILD=$(BUILD) tests/check/run $(RULES)

# ---- Every flavour ----
# The steps of `make matrix`; other folders add theirs.
MATRIX_STEPS += test $(patsubst %,test-units-%,$(filter-out $(FLAVOUR),$(FLAVOURS))) check
FLAVOUR_STEPS := $(patsubst %,test-units-%,$(FLAVOURS))
MATRIX_STEPS += test-units-tsan-shipped benches # nothing else notices a benchmark that does not link
PHONY += matrix coverage $(FLAVOUR_STEPS) test-units-tsan-shipped
matrix: deps ## everything in every flavour: slow
	+@tests/steps '$(MAKE) FLAVOUR=$(FLAVOUR) BUILD=$(BUILD)' $(MATRIX_STEPS)
# In the tsan row the engine is watched too, in a build folder of its own, because its objects differ.
WATCHED_tsan := ENGINE_WATCHED=1
$(FLAVOUR_STEPS): test-units-%:
	@$(MAKE) FLAVOUR=$* BUILD=$(call build_of,$*)$(if $(WATCHED_$*),-watched $(WATCHED_$*)) test-units
# And as its users have it, without a look at the engine: what they are told of the races of their own data.
test-units-tsan-shipped:
	@$(MAKE) FLAVOUR=tsan BUILD=$(call build_of,tsan) test-units TESTS='two_writers verify'
coverage: ## run the suites under gcov and print how much of each source file they ran
	@$(MAKE) FLAVOUR=coverage BUILD=$(call build_of,coverage) test-units
	@tests/coverage $(call build_of,coverage)

# ---- Benchmarks: each tests/bench/<name>.c is a program that prints one figure; see tests/bench/figures ----
BENCHES := $(patsubst tests/bench/%.c,$(BUILD)/bench/%,$(wildcard tests/bench/*.c))
$(call object,$(wildcard tests/bench/*.c)): PART_CFLAGS = -DSOLO_NO_STATIC_CONTRACTS -iquote reactor -iquote harness $(HARNESS_CFLAGS)
$(call object,$(wildcard tests/bench/*.c)): | $(CONTRACTS)
$(BUILD)/bench/chat: $(call object,$(wildcard tests/chat/*.c))
$(BENCHES): $(BUILD)/bench/%: $(BUILD)/obj/tests/bench/%.o $(TESTED_OBJECTS) $(HOOK) | $(BACKTRACE)
	$(call say,LINK)mkdir -p $(@D) && $(CC) $(TOOL) -pthread -rdynamic -o $@ $^ $(HARNESS_LIBS) $(LDFLAGS)
# The library without the thread check, for guard.ns only.
UNGUARDED := $(patsubst $(BUILD)/obj/%,$(BUILD)/obj/unguarded/%,$(call object,$(REACTOR_SOURCES)))
$(UNGUARDED): $(BUILD)/obj/unguarded/%.o: %.c $(BUILD)/flags | $(CONTRACTS)
	$(call say,CC)mkdir -p $(@D) && $(CC) $(CFLAGS_ALL) -DSOLO_NO_STATIC_CONTRACTS -D_GNU_SOURCE= \
	    -include tests/bench/unguarded.h $(TOOL) -MMD -MP -c -o $@ $<
$(BUILD)/bench/libsolo-unguarded.so: $(UNGUARDED) $(BUILD)/obj/generated/contract_table.o
	$(call say,LINK)mkdir -p $(@D) && $(CC) -shared $(TOOL) -pthread $(NO_LOOSE_ENDS) -o $@ $^ $(LDFLAGS)
# The same workloads on this kit, on other event loops and by hand: tests/bench/peers/<peer>.c, which see public headers only. A
# library that is not there has no program, and tests/bench/run says so.
ifneq ($(filter benches,$(MAKECMDGOALS)),)
PEERS := limit solo $(foreach peer,libuv libevent glib-2.0,$(shell pkg-config --exists $(peer) && echo $(peer:glib-2.0=glib))) \
         $(if $(wildcard /usr/include/ev.h),libev)
endif
PEER_CFLAGS_solo   := -DSOLO_NO_STATIC_CONTRACTS
PEER_CFLAGS_glib    = $(shell pkg-config --cflags glib-2.0)
PEER_LIBS_solo      = -L$(BUILD)/lib -lsolo -Wl,-rpath,'$$ORIGIN/../../lib'
PEER_LIBS_libuv     = $(shell pkg-config --libs libuv)
PEER_LIBS_libevent  = $(shell pkg-config --libs libevent libevent_pthreads)
PEER_LIBS_libev     = -lev
PEER_LIBS_glib      = $(shell pkg-config --libs glib-2.0)
PEER_PROGRAMS := $(PEERS:%=$(BUILD)/bench/peers/%) $(if $(PEERS),$(BUILD)/bench/peers/libclock.so)
$(BUILD)/obj/tests/bench/peers/%.o: PART_CFLAGS = $(PEER_CFLAGS_$(notdir $*))
$(BUILD)/bench/peers/%: $(BUILD)/obj/tests/bench/peers/%.o $(BUILD)/obj/tests/bench/peers/peer.o $(BUILD)/lib/libsolo.so
	$(call say,LINK)mkdir -p $(@D) && $(CC) $(TOOL) -pthread -rdynamic -o $@ $(filter %.o,$^) $(PEER_LIBS_$*) $(LDFLAGS)
$(BUILD)/bench/peers/libclock.so: $(BUILD)/obj/tests/bench/peers/clock.o
	$(call say,LINK)mkdir -p $(@D) && $(CC) -shared -o $@ $<

# Programs with a known ordering bug, and how many schedules each strategy needs: tests/bench/explore.
SHAPE_OBJECTS := $(call object,$(wildcard tests/bench/explore/*.c))
$(SHAPE_OBJECTS): PART_CFLAGS = -DSOLO_NO_STATIC_CONTRACTS
$(SHAPE_OBJECTS): | $(CONTRACTS)
$(BUILD)/bench/explore: $(SHAPE_OBJECTS) $(TESTED_OBJECTS) $(HOOK) | $(BACKTRACE)
	$(call say,LINK)mkdir -p $(@D) && $(CC) $(TOOL) -pthread -rdynamic -o $@ $^ $(HARNESS_LIBS) $(LDFLAGS)
PHONY += bench-explore
bench-explore: $(BUILD)/bench/explore ## measure how fast the strategies find known bugs (4 minutes); SHAPES='account ...' or PART=twins for some
	@$(BUILD)/bench/explore $(PART:%=--%) $(SHAPES)
PHONY += bench-reduction
bench-reduction: $(BUILD)/bin/solo-tests ## measure what the search with reduction saves on the scenarios of the tests (5 minutes); SCHEDULES=N for each; ESTIMATE=DRAWS for what does not end
	@BUILD=$(BUILD) ESTIMATE=$(ESTIMATE) tests/bench/reduction $(SCHEDULES)
# A flavour's own command, library and programs: a replay needs all three of one build.
REPLAYED = $(1)/bin/solo $(1)/lib/libsolo-harness.so $(1)/lib/libsolo-released.so $(1)/tests/programs/misbehave $(1)/tests/programs/dead_memory
PHONY += bench-replay
bench-replay: $(call REPLAYED,$(BUILD)) ## replay tokens in fresh processes: RUNS='1000 100 20' plain, per sanitizer, per tool of valgrind (an hour)
	@for flavour in tsan asan valgrind; do $(MAKE) FLAVOUR=$$flavour BUILD=$(dir $(BUILD))$$flavour \
	    $(call REPLAYED,$(dir $(BUILD))$$flavour) || exit 1; done
	@PLAIN=$(BUILD) TSAN=$(call build_of,tsan) ASAN=$(call build_of,asan) VALGRIND=$(call build_of,valgrind) \
	    tests/bench/replay_tools $(or $(RUNS),1000 100 20)
PHONY += bench-chat
bench-chat: $(BUILD)/bench/chat ## 8 hours of simulated chat with 1,000 clients under each of 200 seeds (2 minutes); SEEDS=N for others
	@$(BUILD)/bench/chat $(or $(SEEDS),200)
PHONY += benches bench
benches: $(BENCHES) $(PLAIN_PROGRAMS) $(BUILD)/bin/solo $(BUILD)/lib/libsolo-interpose.so $(BUILD)/tests/programs/many_choices $(if $(filter plain,$(FLAVOUR)),$(BUILD)/bench/libsolo-unguarded.so $(BUILD)/lib/libsolo.so $(PEER_PROGRAMS))
bench: ## print one line per figure: name, value, unit; FIGURES='guard.ns w1.malloc.p4 ...' for some of them
	@.ci/deps --quiet bench || echo 'bench: going on without the peers that are missing' >&2
	@$(MAKE) FLAVOUR=plain BUILD=$(call build_of,plain) benches
	@$(MAKE) FLAVOUR=tsan BUILD=$(call build_of,tsan) benches
	@PLAIN=$(call build_of,plain) TSAN=$(call build_of,tsan) tests/bench/run $(FIGURES)
