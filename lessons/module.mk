# lessons/: each lessons/<folder>/<name>.c is an ordinary program -> lessons/<folder>/<name> in the build folder.

LESSON_SOURCES := $(wildcard lessons/*/*.c)
# A call in tail position would lose its caller's frame, which reports want to name.
$(call object,$(LESSON_SOURCES)): PART_CFLAGS := -fno-optimize-sibling-calls
LESSONS := $(patsubst %.c,$(BUILD)/%,$(LESSON_SOURCES))
$(LESSONS): $(BUILD)/%: $(BUILD)/obj/%.o $(HOOK) $(BUILD)/lib/libsolo.so
	$(call say,LINK)mkdir -p $(@D) && $(CC) $(TOOL) -pthread -Wl,-rpath,'$$ORIGIN/../../lib' -o $@ $< $(HOOK) -L$(BUILD)/lib -lsolo $(LDFLAGS)

ALL += $(LESSONS)

# The lessons in three flavours: plain, to be explored; for ThreadSanitizer, with its own command; for valgrind, started by the plain one.
PHONY += lessons lesson-programs test-lessons
lesson-programs: $(LESSONS)
lessons: $(LESSONS) $(BUILD)/bin/solo ## build the lessons and what explores them
TEST_STEPS += test-lessons
LESSON ?=
test-lessons: | deps-test ## hold each lesson to what it promises; LESSON='01 07' for some of them
	@$(MAKE) FLAVOUR=plain BUILD=$(call build_of,plain) lessons
	@$(MAKE) FLAVOUR=tsan BUILD=$(call build_of,tsan) lessons
	@$(MAKE) FLAVOUR=valgrind BUILD=$(call build_of,valgrind) lesson-programs
	@BUILD=$(call build_of,plain) TSAN=$(call build_of,tsan) VALGRIND=$(call build_of,valgrind) lessons/check $(LESSON)

PHONY += demo
demo: $(BUILD)/lessons/01_wrong_thread/broken $(BUILD)/lessons/01_wrong_thread/fixed $(BUILD)/bin/solo ## the main job in one screen: a bug caught on real sockets and in simulation
	@BUILD=$(BUILD) lessons/demo
