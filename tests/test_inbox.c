/*
 * test_inbox.c - SOLO014 for queues of the program's own: what they say of themselves, step by step, in loops that lose
 * wake-ups and in ones that lose none. The pthread programs are tests/plain/inbox.c.
 */
#include "runner.h"
#include "oracle.h"
#include <solo/explore.h>
#include <solo/solo.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct solo_report report; /* too large for the stack */
static struct solo_replay replay;
static struct solo_inbox inbox;

/* ---- Step by step ---- */

static struct {
    unsigned count;
    struct solo_violation first;
} seen;

static void sink(const struct solo_violation *violation, void *arg)
{
    (void)arg;
    printf("%s\n", violation->text);
    if (seen.count++ == 0) {
        seen.first = *violation;
    }
}

static void on_ending(int ending, void *arg)
{
    (void)arg;
    solo_oracles_end(ending);
}

static void begin(void)
{
    seen.count = 0;
    memset(&inbox, 0, sizeof inbox);
    solo_violation_reset();
    (void)solo_violation_set_sink(sink, NULL);
    solo_oracles_begin();
}

static void run(void (*body)(void *), void *arg)
{
    struct solo_sim_options options = {.steps_max = 20000};
    struct solo_sim *sim;
    CU_ASSERT_EQUAL_FATAL(solo_sim_create(&options, &sim), 0);
    solo_sim_set_ending_hook(sim, on_ending, NULL);
    begin();
    CU_ASSERT(solo_sim_run(sim, 1, body, arg) >= 0);
    (void)solo_violation_set_sink(NULL, NULL);
    solo_sim_destroy(sim);
}

/* "g" giving, "w" waking, "G" given; "s" sleeping, "W" woken, "t" taken: all by one thread. */
static void say_all(void *arg)
{
    static const char letters[] = "-gwGsWt";
    for (const char *at = arg; *at != '\0'; at++) {
        enum solo_inbox_step step = (enum solo_inbox_step)(strchr(letters, *at) - letters);
        solo_inbox_say(&inbox, step, step == SOLO_INBOX_GIVEN || step == SOLO_INBOX_TAKEN);
    }
}

static void expect_lost(const char *steps, bool lost)
{
    run(say_all, (void *)(uintptr_t)steps);
    CU_ASSERT_EQUAL(seen.count, lost);
    if (seen.count != lost) {
        printf("    after %s\n", steps);
    }
}

static void test_inbox__work_for_a_sleeping_loop_that_nobody_wakes_is_lost(void)
{
    expect_lost("sgG", true);
    CU_ASSERT_EQUAL(seen.first.id, SOLO014_LOST_WAKEUP);
    CU_ASSERT_STRING_EQUAL(seen.first.text, "lost wake-up: 1 piece of work lies in inbox#1, `main` sleeps, and no "
                                            "wake-up is on its way");
    CU_ASSERT_STRING_EQUAL(seen.first.object, "inbox#1");
    CU_ASSERT_EQUAL(seen.first.amount, 1);
    struct solo_frame_text frame;
    CU_ASSERT_EQUAL_FATAL(solo_symbolize_stack(&seen.first.stack, &frame, 1), 1);
    CU_ASSERT_STRING_EQUAL(frame.function, "say_all");
    uint64_t step = seen.first.step;
    expect_lost("sgGsgGsgG", true); /* once, and at the step that lost it */
    CU_ASSERT_EQUAL(seen.first.step, step);
    expect_lost("gwGWs", true);
    expect_lost("gGs", true);
    expect_lost("gwGgwGWts", true); /* two were given, one taken */
}

static void test_inbox__a_wake_up_on_its_way_or_somebody_who_is_still_giving_is_enough(void)
{
    expect_lost("sgwG", false);
    expect_lost("sgwGWts", false);
    expect_lost("gwGs", false);
    expect_lost("sggG", false);   /* the other one may wake */
    expect_lost("sggGG", true);   /* it did not */
    expect_lost("sggGwG", false); /* it did */
    expect_lost("gWwtGs", false); /* taken before it was said to be given */
    expect_lost("WtsWts", false);
}

static void test_inbox__what_makes_no_sense_says_nothing(void)
{
    begin();
    solo_inbox_say(NULL, SOLO_INBOX_GIVING, 0);
    solo_inbox_say(&inbox, (enum solo_inbox_step)0, 0);
    solo_inbox_say(&inbox, SOLO_INBOX_STEPS, 0);
    CU_ASSERT_EQUAL(inbox.object, 0);
    solo_oracles_end(SOLO_ENDING_NONE);
    CU_ASSERT_EQUAL(seen.count, 0);
    (void)solo_violation_set_sink(NULL, NULL);
    expect_lost("GGtttW", false);
}

