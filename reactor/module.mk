# reactor/ -> libsolo.a, libsolo.so. Needs only libc.

REACTOR_SOURCES := $(wildcard reactor/*.c)
REACTOR_HEADERS := $(wildcard reactor/include/solo/*.h)
REACTOR_OBJECTS := $(call object,$(REACTOR_SOURCES)) $(BUILD)/obj/generated/contract_table.o

# The scheduler core and its carriers, the probe, the arguments that are watched and the count of findings, and all of the harness:
# a race detector must not see their accesses, nor take them for synchronisation.
NEVER_INSTRUMENTED := $(filter reactor/core%.c reactor/argument.c reactor/probe.c reactor/violation.c,$(REACTOR_SOURCES)) \
                      $(wildcard harness/*.c)

# The engine's own queues: what they order is annotated, and ThreadSanitizer's users need not pay for looking at them (it halves
# the speed). ENGINE_WATCHED=1 instruments them too, which is how the kit tests itself.
ENGINE := call call_batch context lifecycle object pool pool_queue pool_stop pool_worker producer provenance reactor self \
          sim_memory sim_poll thread_call transport transport_write world_sim
ifeq ($(ENGINE_WATCHED),)
NEVER_INSTRUMENTED += $(ENGINE:%=reactor/%.c)
endif
$(call object,$(NEVER_INSTRUMENTED)): PART_TOOL := none $(TOOL_NEVER_INSTRUMENTED)

# The public headers' registration macros (clang) have the names of the functions that are defined here.
$(REACTOR_OBJECTS): PART_CFLAGS := -DSOLO_NO_STATIC_CONTRACTS

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
