/*
 * test_tool_report.c - findings of other tools as the kit's record: helgrind, drd and memcheck XML.
 */
#include "runner.h"
#include <errno.h>
#include <solo/tool_report.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- Small XML files as valgrind 3.19 writes them ---- */

#define HEAD(tool)                                                                                                     \
    "<?xml version=\"1.0\"?>\n<valgrindoutput>\n<protocolversion>4</protocolversion>\n<protocoltool>" tool             \
    "</protocoltool>\n"
#define FRAME(object, function, line)                                                                                  \
    "<frame><ip>0x1091BD</ip><obj>" object "</obj><fn>" function                                                       \
    "</fn><dir>/elsewhere/src</dir><file>bank.c</file><line>" #line "</line></frame>\n"
#define PRELOAD "<frame><ip>0x484C7D6</ip><obj>/usr/libexec/valgrind/vgpreload_helgrind-amd64-linux.so</obj></frame>\n"
#define COUNTS(count)                                                                                                  \
    "<errorcounts><pair><count>" #count "</count><unique>0x0</unique></pair></errorcounts>\n</valgrindoutput>\n"

static const char helgrind_race[] = HEAD(
    "helgrind") "<error><unique>0x0</unique><tid>2</tid><threadname>worker#2</threadname><kind>Race</kind>\n"
                "<xwhat><text>Possible data race during read of size 4 at 0x10C080 by thread "
                "#3</text><hthreadid>3</hthreadid></xwhat>\n"
                "<stack>" PRELOAD FRAME("/home/bank", "deposit", 5) FRAME(
                    "/home/bank", "work",
                    9) "</stack>\n"
                       "<xauxwhat><text>This conflicts with a previous write of size 8 by thread "
                       "#2</text><hthreadid>2</hthreadid></xauxwhat>\n"
                       "<stack>" FRAME(
                           "/home/bank", "withdraw",
                           12) "</stack>\n"
                               "<auxwhat>Address 0x10c080 is 0 bytes inside data symbol \"counter\"</auxwhat></error>\n"
                               "<error><unique>0x1</unique><tid>3</tid><threadname>worker#1</threadname><kind>Race</"
                               "kind>\n"
                               "<xwhat><text>Possible data race during write of size 1 at 0x10C084 by thread "
                               "#2</text><hthreadid>2</hthreadid></xwhat>\n"
                               "<stack>" FRAME("/home/bank", "close_account",
                                               30) "</stack>\n"
                                                   "<xauxwhat><text>This conflicts with a previous read of size 1 by "
                                                   "thread #1</text><hthreadid>1</hthreadid></xauxwhat>\n"
                                                   "<stack>" FRAME("/home/bank", "main",
                                                                   50) "</stack></error>\n" COUNTS(7);

static const char helgrind_locks[] = HEAD(
    "helgrind") "<error><unique>0x0</unique><tid>1</tid><kind>LockOrder</kind>\n"
                "<xwhat><text>Thread #1: lock order \"0x10C0A0 before 0x10C0E0\" "
                "violated</text><hthreadid>1</hthreadid></xwhat>\n"
                "<stack>" FRAME(
                    "/home/bank", "main",
                    10) "</stack>\n"
                        "<auxwhat>Required order was established by acquisition of lock at 0x10C0A0</auxwhat>\n"
                        "<stack>" FRAME("/home/bank", "main",
                                        9) "</stack></error>\n"
                                           "<error><unique>0x1</unique><tid>1</tid><kind>UnlockUnlocked</kind>\n"
                                           "<xwhat><text>Thread #1 unlocked a not-locked lock at "
                                           "0x10C0E0</text><hthreadid>1</hthreadid></xwhat>\n"
                                           "<stack>" FRAME("/home/bank", "main", 11) "</stack></error>\n" COUNTS(1);

static const char drd_race[] = HEAD(
    "drd") "<error><unique>0x0</unique><tid>2</tid><threadname>worker#2</threadname><kind>ConflictingAccess</kind>\n"
           "<what>Conflicting store by thread 3 at 0x0010c080 size 4</what>\n"
           "<stack>" FRAME(
               "/home/bank", "deposit",
               5) "</stack>\n"
                  "<auxwhat>Allocation context: BSS section of /home/bank</auxwhat>\n"
                  "<other_segment_start></other_segment_start><other_segment_end></other_segment_end></error>\n" COUNTS(
                      2);

