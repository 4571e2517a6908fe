# sanitizer/ -> part of libsolo-harness.so (readers of other tools' reports); annotate.h is a leaf header of reactor/.

SANITIZER_SOURCES := $(filter-out sanitizer/hook_%,$(wildcard sanitizer/*.c))
# The hook of this flavour's detector, if it has one: an object of every program, because the detector looks nowhere else.
HOOK := $(call object,$(wildcard sanitizer/hook_$(FLAVOUR).c))
$(call object,$(SANITIZER_SOURCES)) $(HOOK): PART_TOOL := none $(TOOL_NEVER_INSTRUMENTED)
$(HOOK): PART_CFLAGS := -DSOLO_NO_STATIC_CONTRACTS
