# sanitizer/ -> part of libsolo-harness.so (readers of other tools' reports); annotate.h is a leaf header of reactor/.

SANITIZER_SOURCES := $(wildcard sanitizer/*.c)
$(call object,$(SANITIZER_SOURCES)): PART_TOOL := none $(TOOL_NEVER_INSTRUMENTED)