static const char memcheck_errors[] = HEAD(
    "memcheck") "<error><unique>0x0</unique><tid>1</tid><kind>InvalidRead</kind><what>Invalid read of size 1</what>\n"
                "<stack>" FRAME(
                    "/home/bank", "statement",
                    5) "</stack>\n"
                       "<auxwhat>Address 0x5243333 is 3 bytes inside a block of size 8 free'd</auxwhat>\n"
                       "<stack>" FRAME(
                           "/home/bank", "close_account",
                           6) "</stack>\n"
                              "<auxwhat>Block was alloc'd at</auxwhat>\n"
                              "<stack>" FRAME(
                                  "/home/bank", "open_account",
                                  7) "</stack></error>\n"
                                     "<error><unique>0x2</unique><tid>1</tid><kind>Leak_DefinitelyLost</kind>\n"
                                     "<xwhat><text>10 bytes in 1 blocks are definitely lost in loss record 1 of "
                                     "1</text><leakedbytes>10</leakedbytes>"
                                     "<leakedblocks>1</leakedblocks></xwhat>\n"
                                     "<stack>" FRAME("/usr/libexec/valgrind/vgpreload_memcheck-amd64-linux.so",
                                                     "malloc", 1)
                                         FRAME("/home/bank", "open_account", 7) "</stack></error>\n" COUNTS(4);

/* ---- Helpers ---- */

enum { KEPT_MAX = 4 };

struct kept {
    unsigned count;
    struct solo_violation violations[KEPT_MAX];
    struct solo_detail details[KEPT_MAX];
};

static void keep(const struct solo_violation *violation, const struct solo_detail *detail, void *arg)
{
    struct kept *kept = arg;
    if (kept->count < KEPT_MAX) {
        kept->violations[kept->count] = *violation;
        kept->details[kept->count] = *detail;
    }
    kept->count++;
}

static const char *write_file(const char *text, size_t size)
{
    const char *path = runner_scratch_path("tool.xml");
    FILE *file = fopen(path, "wb");
    CU_ASSERT_PTR_NOT_NULL_FATAL(file);
    CU_ASSERT_EQUAL(fwrite(text, 1, size, file), size);
    fclose(file);
    return path;
}

static struct kept kept;
static char why[SOLO_TOOL_WHY_MAX];

/* Reads a file with this text; what it delivered is in `kept`. */
static int read_text(const char *text, size_t size)
{
    unsigned count = 99;
    memset(&kept, 0, sizeof kept);
    why[0] = '\0';
    int result = solo_tool_report_read(write_file(text, size), keep, &kept, &count, why);
    CU_ASSERT_EQUAL(count, result == 0 ? kept.count : 99);
    return result;
}

static void check_no_address(const char *text)
{
    CU_ASSERT_PTR_NULL(strstr(text, "0x"));
}

/* ---- Races ---- */

static void test_tool_report__a_race_of_helgrind_names_both_sides(void)
{
    CU_ASSERT_EQUAL(read_text(helgrind_race, sizeof helgrind_race - 1), 0);
    CU_ASSERT_EQUAL(kept.count, 2);
    const struct solo_violation *race = &kept.violations[0];
    CU_ASSERT_EQUAL(race->id, SOLO017_DATA_RACE);
    CU_ASSERT_EQUAL(race->from_tool, SOLO_TOOL_HELGRIND);
    CU_ASSERT_STRING_EQUAL(race->thread, "worker#2");
    CU_ASSERT_STRING_EQUAL(race->owner, "worker#1");
    CU_ASSERT_STRING_EQUAL(race->owner_bound, "earlier write of 8 bytes");
    CU_ASSERT_STRING_EQUAL(race->text,
                           "a read of 4 bytes by worker#2 and an earlier write of 8 bytes by worker#1 are not "
                           "ordered by anything");
    CU_ASSERT_EQUAL(race->amount, 4);
    CU_ASSERT_NOT_EQUAL(race->help[0], '\0');
    CU_ASSERT_STRING_EQUAL(kept.details[0].frames[0].function, "deposit");
    CU_ASSERT_STRING_EQUAL(kept.details[0].owner_frames[0].function, "withdraw");
    CU_ASSERT_EQUAL(kept.details[0].owner_frames[0].line, 12);
}

