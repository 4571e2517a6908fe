/* test_expect.c - must-happen counters and thread-confined objects. */
#include <solo/expect.h>
#include "worlds.h"
#include <solo/thread.h>

/* ---- Must-happen counters ---- */

static void expect_counter(unsigned index, const char *name, unsigned wanted, unsigned happened)
{
    char got[SOLO_EXPECT_NAME_MAX] = "";
    unsigned got_wanted = 99, got_happened = 99;
    CU_ASSERT_EQUAL(solo_expectation_at(index, got, &got_wanted, &got_happened), 0);
    CU_ASSERT_STRING_EQUAL(got, name);
    CU_ASSERT_EQUAL(got_wanted, wanted);
    CU_ASSERT_EQUAL(got_happened, happened);
}

static void what_happens_is_counted_by_name(void)
{
    solo_expectations_reset();
    CU_ASSERT_EQUAL(solo_must_happen("greeted", 2), 0);
    CU_ASSERT_EQUAL(solo_happened("greeted"), 0);
    CU_ASSERT_EQUAL(solo_happened("never declared"), 0);
    CU_ASSERT_EQUAL(solo_happened("greeted"), 0);
    expect_counter(0, "greeted", 2, 2);
    expect_counter(1, "never declared", 0, 1);
    solo_expectations_reset();
}

static void test_expect__what_happens_is_counted_by_name(void)
{
    worlds_run(what_happens_is_counted_by_name);
}

static void test_expect__the_larger_declaration_counts(void)
{
    CU_ASSERT_EQUAL(solo_must_happen("a", 3), 0);
    CU_ASSERT_EQUAL(solo_must_happen("a", 1), 0);
    expect_counter(0, "a", 3, 0);
    CU_ASSERT_EQUAL(solo_must_happen("a", 5), 0);
    expect_counter(0, "a", 5, 0);
}

static void test_expect__past_the_last_counter_nothing_is_touched(void)
{
    char name[SOLO_EXPECT_NAME_MAX] = "untouched";
    unsigned wanted = 99, happened = 98;
    CU_ASSERT_EQUAL(solo_expectation_at(0, name, &wanted, &happened), -ENOENT);
    CU_ASSERT_STRING_EQUAL(name, "untouched");
    CU_ASSERT_EQUAL(wanted, 99);
    CU_ASSERT_EQUAL(happened, 98);
}

static void test_expect__reset_forgets_all_counters(void)
{
    char name[SOLO_EXPECT_NAME_MAX];
    unsigned wanted, happened;
    CU_ASSERT_EQUAL(solo_happened("a"), 0);
    solo_expectations_reset();
    CU_ASSERT_EQUAL(solo_expectation_at(0, name, &wanted, &happened), -ENOENT);
    CU_ASSERT_EQUAL(solo_happened("a"), 0);
    expect_counter(0, "a", 0, 1);
}

static void test_expect__sixty_four_names_fit_and_no_more(void)
{
    char name[SOLO_EXPECT_NAME_MAX];
    for (int i = 0; i < SOLO_EXPECT_MAX; i++) {
        snprintf(name, sizeof name, "name %d", i);
        CU_ASSERT_EQUAL(solo_must_happen(name, 1), 0);
    }
    CU_ASSERT_EQUAL(solo_must_happen("one more", 1), -ENOSPC);
    CU_ASSERT_EQUAL(solo_happened("one more"), -ENOSPC);
    CU_ASSERT_EQUAL(solo_happened("name 63"), 0);
    expect_counter(63, "name 63", 1, 1);
}

static void test_expect__a_bad_name_is_refused(void)
{
    char name[SOLO_EXPECT_NAME_MAX + 1];
    memset(name, 'x', sizeof name);
    name[SOLO_EXPECT_NAME_MAX] = '\0';
    CU_ASSERT_EQUAL(solo_must_happen(NULL, 1), -EINVAL);
    CU_ASSERT_EQUAL(solo_must_happen("", 1), -EINVAL);
    CU_ASSERT_EQUAL(solo_happened(name), -EINVAL);
    name[SOLO_EXPECT_NAME_MAX - 1] = '\0'; /* the longest that fits */
    CU_ASSERT_EQUAL(solo_happened(name), 0);
    expect_counter(0, name, 0, 1);
    unsigned number;
    CU_ASSERT_EQUAL(solo_expectation_at(0, NULL, &number, &number), -EINVAL);
    CU_ASSERT_EQUAL(solo_expectation_at(0, name, NULL, &number), -EINVAL);
    CU_ASSERT_EQUAL(solo_expectation_at(0, name, &number, NULL), -EINVAL);
}

