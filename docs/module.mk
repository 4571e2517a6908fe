# docs/: the reference pages and the man pages are the public headers in another dress.

PUBLIC_HEADERS := $(REACTOR_HEADERS) $(wildcard harness/include/solo/*.h sanitizer/include/solo/*.h extras/include/solo/*.h)
PHONY += docs
docs: ## write docs/reference (one page per public header) and man pages into the build folder
	@mkdir -p docs/reference $(BUILD)/man/man3 && rm -f docs/reference/*.md
	LC_ALL=C awk -v folder=docs/reference -f docs/header.awk -f docs/reference.awk $(PUBLIC_HEADERS)
	LC_ALL=C awk -v folder=$(BUILD)/man/man3 -f docs/header.awk -f docs/manual.awk $(PUBLIC_HEADERS)
	@echo 'docs: read them with: man -M $(BUILD)/man solo_reactor_run'
