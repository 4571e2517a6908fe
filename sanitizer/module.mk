# sanitizer/ -> annotate.h (a leaf header of reactor/), readers of other tools' reports (part of libsolo-harness.so), hooks that
# every program of flavour tsan and asan is linked with, and the self-test of them all.

SANITIZER_SOURCES := sanitizer/valgrind_xml.c

# The hook of this flavour's detector, if it has one: an object of every program, because the detector looks nowhere else.
HOOK := $(call object,$(wildcard sanitizer/hook_$(FLAVOUR).c))
$(call object,$(SANITIZER_SOURCES)) $(HOOK): PART_TOOL := none $(TOOL_NEVER_INSTRUMENTED)
SELFTEST := $(call object,sanitizer/selftest.c)
SELFTEST_RUN := $(call object,sanitizer/selftest_run.c)
$(HOOK) $(SELFTEST) $(SELFTEST_RUN): PART_CFLAGS := -DSOLO_NO_STATIC_CONTRACTS

$(BUILD)/bin/sanitizer-selftest: $(SELFTEST) $(HOOK) $(BUILD)/lib/libsolo.a
	$(call say,LINK)mkdir -p $(@D) && $(CC) $(TOOL) -pthread -o $@ $^ $(LDFLAGS)
$(BUILD)/bin/sanitizer-selftest-run: $(SELFTEST_RUN) $(call object,$(SANITIZER_SOURCES))
	$(call say,LINK)mkdir -p $(@D) && $(CC) $(TOOL) -o $@ $^ $(filter-out $(BACKTRACE),$(HARNESS_LIBS)) $(LDFLAGS)

# A row is a detector and a carrier. N in N, and with a visible hand-over it must fail (exit code 1, and no other).
SELFTEST_ROWS := tsan-fiber tsan-token helgrind drd
N ?= 5
PHONY += sanitizer-selftest $(SELFTEST_ROWS:%=sanitizer-selftest-%) sanitizer-selftest-programs
sanitizer-selftest: $(SELFTEST_ROWS:%=sanitizer-selftest-%) ## a planted race is found N in N by every detector, its locked twin never
sanitizer-selftest-programs: $(BUILD)/bin/sanitizer-selftest-run | deps-test
	@$(MAKE) FLAVOUR=tsan BUILD=$(call build_of,tsan) $(call build_of,tsan)/bin/sanitizer-selftest
	@$(MAKE) FLAVOUR=valgrind BUILD=$(call build_of,valgrind) $(call build_of,valgrind)/bin/sanitizer-selftest
SELFTEST_args = $(1) $(2) $(call build_of,$(if $(filter tsan-%,$(1)),tsan,valgrind))/bin/sanitizer-selftest \
    $(if $(filter helgrind,$(1)),sanitizer/helgrind.supp)
$(SELFTEST_ROWS:%=sanitizer-selftest-%): sanitizer-selftest-%: sanitizer-selftest-programs
	@$(BUILD)/bin/sanitizer-selftest-run $(call SELFTEST_args,$*,$(N))
	@$(BUILD)/bin/sanitizer-selftest-run --visible $(call SELFTEST_args,$*,1); test $$? = 1 || \
	    { echo 'sanitizer-selftest: it must fail with a visible hand-over, and did not'; exit 1; }

TEST_STEPS += sanitizer-selftest
MATRIX_STEPS += sanitizer-selftest-100
PHONY += sanitizer-selftest-100
sanitizer-selftest-100: ## the same, 100 in 100
	@$(MAKE) N=100 sanitizer-selftest
