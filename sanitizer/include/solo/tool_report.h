/*
 * tool_report.h - what other tools found, as the kit's own record.
 *
 * ThreadSanitizer and AddressSanitizer report from inside the program (sanitizer/hook_tsan.c and hook_asan.c, linked
 * into every program of those flavours): their findings arrive at the violation sink like any other. helgrind, drd
 * and memcheck write an XML file (valgrind --xml=yes --xml-file=FILE), which solo_tool_report_read turns into the
 * same record.
 *
 * One process reports a race of ThreadSanitizer once, and dies of the first error of AddressSanitizer: who counts the
 * schedules that show one gives each schedule its own process.
 *
 * In a record that came from a tool,
 *     from_tool               says which one,
 *     thread, stack           are who made the access that was reported, and where,
 *     owner, owner_stack      are the other side: the thread of the conflicting access, and where; for memcheck
 *                             where the block was allocated or freed,
 *     owner_bound             says what that other side did: "earlier write of 4 bytes", "block was free'd",
 *     text                    is one sentence with both sides,
 *     amount                  is the size of the access, or the bytes leaked.
 */
#ifndef SOLO_TOOL_REPORT_H
#define SOLO_TOOL_REPORT_H

#include <solo/detail.h>
#include <solo/violation.h>

#ifdef __cplusplus
extern "C" {
#endif

/* The values of solo_violation.from_tool. */
enum solo_tool {
    SOLO_TOOL_NONE = 0, /* the kit itself */
    SOLO_TOOL_TSAN,
    SOLO_TOOL_HELGRIND,
    SOLO_TOOL_DRD,
    SOLO_TOOL_MEMCHECK,
    SOLO_TOOL_ASAN,
    SOLO_TOOL_COUNT
};

/* What every SOLO017 says under help, whichever tool found it. */
#define SOLO_TOOL_RACE_HELP                                                                                            \
    "let one thread own the data and hand work to it (solo_reactor_call_from_thread), or hold one solo_mutex around "  \
    "every use"

/* And every SOLO016. */
#define SOLO_TOOL_LOCK_HELP "take locks in one order everywhere, and unlock only what this thread holds"

enum { SOLO_TOOL_WHY_MAX = 256 };

/* "ThreadSanitizer", "helgrind", "drd", "memcheck", "AddressSanitizer"; "" for NONE and anything else. */
SOLO_ANY_THREAD SOLO_PUBLIC const char *solo_tool_name(unsigned tool);

/* Gets each finding; both records are valid only during the call. `detail` has the frames as the tool names them. */
typedef void (*solo_tool_report_fn)(const struct solo_violation *violation, const struct solo_detail *detail,
                                    void *arg);

/*
 * Reads an XML file of helgrind, drd or memcheck and calls fn(violation, detail, arg) for each error in it, in the
 * file's order: races are SOLO017, misused locks and lock orders SOLO016, memory errors and leaks SOLO018. `count` of
 * a violation is how often the tool saw it. *ret_count is the number of calls; it may be NULL.
 *
 * -EINVAL: path or fn is NULL. -ENOENT, -EACCES, ...: the file cannot be opened. -EBADMSG: it is not a whole valgrind
 * XML file; fn was not called. -ENOMEM. Each but the first puts one line for the user, with file and line, into
 * `why`.
 * Runs: fn on the calling thread.
 */
SOLO_ANY_THREAD SOLO_PUBLIC int solo_tool_report_read(const char *path, solo_tool_report_fn fn, void *arg,
                                                      unsigned *ret_count, char why[SOLO_TOOL_WHY_MAX]);

#ifdef __cplusplus
}
#endif
#endif
