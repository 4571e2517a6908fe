/* test_violation.c - what becomes of a finding: delivery, de-duplication, counts, the default sink, and names. */
#include <solo/violation.h>
#include "runner.h"
#include <solo/sim.h>
#include <solo/thread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static unsigned delivered;
static struct solo_violation last;
static void *last_arg;

static void keep(const struct solo_violation *violation, void *arg)
{
    __atomic_add_fetch(&delivered, 1, __ATOMIC_RELAXED);
    last = *violation;
    last_arg = arg;
}

static void count_only(const struct solo_violation *violation, void *arg)
{
    (void)violation;
    (void)arg;
    __atomic_add_fetch(&delivered, 1, __ATOMIC_RELAXED);
}

static void begin(void)
{
    delivered = 0;
    solo_violation_reset();
    CU_ASSERT_EQUAL(solo_violation_set_sink(keep, &last), 0);
}

/* One that was made at `site`; 0: nowhere in particular. */
static struct solo_violation at(unsigned id, uint64_t site)
{
    struct solo_violation violation;
    memset(&violation, 0, sizeof violation);
    violation.id = id;
    violation.count = 1;
    if (site != 0) {
        violation.stack.count = 1;
        violation.stack.frames[0] = site;
    }
    return violation;
}

static void report(struct solo_violation violation)
{
    CU_ASSERT_EQUAL(solo_violation_report(&violation), 0);
}

/* ---- Delivery ---- */

static void test_violation__a_finding_reaches_the_sink_as_it_was_made(void)
{
    struct solo_violation made = at(SOLO011_WORK_LOST, 0x1234);
    begin();
    strcpy(made.text, "three jobs were lost");
    made.amount = 3;
    report(made);
    CU_ASSERT_EQUAL(delivered, 1);
    CU_ASSERT_EQUAL(memcmp(&last, &made, sizeof made), 0);
    CU_ASSERT_PTR_EQUAL(last_arg, &last);
}

static void test_violation__the_same_id_function_and_place_is_delivered_once_and_counted(void)
{
    begin();
    for (int i = 0; i < 5; i++) {
        report(at(SOLO006_USE_AFTER_END, 0x1234));
    }
    CU_ASSERT_EQUAL(delivered, 1);
    CU_ASSERT_EQUAL(solo_violation_count(SOLO006_USE_AFTER_END), 5);
    CU_ASSERT_EQUAL(solo_violation_count(SOLO008_DEFERRED), 0);
}

static void test_violation__another_id_function_or_place_is_another_finding(void)
{
    struct solo_violation other_function = at(SOLO006_USE_AFTER_END, 0x1234);
    strcpy(other_function.function, "solo_worker_do");
    begin();
    report(at(SOLO006_USE_AFTER_END, 0x1234));
    report(at(SOLO007_CONFINED_SHARED, 0x1234));
    report(at(SOLO006_USE_AFTER_END, 0x5678));
    report(other_function);
    CU_ASSERT_EQUAL(delivered, 4);
    CU_ASSERT_EQUAL(solo_violation_count(SOLO006_USE_AFTER_END), 3);
}

static void test_violation__findings_made_nowhere_are_told_apart_by_who_queued_them_or_by_object(void)
{
    struct solo_violation first = at(SOLO011_WORK_LOST, 0), second = first, third = first, fourth = first;
    first.object_id = 1;
    second.object_id = 2;
    third.queued_stack.count = fourth.queued_stack.count = 1;
    third.queued_stack.frames[0] = 0x1111;
    fourth.queued_stack.frames[0] = 0x2222;
    begin();
    report(first);
    report(second);
    report(third);
    report(fourth);
    report(second);
    report(fourth);
    CU_ASSERT_EQUAL(delivered, 4);
}

static void test_violation__reset_forgets_what_was_found(void)
{
    begin();
    report(at(SOLO004_DEADLOCK, 0x1));
    solo_violation_reset();
    CU_ASSERT_EQUAL(solo_violation_count(SOLO004_DEADLOCK), 0);
    report(at(SOLO004_DEADLOCK, 0x1));
    CU_ASSERT_EQUAL(delivered, 2);
    CU_ASSERT_EQUAL(solo_violation_count(SOLO004_DEADLOCK), 1);
}

static void test_violation__beyond_256_different_findings_the_rest_is_counted(void)
{
    begin();
    for (uint64_t site = 1; site <= 300; site++) {
        report(at(SOLO008_DEFERRED, site));
    }
    CU_ASSERT_EQUAL(delivered, 256);
    CU_ASSERT_EQUAL(solo_violation_count(SOLO008_DEFERRED), 300);
}

