/*
 * test_sanitizer.c - reports of ThreadSanitizer and AddressSanitizer as records, and the annotations that they obey.
 *
 * Each test plants what the detector of its flavour must or must not see, and is skipped in the others. That a
 * planted race is found every time, under every detector, is sanitizer/selftest_run.c's matter.
 */
#include "annotate.h"
#include "runner.h"
#include <solo/sim.h>
#include <solo/thread.h>
#include <solo/tool_report.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* ---- What the sink got ---- */

enum { KEPT_MAX = 8 };

struct kept {
    unsigned count;
    struct solo_violation violations[KEPT_MAX];
};

static struct kept kept;

static void keep(const struct solo_violation *violation, void *arg)
{
    (void)arg;
    if (kept.count < KEPT_MAX) {
        kept.violations[kept.count] = *violation;
    }
    kept.count++;
}

struct simulation {
    enum solo_carrier carrier;
    int schedules;
    solo_thread_fn body;
    void *arg;
};

/* Runs the schedules. Returns 0 if each ran to its end. */
static int simulate_here(const struct simulation *simulation)
{
    struct solo_sim_options options = {.carrier = simulation->carrier};
    struct solo_sim *sim = NULL;
    int bad = solo_sim_create(&options, &sim);
    (void)solo_violation_set_sink(keep, NULL);
    for (int i = 0; i < simulation->schedules && bad == 0; i++) {
        solo_violation_reset();
        bad = solo_sim_run(sim, 1, simulation->body, simulation->arg) != SOLO_ENDING_RETURNED;
    }
    solo_sim_destroy(sim);
    return bad;
}

/*
 * In a process of its own, as a detector says the same thing only once in each. What the sink got
 * comes back through a pipe, in `kept`.
 */
static void simulate(const struct simulation *simulation)
{
    int ends[2], status = -1;
    CU_ASSERT_EQUAL_FATAL(pipe(ends), 0);
    pid_t child = fork();
    if (child == 0) {
        memset(&kept, 0, sizeof kept);
        int bad = simulate_here(simulation);
        bad |= write(ends[1], &kept, sizeof kept) != (ssize_t)sizeof kept;
        _exit(bad);
    }
    (void)close(ends[1]);
    for (size_t got = 0; got < sizeof kept;) {
        ssize_t part = read(ends[0], (char *)&kept + got, sizeof kept - got);
        CU_ASSERT_FATAL(part > 0);
        got += (size_t)part;
    }
    (void)close(ends[0]);
    CU_ASSERT_EQUAL(waitpid(child, &status, 0), child);
    CU_ASSERT_EQUAL(status, 0); /* the sink had it: the detector keeps quiet */
}

/* ---- Two threads and one balance ---- */

static int balance;
static char order __attribute__((unused)); /* an address to release and acquire */

static void deposit(void *arg)
{
    (void)arg;
    int seen = balance;
    solo_yield();
    balance = seen + 1;
}

static void overwrite(void *arg)
{
    (void)arg;
    balance = 7;
}

static void deposit_unseen(void *arg)
{
    SOLO_ANNOTATE_IGNORE_BEGIN();
    deposit(arg);
    SOLO_ANNOTATE_IGNORE_END();
}

static void deposit_in_order(void *arg)
{
    (void)arg;
    SOLO_ANNOTATE_HAPPENS_AFTER(&order);
    balance++;
    SOLO_ANNOTATE_HAPPENS_BEFORE(&order);
}

static void run_two(void *arg)
{
    struct solo_thread *threads[2] = {NULL, NULL};
    for (int i = 0; i < 2; i++) {
        (void)solo_thread_create(*(solo_thread_fn *)arg, NULL, &threads[i]);
    }
    for (int i = 0; i < 2; i++) {
        (void)solo_thread_join(threads[i]);
    }
}

static void run_one_after_another(void *arg)
{
    struct solo_thread *thread = NULL;
    for (int i = 0; i < 2; i++) {
        deposit(NULL);
        (void)solo_thread_create(*(solo_thread_fn *)arg, NULL, &thread);
        (void)solo_thread_join(thread);
    }
}

static bool under_tsan(void)
{
#ifdef SOLO_TSAN
    return true;
#else
    return false;
#endif
}

static void test_sanitizer__a_race_is_a_record_with_both_sides_on_either_carrier(void)
{
    solo_thread_fn fn = deposit;
    if (!under_tsan()) {
        SOLO_SKIP("only ThreadSanitizer's flavour sees races");
    }
    for (int carrier = SOLO_CARRIER_FIBER; carrier <= SOLO_CARRIER_TOKEN; carrier++) {
        struct simulation simulation = {(enum solo_carrier)carrier, 1, run_two, &fn};
        const struct solo_violation *race = &kept.violations[0];
        simulate(&simulation);
        CU_ASSERT_TRUE(kept.count >= 1);
        CU_ASSERT_EQUAL(race->id, SOLO017_DATA_RACE);
        CU_ASSERT_EQUAL(race->from_tool, SOLO_TOOL_TSAN);
        CU_ASSERT_EQUAL(race->amount, sizeof balance);
        CU_ASSERT_TRUE(race->stack.count > 1);
        CU_ASSERT_TRUE(race->owner_stack.count > 1);
        CU_ASSERT_TRUE(race->step > 0);
        CU_ASSERT_STRING_EQUAL(race->thread, "main/2");
        CU_ASSERT_STRING_EQUAL(race->owner, "main/1");
        CU_ASSERT_STRING_EQUAL(race->owner_bound, "earlier write of 4 bytes");
        CU_ASSERT_STRING_EQUAL(race->text,
                               "a read of 4 bytes by main/2 and an earlier write by main/1 are not ordered by "
                               "anything");
        CU_ASSERT_STRING_EQUAL(race->help, SOLO_TOOL_RACE_HELP);
    }
}