enum { THREADS = 4, EACH = 25 };

static void happen(void *arg)
{
    for (int i = 0; i < EACH; i++) {
        CU_ASSERT_EQUAL(solo_happened(arg), 0);
    }
}

static void threads_count_together(void)
{
    static char name[] = "together";
    struct solo_thread *threads[THREADS];
    solo_expectations_reset();
    for (unsigned i = 0; i < THREADS; i++) {
        CU_ASSERT_EQUAL_FATAL(solo_thread_create(happen, name, &threads[i]), 0);
    }
    for (unsigned i = 0; i < THREADS; i++) {
        CU_ASSERT_EQUAL(solo_thread_join(threads[i]), 0);
    }
    expect_counter(0, name, 0, THREADS * EACH);
}

static void test_expect__threads_count_together(void)
{
    worlds_run(threads_count_together);
}

/* ---- Confined objects ---- */

static void use(void *arg)
{
    (void)solo_confined_use(arg);
}

static void on_another_thread(void (*fn)(void *arg), struct solo_confined *confined)
{
    struct solo_thread *thread = NULL;
    CU_ASSERT_EQUAL_FATAL(solo_thread_create(fn, confined, &thread), 0);
    CU_ASSERT_EQUAL(solo_thread_join(thread), 0);
}

static void its_own_thread_may_use_it(void)
{
    struct solo_confined confined = {0};
    CU_ASSERT_EQUAL(solo_confined_bind(&confined, "session"), 0);
    CU_ASSERT_EQUAL(solo_confined_use(&confined), 0);
    CU_ASSERT_EQUAL(solo_confined_use(&confined), 0);
    CU_ASSERT_EQUAL(confined.generation, 1);
}

static void test_expect__a_confined_object_may_be_used_by_its_thread(void)
{
    worlds_run(its_own_thread_may_use_it);
}

static void another_threads_use_is_solo007(void)
{
    struct solo_confined confined = {0};
    CU_ASSERT_EQUAL(solo_confined_bind(&confined, "session"), 0);
    on_another_thread(use, &confined);
    worlds_expect(SOLO007_CONFINED_SHARED, 1);
    const struct solo_violation *violation = worlds_finding(SOLO007_CONFINED_SHARED);
    CU_ASSERT_STRING_EQUAL(violation->text, "session used on main/1, but it is confined to main");
    CU_ASSERT_STRING_EQUAL(violation->function, "solo_confined_use");
    CU_ASSERT_STRING_EQUAL(violation->owner, "main");
    CU_ASSERT_STRING_EQUAL(violation->thread, "main/1");
    CU_ASSERT_EQUAL(violation->object_id, confined.object);
    CU_ASSERT_EQUAL(solo_confined_use(&confined), 0); /* it is still ours */
}

static void test_expect__a_use_on_another_thread_is_solo007_and_changes_nothing(void)
{
    worlds_run_os(another_threads_use_is_solo007);
    worlds_run_sim(another_threads_use_is_solo007, 3);
}

static void use_and_expect_refusal(void *arg)
{
    CU_ASSERT_EQUAL(solo_confined_use(arg), SOLO_EWRONGTHREAD);
    CU_ASSERT_EQUAL(solo_confined_release(arg), SOLO_EWRONGTHREAD);
}

static void neither_use_nor_release_elsewhere(void)
{
    struct solo_confined confined = {0};
    CU_ASSERT_EQUAL(solo_confined_use(&confined), 0); /* binds */
    on_another_thread(use_and_expect_refusal, &confined);
    worlds_expect(SOLO007_CONFINED_SHARED, 2);
    char name[32], text[128];
    snprintf(text, sizeof text, "%s used on main/", solo_object_name(confined.object, name, sizeof name));
    CU_ASSERT_EQUAL(strncmp(worlds_finding(SOLO007_CONFINED_SHARED)->text, text, strlen(text)), 0);
}

static void test_expect__only_the_owner_may_use_and_release(void)
{
    worlds_run(neither_use_nor_release_elsewhere);
}