static void test_tool_report__the_first_thread_is_main(void)
{
    CU_ASSERT_EQUAL(read_text(helgrind_race, sizeof helgrind_race - 1), 0);
    CU_ASSERT_STRING_EQUAL(kept.violations[1].thread, "worker#1");
    CU_ASSERT_STRING_EQUAL(kept.violations[1].owner, "main");
    CU_ASSERT_STRING_EQUAL(kept.violations[1].owner_bound, "earlier read of 1 byte");
}

static void test_tool_report__a_thread_without_a_name_keeps_its_number(void)
{
    CU_ASSERT_EQUAL(read_text(drd_race, sizeof drd_race - 1), 0);
    CU_ASSERT_STRING_EQUAL(kept.violations[0].thread, "worker#2");
    char unnamed[sizeof drd_race];
    memcpy(unnamed, drd_race, sizeof drd_race);
    memcpy(strstr(unnamed, "<threadname>") + 1, "T", 1);
    memcpy(strstr(unnamed, "</threadname>") + 2, "T", 1);
    CU_ASSERT_EQUAL(read_text(unnamed, sizeof unnamed - 1), 0);
    CU_ASSERT_STRING_EQUAL(kept.violations[0].thread, "thread #3");
}

static void test_tool_report__how_often_comes_from_the_counts(void)
{
    CU_ASSERT_EQUAL(read_text(helgrind_race, sizeof helgrind_race - 1), 0);
    CU_ASSERT_EQUAL(kept.violations[0].count, 7);
    CU_ASSERT_EQUAL(kept.violations[1].count, 1);
}

static void test_tool_report__frames_of_tool_and_library_are_left_out_of_the_words(void)
{
    CU_ASSERT_EQUAL(read_text(helgrind_race, sizeof helgrind_race - 1), 0);
    CU_ASSERT_EQUAL(kept.violations[0].stack.count, 3);
    CU_ASSERT_EQUAL(kept.violations[0].stack.frames[0], 0x484C7D6);
    CU_ASSERT_EQUAL(kept.details[0].frame_count, 2);
    CU_ASSERT_STRING_EQUAL(kept.details[0].frames[1].function, "work");
    CU_ASSERT_STRING_EQUAL(kept.details[0].frames[1].file, "/elsewhere/src/bank.c");
    CU_ASSERT_EQUAL(kept.details[0].frames[1].line, 9);
}

static void test_tool_report__a_conflicting_access_of_drd_is_a_race(void)
{
    CU_ASSERT_EQUAL(read_text(drd_race, sizeof drd_race - 1), 0);
    CU_ASSERT_EQUAL(kept.count, 1);
    CU_ASSERT_EQUAL(kept.violations[0].id, SOLO017_DATA_RACE);
    CU_ASSERT_EQUAL(kept.violations[0].from_tool, SOLO_TOOL_DRD);
    CU_ASSERT_EQUAL(kept.violations[0].count, 2);
    CU_ASSERT_EQUAL(kept.violations[0].amount, 4);
    CU_ASSERT_STRING_EQUAL(kept.violations[0].text,
                           "a write of 4 bytes by worker#2 is not ordered with another thread's access");
}

/* ---- Locks and memory ---- */

static void test_tool_report__misused_locks_are_not_races(void)
{
    CU_ASSERT_EQUAL(read_text(helgrind_locks, sizeof helgrind_locks - 1), 0);
    CU_ASSERT_EQUAL(kept.count, 2);
    CU_ASSERT_EQUAL(kept.violations[0].id, SOLO016_LOCK_ORDER);
    CU_ASSERT_STRING_EQUAL(kept.violations[0].text, "main takes two locks in the opposite order to an earlier time");
    CU_ASSERT_EQUAL(kept.details[0].owner_frames[0].line, 9);
    CU_ASSERT_EQUAL(kept.violations[1].id, SOLO016_LOCK_ORDER);
    CU_ASSERT_STRING_EQUAL(kept.violations[1].text, "Thread #1 unlocked a not-locked lock");
}