static void test_inbox__in_world_os_it_is_said_and_not_judged(void)
{
    begin();
    say_all("sgG");
    CU_ASSERT_NOT_EQUAL(inbox.object, 0);
    solo_oracles_end(SOLO_ENDING_NONE);
    CU_ASSERT_EQUAL(seen.count, 0);
    (void)solo_violation_set_sink(NULL, NULL);
}

static void fill_many(void *arg)
{
    struct solo_inbox many[20];
    memset(many, 0, sizeof many);
    for (unsigned i = 0; i < 20; i++) {
        solo_inbox_say(&many[i], SOLO_INBOX_SLEEPING, 0);
    }
    unsigned which = *(unsigned *)arg;
    solo_inbox_say(&many[which], SOLO_INBOX_GIVING, 0);
    solo_inbox_say(&many[which], SOLO_INBOX_GIVEN, 1);
}

static void test_inbox__sixteen_are_watched(void)
{
    unsigned which = 15;
    run(fill_many, &which);
    CU_ASSERT_EQUAL(seen.count, 1);
    which = 16;
    run(fill_many, &which);
    CU_ASSERT_EQUAL(seen.count, 0);
}

/* ---- A loop on a semaphore, which is woken again in the end ---- */

enum { GIVERS = 2 };

static struct solo_mutex *mutex;
static struct solo_semaphore *wake;
static unsigned queued;
static bool is_late;

static void give(void *arg)
{
    (void)arg;
    solo_inbox_say(&inbox, SOLO_INBOX_GIVING, 0);
    (void)solo_mutex_lock(mutex);
    queued++;
    (void)solo_mutex_unlock(mutex);
    solo_inbox_say(&inbox, SOLO_INBOX_WAKING, 0);
    (void)solo_semaphore_post(wake);
    solo_inbox_say(&inbox, SOLO_INBOX_GIVEN, 1);
}

static unsigned take(void)
{
    (void)solo_mutex_lock(mutex);
    unsigned taken = queued;
    queued = 0;
    (void)solo_mutex_unlock(mutex);
    solo_inbox_say(&inbox, SOLO_INBOX_TAKEN, taken);
    return taken;
}

/* As a loop does that drains what woke it. */
static void take_wakeups(void)
{
    solo_inbox_say(&inbox, SOLO_INBOX_WOKEN, 0);
    while (solo_semaphore_wait(wake, 0) == 0) {
    }
}

/* It looks again a second later, so that nothing ever stands still for good. */
static void post_late(void *arg)
{
    (void)arg;
    (void)solo_sleep(1000000000);
    (void)solo_semaphore_post(wake);
}

static void loop(void *arg)
{
    struct solo_thread *givers[GIVERS], *rescuer;
    (void)arg;
    memset(&inbox, 0, sizeof inbox);
    queued = 0;
    CU_ASSERT_EQUAL(solo_mutex_create(&mutex), 0);
    CU_ASSERT_EQUAL(solo_semaphore_create(0, &wake), 0);
    for (unsigned i = 0; i < GIVERS; i++) {
        CU_ASSERT_EQUAL(solo_thread_create(give, NULL, &givers[i]), 0);
    }
    CU_ASSERT_EQUAL(solo_thread_create(post_late, NULL, &rescuer), 0);
    for (unsigned done = 0; done < GIVERS;) {
        solo_inbox_say(&inbox, SOLO_INBOX_SLEEPING, 0);
        (void)solo_semaphore_wait(wake, SOLO_NEVER);
        if (is_late) {
            done += take();
            take_wakeups();
        } else {
            take_wakeups();
            done += take();
        }
    }
    for (unsigned i = 0; i < GIVERS; i++) {
        CU_ASSERT_EQUAL(solo_thread_join(givers[i]), 0);
    }
    CU_ASSERT_EQUAL(solo_thread_join(rescuer), 0);
    CU_ASSERT_EQUAL(solo_mutex_destroy(mutex), 0);
    CU_ASSERT_EQUAL(solo_semaphore_destroy(wake), 0);
}

#if defined(SOLO_VALGRIND)
enum { SCHEDULES = 60 };
#else
enum { SCHEDULES = 400 };
#endif

static void explore_loop(bool late)
{
    struct solo_scenario scenario = {.name = "loop", .body = loop};
    struct solo_explore_options options;
    solo_explore_defaults(&options);
    options.schedules_max = SCHEDULES;
    is_late = late;
    CU_ASSERT_EQUAL_FATAL(solo_explore(&scenario, &options, &report), 0);
    printf("%s\n", report.evidence);
}