static void test_violation__nothing_is_refused(void)
{
    struct solo_violation none = at(SOLO_NO_VIOLATION, 0);
    begin();
    CU_ASSERT_EQUAL(solo_violation_report(NULL), -EINVAL);
    CU_ASSERT_EQUAL(solo_violation_report(&none), -EINVAL);
    CU_ASSERT_EQUAL(delivered, 0);
    CU_ASSERT_EQUAL(solo_violation_count(9999), 0);
}

static void report_from_sink(const struct solo_violation *violation, void *arg)
{
    keep(violation, arg);
    if (violation->id != SOLO019_NONDETERMINISM) {
        report(at(SOLO019_NONDETERMINISM, 0x1));
    }
}

static void test_violation__a_sink_may_report(void)
{
    begin();
    CU_ASSERT_EQUAL(solo_violation_set_sink(report_from_sink, NULL), 0);
    report(at(SOLO001_WRONG_THREAD, 0x1));
    CU_ASSERT_EQUAL(delivered, 2);
    CU_ASSERT_EQUAL(last.id, SOLO019_NONDETERMINISM);
}

enum { THREADS = 4, EACH = 300 };

static void report_many(void *arg)
{
    (void)arg;
    for (uint64_t i = 0; i < EACH; i++) {
        report(at(SOLO017_DATA_RACE, 1 + i % 10));
    }
}

static void from_many_threads(void *arg)
{
    struct solo_thread *threads[THREADS];
    begin();
    CU_ASSERT_EQUAL(solo_violation_set_sink(count_only, arg), 0);
    for (unsigned i = 0; i < THREADS; i++) {
        CU_ASSERT_EQUAL_FATAL(solo_thread_create(report_many, NULL, &threads[i]), 0);
    }
    for (unsigned i = 0; i < THREADS; i++) {
        CU_ASSERT_EQUAL(solo_thread_join(threads[i]), 0);
    }
    CU_ASSERT_EQUAL(delivered, 10);
    CU_ASSERT_EQUAL(solo_violation_count(SOLO017_DATA_RACE), THREADS * EACH);
}

static void test_violation__threads_may_report_at_the_same_time(void)
{
    from_many_threads(NULL);
}

static void test_violation__virtual_threads_may_report_too(void)
{
    struct solo_sim_options options = {.carrier = SOLO_CARRIER_TOKEN};
    struct solo_sim *sim = NULL;
    CU_ASSERT_EQUAL_FATAL(solo_sim_create(&options, &sim), 0);
    CU_ASSERT_EQUAL(solo_sim_run(sim, 1, from_many_threads, NULL), SOLO_ENDING_RETURNED);
    solo_sim_destroy(sim);
}

/* ---- The default sink, in a process of its own ---- */

/* Runs fn in a child that exits normally; what it wrote to standard error goes into `said`. */
static int in_child(void (*fn)(void), const char *policy, char *said, size_t size)
{
    int ends[2];
    CU_ASSERT_EQUAL_FATAL(pipe(ends), 0);
    fflush(NULL);
    pid_t child = fork();
    if (child == 0) {
        dup2(ends[1], STDERR_FILENO);
        close(ends[0]);
        close(ends[1]);
        if (policy != NULL) {
            const char *program = runner_build_path("bin/solo-tests");
            setenv("SOLO_POLICY", policy, 1);
            execl(program, program, "--list", "violation.test_violation__nothing_is_refused", (char *)NULL);
        }
        solo_violation_reset();
        solo_violation_set_sink(NULL, NULL);
        fn();
        exit(0);
    }
    close(ends[1]);
    size_t used = 0;
    for (ssize_t got; used + 1 < size && (got = read(ends[0], said + used, size - 1 - used)) > 0; used += (size_t)got) {
    }
    said[used] = '\0';
    close(ends[0]);
    int status = 0;
    CU_ASSERT_EQUAL(waitpid(child, &status, 0), child);
    return status;
}

static void make_one_with_help(void)
{
    struct solo_violation violation = at(SOLO001_WRONG_THREAD, 0x1);
    strcpy(violation.function, "solo_transport_write");
    strcpy(violation.text, "it was called on pool#2");
    strcpy(violation.help, "call something else");
    report(violation);
}

static void test_violation__the_default_sink_prints_a_line_and_a_hint(void)
{
    char said[1024];
    CU_ASSERT_EQUAL(in_child(make_one_with_help, NULL, said, sizeof said), 0);
    CU_ASSERT_STRING_EQUAL(said, "SOLO001: it was called on pool#2\n    help: call something else\n");
}