static void test_tool_report__a_bad_access_says_where_the_block_went(void)
{
    CU_ASSERT_EQUAL(read_text(memcheck_errors, sizeof memcheck_errors - 1), 0);
    const struct solo_violation *access = &kept.violations[0];
    CU_ASSERT_EQUAL(access->id, SOLO018_MEMORY);
    CU_ASSERT_EQUAL(access->from_tool, SOLO_TOOL_MEMCHECK);
    CU_ASSERT_EQUAL(access->count, 4);
    CU_ASSERT_STRING_EQUAL(access->text, "Invalid read of size 1; Address is 3 bytes inside a block of size 8 free'd");
    CU_ASSERT_STRING_EQUAL(access->owner_bound, "Address is 3 bytes inside a block of size 8 free'd");
    CU_ASSERT_STRING_EQUAL(kept.details[0].owner_frames[0].function, "close_account");
}

static void test_tool_report__a_leak_says_how_much_and_where(void)
{
    CU_ASSERT_EQUAL(read_text(memcheck_errors, sizeof memcheck_errors - 1), 0);
    CU_ASSERT_EQUAL(kept.count, 2);
    CU_ASSERT_EQUAL(kept.violations[1].id, SOLO018_MEMORY);
    CU_ASSERT_EQUAL(kept.violations[1].amount, 10);
    CU_ASSERT_EQUAL(kept.violations[1].count, 1);
    CU_ASSERT_STRING_EQUAL(kept.details[1].frames[0].function, "open_account");
}

static void test_tool_report__no_text_holds_an_address(void)
{
    static const struct {
        const char *text;
        size_t size;
    } files[] = {{helgrind_race, sizeof helgrind_race - 1},
                 {helgrind_locks, sizeof helgrind_locks - 1},
                 {drd_race, sizeof drd_race - 1},
                 {memcheck_errors, sizeof memcheck_errors - 1}};
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        CU_ASSERT_EQUAL(read_text(files[i].text, files[i].size), 0);
        for (unsigned j = 0; j < kept.count && j < KEPT_MAX; j++) {
            check_no_address(kept.violations[j].text);
            check_no_address(kept.violations[j].owner_bound);
        }
    }
}

/* ---- Bad files ---- */

static void check_refused(const char *text, size_t size)
{
    CU_ASSERT_EQUAL(read_text(text, size), -EBADMSG);
    CU_ASSERT_EQUAL(kept.count, 0);
    CU_ASSERT_NOT_EQUAL(why[0], '\0');
    CU_ASSERT_PTR_NULL(strchr(why, '\n'));
}

static void test_tool_report__a_cut_file_delivers_nothing_and_says_where(void)
{
    size_t end = (size_t)(strstr(memcheck_errors, "</valgrindoutput>") - memcheck_errors) + strlen("</valgrindoutput>");
    for (size_t size = 0; size < end; size += 1 + size / 50) {
        check_refused(memcheck_errors, size);
    }
    check_refused(memcheck_errors, end - 1);
    CU_ASSERT_PTR_NOT_NULL(strstr(why, "tool.xml:"));
    CU_ASSERT_EQUAL(read_text(memcheck_errors, end), 0);
}

static void test_tool_report__other_files_are_refused(void)
{
    static const char text[] = "==123== Possible data race\n";
    static const char other_root[] = "<testsuites/>\n";
    static const char other_tool[] = HEAD("massif") "</valgrindoutput>";
    check_refused(text, sizeof text - 1);
    check_refused(other_root, sizeof other_root - 1);
    check_refused(other_tool, sizeof other_tool - 1);
}

static void test_tool_report__an_error_with_nothing_in_it_is_survived(void)
{
    static const char empty[] =
        HEAD("helgrind") "<error/><error><kind>Race</kind><stack/><stack/></error></valgrindoutput>";
    CU_ASSERT_EQUAL(read_text(empty, sizeof empty - 1), 0);
    CU_ASSERT_EQUAL(kept.count, 2);
    CU_ASSERT_EQUAL(kept.violations[1].id, SOLO017_DATA_RACE);
}

