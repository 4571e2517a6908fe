# harness/ -> libsolo-harness.so, libsolo-inside.so and the `solo` command. Needs jansson, libxml2 and gcc's libbacktrace.

COMMAND_SOURCES := $(wildcard harness/solo.c harness/solo_*.c)
# free and realloc: in the harness, and for programs without it in a library of their own. With a sanitizer they are the runtime's.
RELEASED_OBJECTS := $(call object,$(wildcard harness/released/*.c))
INTERPOSE_SOURCES := $(wildcard harness/interpose/*.c)
HARNESS_SOURCES := $(filter-out $(COMMAND_SOURCES),$(wildcard harness/*.c)) $(SANITIZER_SOURCES)
HARNESS_OBJECTS  = $(call object,$(HARNESS_SOURCES)) $(if $(filter asan tsan,$(FLAVOUR)),,$(RELEASED_OBJECTS))
COMMAND_OBJECTS := $(call object,$(COMMAND_SOURCES))

# Asked only when something is compiled or linked, so that make starts on a machine without a compiler.
HARNESS_CFLAGS = $(shell pkg-config --cflags jansson libxml-2.0)
HARNESS_LIBS   = $(shell pkg-config --libs jansson libxml-2.0) $(BACKTRACE) -ldl
# It asks us which objects there are (harness/symbolize.c): the C library's own debug information takes longer than all else.
BACKTRACE := $(BUILD)/obj/libbacktrace.a
$(BACKTRACE):
	$(call say,OBJCOPY)mkdir -p $(@D) && objcopy --redefine-sym dl_iterate_phdr=solo__symbolize_objects \
	    $$(gcc -print-file-name=libbacktrace.a) $@
$(HARNESS_OBJECTS) $(COMMAND_OBJECTS): PART_CFLAGS = -DSOLO_NO_STATIC_CONTRACTS $(HARNESS_CFLAGS)
# A plain `solo` explores programs that were built for valgrind: its harness must be no race to helgrind and drd.
$(HARNESS_OBJECTS): PART_CFLAGS += $(if $(filter plain,$(FLAVOUR)),-DSOLO_ANNOTATE_HARNESS)
# Called some hundred times in each schedule, with no call of the program's below them: no report shows a stack that they are in.
$(call object,harness/profile.c harness/sampling.c harness/fair.c $(wildcard harness/strategy_*.c)): PART_CFLAGS += -fomit-frame-pointer
# libbacktrace's header lies among gcc's own, of which clang must not see any other.
$(call object,harness/symbolize.c): PART_CFLAGS += -idirafter $(shell gcc -print-file-name=include)

# The run path has 16 characters or more: the dynamic linker reads a shorter one past its end, 16 bytes at a time, and memcheck says
# so each time a program loads the harness.
$(BUILD)/lib/libsolo-harness.so: $(HARNESS_OBJECTS) $(BUILD)/lib/libsolo.so $(BACKTRACE)
	$(call say,LINK)mkdir -p $(@D) && $(CC) -shared $(TOOL) -pthread -Wl,-soname,libsolo-harness.so $(NO_LOOSE_ENDS) -Wl,--exclude-libs,ALL \
	    -Wl,-rpath,'$$ORIGIN/././././.' -o $@ $(HARNESS_OBJECTS) -L$(BUILD)/lib -lsolo $(HARNESS_LIBS) $(LDFLAGS)
# What is loaded into programs under test: of the same objects only those that it needs, and none of the packages. Each library and
# each page of it is copied for every schedule.
$(BUILD)/obj/harness.a: $(filter-out $(RELEASED_OBJECTS),$(HARNESS_OBJECTS))
	$(call say,AR)rm -f $@ && ar rcs $@ $^
# With AddressSanitizer's hook, for programs that their own compiler built with it; in a sanitizer's build each program has its own.
INSIDE_HOOK := $(if $(filter asan tsan,$(FLAVOUR)),,$(BUILD)/obj/harness/inside_hook.o)
$(INSIDE_HOOK): sanitizer/hook_asan.c $(BUILD)/flags | $(CONTRACTS)
	$(call say,CC)mkdir -p $(@D) && $(CC) $(CFLAGS_ALL) -DSOLO_HOOK_INSIDE -DSOLO_NO_STATIC_CONTRACTS -MMD -MP -c -o $@ $<
$(BUILD)/lib/libsolo-inside.so: $(BUILD)/obj/harness.a $(INSIDE_HOOK) $(BUILD)/lib/libsolo.so harness/inside.map $(BACKTRACE)
	$(call say,LINK)mkdir -p $(@D) && $(CC) -shared $(TOOL) -pthread -Wl,-soname,libsolo-inside.so $(NO_LOOSE_ENDS) \
	    -Wl,--version-script=harness/inside.map -Wl,-u,solo_harness_main -static-libgcc -Wl,-rpath,'$$ORIGIN/././././.' -o $@ $< \
	    $(INSIDE_HOOK) -L$(BUILD)/lib -lsolo $(filter %/libbacktrace.a,$(HARNESS_LIBS)) -ldl $(LDFLAGS)
$(BUILD)/bin/solo: $(COMMAND_OBJECTS) $(HOOK) $(BUILD)/lib/libsolo-harness.so $(BUILD)/lib/libsolo-inside.so
	$(call say,LINK)mkdir -p $(@D) && $(CC) $(TOOL) -pthread -Wl,-rpath,'$$ORIGIN/../lib' -o $@ $(COMMAND_OBJECTS) $(HOOK) \
	    -L$(BUILD)/lib -lsolo-harness -lsolo $(HARNESS_LIBS) $(LDFLAGS)

# Loaded into programs that do not use the kit, before anything else of theirs. No tool looks into it.
INTERPOSE_OBJECTS := $(call object,$(INTERPOSE_SOURCES))
$(INTERPOSE_OBJECTS): PART_TOOL := none
$(INTERPOSE_OBJECTS): PART_CFLAGS := -DSOLO_NO_STATIC_CONTRACTS -fexceptions -fno-builtin $(if $(filter coverage,$(FLAVOUR)),-DSOLO_COVERAGE)
$(BUILD)/lib/libsolo-interpose.so: $(INTERPOSE_OBJECTS) $(BUILD)/lib/libsolo.so harness/interpose/versions.map
	$(call say,LINK)mkdir -p $(@D) && $(CC) -shared -pthread -Wl,-soname,libsolo-interpose.so $(NO_LOOSE_ENDS) \
	    -Wl,--version-script=harness/interpose/versions.map \
	    -Wl,-rpath,'$$ORIGIN/././././.' -o $@ $(INTERPOSE_OBJECTS) -L$(BUILD)/lib -lsolo $(LDFLAGS)
ALL += $(BUILD)/lib/libsolo-interpose.so

$(RELEASED_OBJECTS): PART_TOOL := none
$(RELEASED_OBJECTS): PART_CFLAGS := -DSOLO_NO_STATIC_CONTRACTS -fno-builtin
$(BUILD)/lib/libsolo-released.so: $(RELEASED_OBJECTS)
	$(call say,LINK)mkdir -p $(@D) && $(CC) -shared -Wl,-soname,libsolo-released.so -o $@ $(RELEASED_OBJECTS) $(LDFLAGS)
ALL += $(BUILD)/lib/libsolo-released.so

# What `solo cc` links under the names that gcc's driver asks for.
ACCESS_OBJECTS := $(call object,harness/access/tsan_abi.c)
$(ACCESS_OBJECTS): PART_TOOL := none
$(BUILD)/lib/access/libtsan.a: $(ACCESS_OBJECTS)
	$(call say,AR)mkdir -p $(@D) && rm -f $@ && ar rcs $@ $^
$(BUILD)/lib/access/libtsan_preinit.o: | $(BUILD)/lib/access/libtsan.a
	$(call say,CC)$(CC) -x c -c -o $@ /dev/null
# And what `solo cc --tsan` links beside the detector: objects, because its library has such functions too.
$(call object,harness/access/tsan_points.c): PART_TOOL := none
$(BUILD)/lib/access/tsan_points.o: $(call object,harness/access/tsan_points.c)
	$(call say,COPY)mkdir -p $(@D) && cp $< $@
$(BUILD)/lib/access/tsan_hook.o: sanitizer/hook_tsan.c $(BUILD)/flags
	$(call say,CC)mkdir -p $(@D) && gcc -O1 -g -std=gnu11 -fPIC -DSOLO_TSAN -DSOLO_HOOK_ALONE -DSOLO_NO_STATIC_CONTRACTS $(INCLUDES) \
	    -ffile-prefix-map=$(CURDIR)=. -MMD -MP -c -o $@ $<
-include $(BUILD)/lib/access/tsan_hook.d
ALL += $(BUILD)/lib/access/libtsan.a $(BUILD)/lib/access/libtsan_preinit.o $(BUILD)/lib/access/tsan_points.o $(BUILD)/lib/access/tsan_hook.o

ALL += $(if $(HARNESS_SOURCES),$(BUILD)/lib/libsolo-harness.so $(BUILD)/lib/libsolo-inside.so) $(if $(COMMAND_SOURCES),$(BUILD)/bin/solo)
