# reactor/ -> libsolo.a, libsolo.so. Needs only libc.

REACTOR_SOURCES := $(wildcard reactor/*.c)
REACTOR_HEADERS := $(wildcard reactor/include/solo/*.h)
REACTOR_OBJECTS := $(call object,$(REACTOR_SOURCES)) $(BUILD)/obj/generated/contract_table.o

# The scheduler core and its carriers, the probe and the count of findings, and all of the harness: a race detector must not see
# their accesses, nor take them for synchronisation.
NEVER_INSTRUMENTED := $(filter reactor/core%.c reactor/probe.c reactor/violation.c,$(REACTOR_SOURCES)) $(wildcard harness/*.c)
$(call object,$(NEVER_INSTRUMENTED)): PART_TOOL := none $(TOOL_NEVER_INSTRUMENTED)

# The public headers' registration macros (clang) have the names of the functions that are defined here.
$(REACTOR_OBJECTS): PART_CFLAGS := -DSOLO_NO_STATIC_CONTRACTS

# ThreadSanitizer watches programs at -O1, where fewer accesses are merged; the engine itself would pay half its speed for it.
ifeq ($(FLAVOUR),tsan)
$(REACTOR_OBJECTS): PART_CFLAGS += -O2
endif

# The contract table comes from the public headers: see contract_table.awk.
CONTRACTS := $(BUILD)/generated/contract_table.c $(BUILD)/generated/contract_ids.h
$(CONTRACTS) &: reactor/contract_table.awk $(REACTOR_HEADERS)
	$(call say,AWK)mkdir -p $(BUILD)/generated && LC_ALL=C awk -v table=$(BUILD)/generated/contract_table.c \
	    -v ids=$(BUILD)/generated/contract_ids.h -f reactor/contract_table.awk $(REACTOR_HEADERS)
$(REACTOR_OBJECTS): | $(CONTRACTS)

$(BUILD)/lib/libsolo.a: $(REACTOR_OBJECTS)
	$(call say,AR)mkdir -p $(@D) && rm -f $@ && ar rcs $@ $^
$(BUILD)/lib/libsolo.so: $(REACTOR_OBJECTS)
	$(call say,LINK)mkdir -p $(@D) && $(CC) -shared $(TOOL) -pthread -Wl,-soname,libsolo.so $(NO_LOOSE_ENDS) -o $@ $^ $(LDFLAGS)

ALL += $(BUILD)/lib/libsolo.a $(BUILD)/lib/libsolo.so
