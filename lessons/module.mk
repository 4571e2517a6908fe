# lessons/: each lessons/<folder>/<name>.c is an ordinary program -> lessons/<folder>/<name> in the build folder.

LESSON_SOURCES := $(wildcard lessons/*/*.c)
LESSONS := $(patsubst %.c,$(BUILD)/%,$(LESSON_SOURCES))
$(LESSONS): $(BUILD)/%: $(BUILD)/obj/%.o $(HOOK) $(BUILD)/lib/libsolo.so
	$(call say,LINK)mkdir -p $(@D) && $(CC) $(TOOL) -pthread -Wl,-rpath,'$$ORIGIN/../../lib' -o $@ $< $(HOOK) -L$(BUILD)/lib -lsolo $(LDFLAGS)

ALL += $(LESSONS)

PHONY += demo
demo: $(BUILD)/lessons/01_wrong_thread/broken $(BUILD)/lessons/01_wrong_thread/fixed $(BUILD)/bin/solo $(BUILD)/lib/libsolo-harness.so ## the main job in one screen: a bug caught on real sockets and in simulation
	@BUILD=$(BUILD) lessons/demo