static void test_sanitizer__a_process_reports_a_race_once(void)
{
    solo_thread_fn fn = overwrite;
    struct simulation simulation = {SOLO_CARRIER_FIBER, 5, run_two, &fn};
    if (!under_tsan()) {
        SOLO_SKIP("only ThreadSanitizer's flavour sees races");
    }
    simulate(&simulation);
    CU_ASSERT_EQUAL(kept.count, 1);
}

static void check_silent(solo_thread_fn body, solo_thread_fn fn)
{
    for (int carrier = SOLO_CARRIER_FIBER; carrier <= SOLO_CARRIER_TOKEN; carrier++) {
        struct simulation simulation = {(enum solo_carrier)carrier, 5, body, &fn};
        simulate(&simulation);
        CU_ASSERT_EQUAL(kept.count, 0);
    }
}

static void test_sanitizer__whoever_takes_the_findings_can_be_asked_for(void)
{
    CU_ASSERT_FALSE(solo_violation_has_sink());
    CU_ASSERT_EQUAL(solo_violation_set_sink(keep, NULL), 0);
    CU_ASSERT_TRUE(solo_violation_has_sink());
    CU_ASSERT_EQUAL(solo_violation_set_sink(NULL, NULL), 0);
    CU_ASSERT_FALSE(solo_violation_has_sink());
}

static void test_sanitizer__creating_and_joining_order_threads(void)
{
    check_silent(run_one_after_another, deposit);
}

static void test_sanitizer__a_release_before_an_acquire_orders_threads(void)
{
    check_silent(run_two, deposit_in_order);
}

static void test_sanitizer__an_ignored_access_is_no_race(void)
{
    check_silent(run_two, deposit_unseen);
}

/* ---- Memory errors ---- */

#ifdef SOLO_ASAN

static int to_parent;

static void send(const struct solo_violation *violation, void *arg)
{
    (void)arg;
    (void)!write(to_parent, violation, sizeof *violation);
}

static void use_after_free(void *arg)
{
    volatile char *block = malloc(16);
    (void)arg;
    free((void *)block);
    block[3] = 1;
}

static void use_poisoned(void *arg)
{
    volatile char *block = malloc(16);
    (void)arg;
    SOLO_ANNOTATE_POISON((void *)block, 16);
    SOLO_ANNOTATE_UNPOISON((void *)block, 8);
    block[0] = 1;
    block[8] = 1;
}

/* Runs fn in a child that dies of it, and returns the record that it sent before. */
static struct solo_violation dies(void (*fn)(void *arg))
{
    struct solo_violation violation = {0};
    int ends[2], status = 0;
    CU_ASSERT_EQUAL_FATAL(pipe(ends), 0);
    pid_t child = fork();
    if (child == 0) {
        to_parent = ends[1];
        (void)solo_violation_set_sink(send, NULL);
        fn(NULL);
        _exit(0);
    }
    (void)close(ends[1]);
    CU_ASSERT_EQUAL(read(ends[0], &violation, sizeof violation), (ssize_t)sizeof violation);
    (void)close(ends[0]);
    CU_ASSERT_EQUAL(waitpid(child, &status, 0), child);
    CU_ASSERT_FALSE(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    return violation;
}

static void test_sanitizer__a_bad_access_is_a_record_before_the_program_dies(void)
{
    struct solo_violation violation = dies(use_after_free);
    CU_ASSERT_EQUAL(violation.id, SOLO018_MEMORY);
    CU_ASSERT_EQUAL(violation.from_tool, SOLO_TOOL_ASAN);
    CU_ASSERT_STRING_EQUAL(violation.text, "heap-use-after-free: a write of 1 byte by main");
    CU_ASSERT_STRING_EQUAL(violation.owner_bound, "block was freed");
    CU_ASSERT_TRUE(violation.stack.count > 1);
    CU_ASSERT_TRUE(violation.owner_stack.count > 1);
}

static void test_sanitizer__poisoned_memory_may_not_be_touched(void)
{
    struct solo_violation violation = dies(use_poisoned);
    CU_ASSERT_EQUAL(violation.id, SOLO018_MEMORY);
    CU_ASSERT_STRING_EQUAL(violation.text, "use-after-poison: a write of 1 byte by main");
}

#else

static void test_sanitizer__a_bad_access_is_a_record_before_the_program_dies(void)
{
    SOLO_SKIP("only AddressSanitizer's flavour sees bad accesses");
}

static void test_sanitizer__poisoned_memory_may_not_be_touched(void)
{
    SOLO_SKIP("only AddressSanitizer's flavour sees bad accesses");
}

#endif

void suite_sanitizer(void)
{
    SOLO_SUITE("sanitizer");
    SOLO_TEST(test_sanitizer__a_race_is_a_record_with_both_sides_on_either_carrier);
    SOLO_TEST(test_sanitizer__a_process_reports_a_race_once);
    SOLO_TEST(test_sanitizer__whoever_takes_the_findings_can_be_asked_for);
    SOLO_TEST(test_sanitizer__creating_and_joining_order_threads);
    SOLO_TEST(test_sanitizer__a_release_before_an_acquire_orders_threads);
    SOLO_TEST(test_sanitizer__an_ignored_access_is_no_race);
    SOLO_TEST(test_sanitizer__a_bad_access_is_a_record_before_the_program_dies);
    SOLO_TEST(test_sanitizer__poisoned_memory_may_not_be_touched);
}
