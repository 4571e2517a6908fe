# Solo. `make help` lists every target. Each folder adds its part in its own module.mk; there is one make, not many.
#
#   make FLAVOUR=asan        another flavour, built in build/asan
#   make DEV=1               warnings are errors (as in CI)
#   make V=1                 print whole commands
#   make BUILD=/some/where   another build folder

FLAVOUR ?= plain
BUILD   ?= build/$(FLAVOUR)
FLAVOURS := plain asan tsan valgrind coverage torture
ifeq ($(filter $(FLAVOUR),$(FLAVOURS)),)
$(error FLAVOUR=$(FLAVOUR) is not one of: $(FLAVOURS))
endif
# Where another flavour of this build lives: $(call build_of,tsan)
build_of = $(if $(filter $(FLAVOUR),$(1)),$(BUILD),$(patsubst %/$(FLAVOUR),%,$(BUILD))/$(1))

# ---- What a flavour is: compiler, code generation, instrumentation (also at link time), needed packages ----
CC_plain    := gcc
CODE_plain  := -O2 -g
CC_asan     := clang
CODE_asan   := -O1 -g -DSOLO_ASAN
TOOL_asan   := -fsanitize=address,undefined -fno-sanitize-recover=undefined
CC_tsan     := clang
CODE_tsan   := -O1 -g -DSOLO_TSAN
TOOL_tsan   := -fsanitize=thread
CC_valgrind   := gcc
CODE_valgrind := -O1 -gdwarf-4 -DSOLO_VALGRIND
CC_coverage   := gcc
CODE_coverage := -O1 -g
TOOL_coverage := --coverage
CC_torture    := gcc
CODE_torture  := -O1 -g -DSOLO_TORTURE

CC   := $(CC_$(FLAVOUR))
CODE := $(CODE_$(FLAVOUR))
TOOL := $(TOOL_$(FLAVOUR))
# Objects that a race detector must not see (NEVER_INSTRUMENTED in reactor/module.mk) are built without TOOL.
TOOL_NEVER_INSTRUMENTED := $(if $(filter tsan,$(FLAVOUR)),,$(TOOL))

WARNINGS := -Wall -Wextra -Wshadow -Wmissing-prototypes -Wstrict-prototypes -Wvla \
            $(if $(filter gcc,$(CC)),-Wno-format-truncation) $(if $(DEV),-Werror)
# (Texts of reports are cut to fit on purpose.)
INCLUDES := -Ireactor/include -Iharness/include -Isanitizer/include -Iextras/include -iquote . -iquote sanitizer -iquote $(BUILD)/generated
CFLAGS_ALL = -std=gnu11 $(CODE) -fno-omit-frame-pointer -fvisibility=hidden -fPIC -pthread \
             -ffile-prefix-map=$(CURDIR)=. $(WARNINGS) $(INCLUDES) $(PART_CFLAGS) $(CFLAGS)
# Linking a shared library without loose ends; the sanitizers' own symbols come from the program.
NO_LOOSE_ENDS := $(if $(filter asan tsan,$(FLAVOUR)),,-Wl,-z,defs)

# One job per processor, unless make was told otherwise.
ifeq ($(MAKELEVEL),0)
ifeq ($(filter -j% --jobs%,$(MAKEFLAGS) $(shell tr '\0' ' ' < /proc/$$PPID/cmdline)),)
MAKEFLAGS += -j$(shell nproc)
endif
endif
MAKEFLAGS += --no-builtin-rules --no-print-directory
say = $(if $(V),,@printf '  %-8s %s\n' $(1) $(patsubst $(BUILD)/%,%,$@);)
object = $(patsubst %.c,$(BUILD)/obj/%.o,$(1))
PHONY := all help clean deps
.DEFAULT_GOAL := all
.DELETE_ON_ERROR:
.SECONDARY:

include reactor/module.mk sanitizer/module.mk harness/module.mk extras/module.mk lessons/module.mk docs/module.mk tests/module.mk

all: $(ALL) ## build the libraries, the solo command, the lessons and the tests
help: ## list the targets
	@awk -F ':.*## ' '/^[a-z][a-z-]*:.*## / { printf "%-16s %s\n", $$1, $$2 }' $(MAKEFILE_LIST) | sort
	@printf '\nFLAVOUR=%s  (one of %s), built in %s\n' $(FLAVOUR) '$(FLAVOURS)' $(BUILD)
deps: ## install what is missing (asks dpkg, then apt-get), so that everything below works
	@.ci/deps build test check
clean: ## delete the build folder of this flavour
	rm -rf $(BUILD)

# ---- How things are made ----
# Everything compiled depends on the packages and on the flags it was compiled with.
deps-build:
	@.ci/deps --quiet build $(if $(filter clang,$(CC)),test)
deps-test deps-check deps-bench: deps-%:
	@.ci/deps --quiet $*
$(BUILD)/flags: force
	@mkdir -p $(@D); printf '%s\n' '$(CC) $(CODE) $(TOOL) $(WARNINGS) $(CFLAGS)' | cmp -s - $@ || \
	    printf '%s\n' '$(CC) $(CODE) $(TOOL) $(WARNINGS) $(CFLAGS)' > $@
$(BUILD)/obj/%.o: %.c $(BUILD)/flags | deps-build
	$(call say,CC)mkdir -p $(@D) && $(CC) $(CFLAGS_ALL) $(if $(PART_TOOL),$(PART_TOOL:none=),$(TOOL)) -MMD -MP -c -o $@ $<
$(BUILD)/obj/generated/%.o: $(BUILD)/generated/%.c $(BUILD)/flags | deps-build
	$(call say,CC)mkdir -p $(@D) && $(CC) $(CFLAGS_ALL) $(TOOL) -MMD -MP -c -o $@ $<

-include $(shell find $(BUILD)/obj -name '*.d' 2>/dev/null)
force:
.PHONY: $(PHONY) deps-build deps-test deps-check deps-bench force
