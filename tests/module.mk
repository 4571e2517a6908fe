# tests/ -> solo-tests, one program with every CUnit suite. It sees private symbols, so it links the objects themselves.

TEST_SUITES  := $(wildcard tests/test_*.c)
TEST_SOURCES := $(TEST_SUITES) $(wildcard tests/runner*.c tests/support*.c)
TEST_OBJECTS := $(call object,$(TEST_SOURCES)) $(BUILD)/obj/generated/suites.o
# The command's own parts are tested too, all but the file with its main.
TESTED_COMMAND = $(call object,$(filter-out $(shell grep -ls '^int main' $(COMMAND_SOURCES) /dev/null),$(COMMAND_SOURCES)))
TESTED_OBJECTS = $(REACTOR_OBJECTS) $(HARNESS_OBJECTS) $(TESTED_COMMAND)
$(TEST_OBJECTS): PART_CFLAGS = -iquote reactor -iquote harness -iquote sanitizer $(HARNESS_CFLAGS)
$(TEST_OBJECTS): | $(CONTRACTS)

# Every tests/test_<x>.c has a suite_<x>: the list is made from the file names.
$(BUILD)/generated/suites.c: $(BUILD)/generated/suites.list
	@sed 's/.*/void suite_&(void);/' $< > $@; printf 'void runner_add_suites(void);\nvoid runner_add_suites(void)\n{\n' >> $@; \
	sed 's/.*/    suite_&();/' $< >> $@; echo '}' >> $@
$(BUILD)/generated/suites.list: force
	@mkdir -p $(@D); printf '%s\n' $(sort $(TEST_SUITES:tests/test_%.c=%)) | cmp -s - $@ || \
	    printf '%s\n' $(sort $(TEST_SUITES:tests/test_%.c=%)) > $@

$(BUILD)/bin/solo-tests: $(TEST_OBJECTS) $(TESTED_OBJECTS)
	$(call say,LINK)mkdir -p $(@D) && $(CC) $(TOOL) -pthread -rdynamic -o $@ $^ $(HARNESS_LIBS) -lcunit $(LDFLAGS)
ALL += $(BUILD)/bin/solo-tests