static void use_it_freely(void *arg)
{
    CU_ASSERT_EQUAL(solo_confined_use(arg), 0);
    CU_ASSERT_EQUAL(solo_confined_release(arg), 0);
}

static void a_released_object_moves(void)
{
    struct solo_confined confined = {0};
    CU_ASSERT_EQUAL(solo_confined_use(&confined), 0);
    CU_ASSERT_EQUAL(solo_confined_release(&confined), 0);
    on_another_thread(use_it_freely, &confined);
    CU_ASSERT_EQUAL(solo_confined_use(&confined), 0);
    CU_ASSERT_EQUAL(confined.generation, 3);
    CU_ASSERT_EQUAL(solo_confined_release(&confined), 0);
    CU_ASSERT_EQUAL(solo_confined_release(&confined), 0); /* nobody's: nothing to let go of */
}

static void test_expect__a_released_object_belongs_to_whoever_uses_it_next(void)
{
    worlds_run(a_released_object_moves);
}

static void take_over(void *arg)
{
    CU_ASSERT_EQUAL(solo_confined_bind(arg, "taken over"), 0);
}

static void binding_again_moves_it(void)
{
    struct solo_confined confined = {0};
    CU_ASSERT_EQUAL(solo_confined_bind(&confined, "mine"), 0);
    on_another_thread(take_over, &confined);
    CU_ASSERT_EQUAL(solo_confined_use(&confined), SOLO_EWRONGTHREAD);
    worlds_expect(SOLO007_CONFINED_SHARED, 1);
    CU_ASSERT_PTR_NOT_NULL(strstr(worlds_finding(SOLO007_CONFINED_SHARED)->text, "taken over used on main, "));
}

static void test_expect__binding_again_is_an_orderly_hand_over(void)
{
    worlds_run(binding_again_moves_it);
}

static void policy_report_lets_it_through(void)
{
    struct solo_confined confined = {0};
    CU_ASSERT_EQUAL(solo_confined_bind(&confined, "session"), 0);
    CU_ASSERT_EQUAL(solo_guard_set_policy(SOLO_POLICY_REPORT), 0);
    on_another_thread(use_it_freely, &confined);
    CU_ASSERT_EQUAL(solo_guard_set_policy(SOLO_POLICY_REFUSE), 0);
    worlds_expect(SOLO007_CONFINED_SHARED, 2);
}

static void test_expect__policy_report_says_it_and_lets_it_through(void)
{
    worlds_run(policy_report_lets_it_through);
}

static void test_expect__a_confined_object_that_is_none_is_refused(void)
{
    struct solo_confined confined = {0};
    CU_ASSERT_EQUAL(solo_confined_bind(NULL, "name"), -EINVAL);
    CU_ASSERT_EQUAL(solo_confined_bind(&confined, NULL), -EINVAL);
    CU_ASSERT_EQUAL(solo_confined_use(NULL), -EINVAL);
    CU_ASSERT_EQUAL(solo_confined_release(NULL), -EINVAL);
    CU_ASSERT_PTR_NULL(confined.owner);
}

void suite_expect(void)
{
    SOLO_SUITE("expect");
    SOLO_TEST(test_expect__what_happens_is_counted_by_name);
    SOLO_TEST(test_expect__the_larger_declaration_counts);
    SOLO_TEST(test_expect__past_the_last_counter_nothing_is_touched);
    SOLO_TEST(test_expect__reset_forgets_all_counters);
    SOLO_TEST(test_expect__sixty_four_names_fit_and_no_more);
    SOLO_TEST(test_expect__a_bad_name_is_refused);
    SOLO_TEST(test_expect__threads_count_together);
    SOLO_TEST(test_expect__a_confined_object_may_be_used_by_its_thread);
    SOLO_TEST(test_expect__a_use_on_another_thread_is_solo007_and_changes_nothing);
    SOLO_TEST(test_expect__only_the_owner_may_use_and_release);
    SOLO_TEST(test_expect__a_released_object_belongs_to_whoever_uses_it_next);
    SOLO_TEST(test_expect__binding_again_is_an_orderly_hand_over);
    SOLO_TEST(test_expect__policy_report_says_it_and_lets_it_through);
    SOLO_TEST(test_expect__a_confined_object_that_is_none_is_refused);
}