static void test_inbox__a_loop_that_is_rescued_a_second_later_has_lost_it_all_the_same(void)
{
    explore_loop(true);
    CU_ASSERT_EQUAL_FATAL(report.finding_count, 1);
    CU_ASSERT_EQUAL(report.findings[0].violation.id, SOLO014_LOST_WAKEUP);
    CU_ASSERT(report.findings[0].reproduced);
}

static void test_inbox__a_loop_that_takes_the_wake_up_back_first_loses_none(void)
{
    explore_loop(false);
    CU_ASSERT_EQUAL(report.verdict, SOLO_VERDICT_CLEAN);
    CU_ASSERT_EQUAL(report.schedules, SCHEDULES);
}

/* ---- Programs that are linked with nothing of the kit's ---- */

#if defined(SOLO_ASAN) || defined(SOLO_TSAN)
enum { CAN_BE_LOADED = 0, PROGRAM_SCHEDULES = 0 };
#elif defined(SOLO_VALGRIND)
enum { CAN_BE_LOADED = 1, PROGRAM_SCHEDULES = 40 };
#else
enum { CAN_BE_LOADED = 1, PROGRAM_SCHEDULES = 200 };
#endif

static char **program(const char *what)
{
    static char path[512];
    static char *argv[3];
    snprintf(path, sizeof path, "%s", runner_build_path("tests/plain/inbox"));
    argv[0] = path;
    argv[1] = (char *)(uintptr_t)what;
    argv[2] = NULL;
    return argv;
}

static void check_program(const char *what, bool loses)
{
    struct solo_explore_options options;
    char why[SOLO_EVIDENCE_MAX];
    solo_explore_defaults(&options);
    options.schedules_max = PROGRAM_SCHEDULES;
    CU_ASSERT_EQUAL_FATAL(solo_explore_program(program(what), &options, &report), 0);
    printf("%s: %s\n", what, report.evidence);
    CU_ASSERT_EQUAL(report.finding_count, loses);
    CU_ASSERT_EQUAL(report.verdict, loses ? SOLO_VERDICT_FINDINGS : SOLO_VERDICT_CLEAN);
    if (loses && report.finding_count == 1) {
        CU_ASSERT_EQUAL(report.findings[0].violation.id, SOLO014_LOST_WAKEUP); /* and no deadlock besides */
        CU_ASSERT_EQUAL(
            solo_replay_program(program(what), report.findings[0].token, &options, true, false, &replay, why), 0);
        CU_ASSERT_EQUAL(replay.diverged_at, 0);
        CU_ASSERT_EQUAL_FATAL(replay.violation_count, 1);
        CU_ASSERT_EQUAL(replay.violations[0].id, SOLO014_LOST_WAKEUP);
    }
}

static void test_inbox__a_wake_up_taken_back_after_the_look_is_lost(void)
{
    check_program("late", true);
    check_program("fixed", false);
}

static void test_inbox__a_wake_up_that_is_spared_is_lost_on_a_loop_that_leaves_work(void)
{
    check_program("one", true);
    check_program("thrifty", false);
}

static void test_inbox__without_the_kit_the_program_runs_as_it_is(void)
{
    struct runner_output *output = malloc(sizeof *output);
    const char *const argv[] = {runner_build_path("tests/plain/inbox"), "fixed", NULL};
    CU_ASSERT_PTR_NOT_NULL_FATAL(output);
    runner_command(output, argv, NULL);
    CU_ASSERT_EQUAL(output->status, 0);
    CU_ASSERT_EQUAL(output->size, 0);
    free(output);
}

void suite_inbox(void)
{
    SOLO_SUITE("inbox");
    SOLO_TEST(test_inbox__work_for_a_sleeping_loop_that_nobody_wakes_is_lost);
    SOLO_TEST(test_inbox__a_wake_up_on_its_way_or_somebody_who_is_still_giving_is_enough);
    SOLO_TEST(test_inbox__what_makes_no_sense_says_nothing);
    SOLO_TEST(test_inbox__in_world_os_it_is_said_and_not_judged);
    SOLO_TEST(test_inbox__sixteen_are_watched);
    SOLO_TEST(test_inbox__a_loop_that_is_rescued_a_second_later_has_lost_it_all_the_same);
    SOLO_TEST(test_inbox__a_loop_that_takes_the_wake_up_back_first_loses_none);
    SOLO_TEST(test_inbox__without_the_kit_the_program_runs_as_it_is);
    if (!CAN_BE_LOADED) {
        return; /* as test_plain.c tests */
    }
    SOLO_TEST(test_inbox__a_wake_up_taken_back_after_the_look_is_lost);
    SOLO_TEST(test_inbox__a_wake_up_that_is_spared_is_lost_on_a_loop_that_leaves_work);
}