static void make_one_without_words(void)
{
    report(at(SOLO014_LOST_WAKEUP, 0x1));
}

static void test_violation__the_default_sink_falls_back_on_the_title(void)
{
    char said[1024];
    CU_ASSERT_EQUAL(in_child(make_one_without_words, NULL, said, sizeof said), 0);
    CU_ASSERT_STRING_EQUAL(said, "SOLO014: lost wake-up: work is queued and the reactor sleeps\n");
}

static void make_three(void)
{
    for (int i = 0; i < 3; i++) {
        make_one_with_help();
    }
    make_one_without_words();
}

static void test_violation__repeated_findings_are_summed_up_when_the_process_ends(void)
{
    char said[1024];
    CU_ASSERT_EQUAL(in_child(make_three, NULL, said, sizeof said), 0);
    CU_ASSERT_PTR_NOT_NULL(strstr(said, "\nSOLO001: solo_transport_write: made 3 times in all from that place\n"));
    CU_ASSERT_PTR_NULL(strstr(said, "SOLO014: made"));
}

static void make_too_many(void)
{
    struct solo_violation violation;
    for (uint64_t site = 1; site <= 260; site++) {
        violation = at(SOLO008_DEFERRED, site);
        solo_violation_report(&violation);
    }
}

static void test_violation__what_was_not_printed_is_said_when_the_process_ends(void)
{
    static char said[65536];
    CU_ASSERT_EQUAL(in_child(make_too_many, NULL, said, sizeof said), 0);
    CU_ASSERT_PTR_NOT_NULL(strstr(said, "solo: 4 more findings beyond the first 256 were not printed\n"));
}

static void test_violation__a_policy_that_does_not_exist_is_named_at_the_start(void)
{
    char said[1024];
    CU_ASSERT_EQUAL(in_child(NULL, "whatever", said, sizeof said), 0);
    CU_ASSERT_STRING_EQUAL(said, "solo: SOLO_POLICY=whatever is not refuse, abort or report; refuse it is\n");
    CU_ASSERT_EQUAL(in_child(NULL, "report", said, sizeof said), 0);
    CU_ASSERT_STRING_EQUAL(said, "");
}

/* ---- Names ---- */

static void test_violation__every_id_has_a_name_and_a_title_of_its_own(void)
{
    char name[8];
    CU_ASSERT_STRING_EQUAL(solo_violation_name(SOLO001_WRONG_THREAD, name), "SOLO001");
    CU_ASSERT_STRING_EQUAL(solo_violation_name(SOLO019_NONDETERMINISM, name), "SOLO019");
    for (unsigned id = 1; id <= 19; id++) {
        CU_ASSERT_STRING_NOT_EQUAL(solo_violation_title(id), "");
        for (unsigned other = 1; other < id; other++) {
            CU_ASSERT_STRING_NOT_EQUAL(solo_violation_title(id), solo_violation_title(other));
        }
    }
    CU_ASSERT_STRING_EQUAL(solo_violation_title(0), "");
    CU_ASSERT_STRING_EQUAL(solo_violation_title(20), "");
    CU_ASSERT_STRING_EQUAL(solo_violation_name(123456, name), "SOLO456");
}

void suite_violation(void)
{
    SOLO_SUITE("violation");
    SOLO_TEST(test_violation__a_finding_reaches_the_sink_as_it_was_made);
    SOLO_TEST(test_violation__the_same_id_function_and_place_is_delivered_once_and_counted);
    SOLO_TEST(test_violation__another_id_function_or_place_is_another_finding);
    SOLO_TEST(test_violation__findings_made_nowhere_are_told_apart_by_who_queued_them_or_by_object);
    SOLO_TEST(test_violation__reset_forgets_what_was_found);
    SOLO_TEST(test_violation__beyond_256_different_findings_the_rest_is_counted);
    SOLO_TEST(test_violation__nothing_is_refused);
    SOLO_TEST(test_violation__a_sink_may_report);
    SOLO_TEST(test_violation__threads_may_report_at_the_same_time);
    SOLO_TEST(test_violation__virtual_threads_may_report_too);
    SOLO_TEST(test_violation__the_default_sink_prints_a_line_and_a_hint);
    SOLO_TEST(test_violation__the_default_sink_falls_back_on_the_title);
    SOLO_TEST(test_violation__repeated_findings_are_summed_up_when_the_process_ends);
    SOLO_TEST(test_violation__what_was_not_printed_is_said_when_the_process_ends);
    SOLO_TEST(test_violation__a_policy_that_does_not_exist_is_named_at_the_start);
    SOLO_TEST(test_violation__every_id_has_a_name_and_a_title_of_its_own);
}