static void test_tool_report__very_long_texts_are_cut(void)
{
    enum { LONG = 20000 };
    char *text = malloc(LONG + 1000);
    size_t used = (size_t)sprintf(text, "%s<error><kind>InvalidRead</kind><what>", HEAD("memcheck"));
    memset(text + used, 'x', LONG);
    used += LONG;
    used += (size_t)sprintf(text + used, "</what></error></valgrindoutput>");
    CU_ASSERT_EQUAL(read_text(text, used), 0);
    CU_ASSERT_EQUAL(strlen(kept.violations[0].text), SOLO_VIOLATION_TEXT_MAX - 1);
    free(text);
}

static void test_tool_report__an_expanding_entity_is_refused_or_harmless(void)
{
    static const char bomb[] = "<!DOCTYPE x [<!ENTITY a \"aaaaaaaaaa\"><!ENTITY b \"&a;&a;&a;&a;&a;&a;&a;&a;\">"
                               "<!ENTITY c \"&b;&b;&b;&b;&b;&b;&b;&b;\"><!ENTITY d \"&c;&c;&c;&c;&c;&c;&c;&c;\">"
                               "<!ENTITY e \"&d;&d;&d;&d;&d;&d;&d;&d;\"><!ENTITY f \"&e;&e;&e;&e;&e;&e;&e;&e;\">]>"
                               "<valgrindoutput><protocoltool>drd</protocoltool><error><what>&f;&f;&f;</what></error>"
                               "</valgrindoutput>";
    int result = read_text(bomb, sizeof bomb - 1);
    CU_ASSERT_TRUE(result == 0 || result == -EBADMSG);
}

static void test_tool_report__a_file_that_cannot_be_read_says_why(void)
{
    CU_ASSERT_EQUAL(solo_tool_report_read("does/not/exist.xml", keep, &kept, NULL, why), -ENOENT);
    CU_ASSERT_STRING_EQUAL(why, "does/not/exist.xml: No such file or directory");
    CU_ASSERT_EQUAL(solo_tool_report_read("/", keep, &kept, NULL, why), -EISDIR);
    CU_ASSERT_EQUAL(solo_tool_report_read(NULL, keep, &kept, NULL, why), -EINVAL);
    CU_ASSERT_EQUAL(solo_tool_report_read("/", NULL, NULL, NULL, why), -EINVAL);
}

static void test_tool_report__tools_have_names(void)
{
    CU_ASSERT_STRING_EQUAL(solo_tool_name(SOLO_TOOL_TSAN), "ThreadSanitizer");
    CU_ASSERT_STRING_EQUAL(solo_tool_name(SOLO_TOOL_DRD), "drd");
    CU_ASSERT_STRING_EQUAL(solo_tool_name(SOLO_TOOL_NONE), "");
    CU_ASSERT_STRING_EQUAL(solo_tool_name(SOLO_TOOL_COUNT), "");
}

void suite_tool_report(void)
{
    SOLO_SUITE("tool_report");
    SOLO_TEST(test_tool_report__a_race_of_helgrind_names_both_sides);
    SOLO_TEST(test_tool_report__the_first_thread_is_main);
    SOLO_TEST(test_tool_report__a_thread_without_a_name_keeps_its_number);
    SOLO_TEST(test_tool_report__how_often_comes_from_the_counts);
    SOLO_TEST(test_tool_report__frames_of_tool_and_library_are_left_out_of_the_words);
    SOLO_TEST(test_tool_report__a_conflicting_access_of_drd_is_a_race);
    SOLO_TEST(test_tool_report__misused_locks_are_not_races);
    SOLO_TEST(test_tool_report__a_bad_access_says_where_the_block_went);
    SOLO_TEST(test_tool_report__a_leak_says_how_much_and_where);
    SOLO_TEST(test_tool_report__no_text_holds_an_address);
    SOLO_TEST(test_tool_report__a_cut_file_delivers_nothing_and_says_where);
    SOLO_TEST(test_tool_report__other_files_are_refused);
    SOLO_TEST(test_tool_report__an_error_with_nothing_in_it_is_survived);
    SOLO_TEST(test_tool_report__very_long_texts_are_cut);
    SOLO_TEST(test_tool_report__an_expanding_entity_is_refused_or_harmless);
    SOLO_TEST(test_tool_report__a_file_that_cannot_be_read_says_why);
    SOLO_TEST(test_tool_report__tools_have_names);
}
