/* test_team.c - the coordinator's decisions, one by one with memory workers, and at large with threads. */
#include "refusing_world.h"

/* ---- A team that does one step at a time ---- */

enum { WORKERS_MAX = 4 };

static struct solo_team *team;
static struct solo_worker *coordinator, *workers[WORKERS_MAX];
static unsigned made, limit;

static int create(void *arg, struct solo_worker **ret_worker)
{
    int (*make)(struct solo_worker **) = *(int (**)(struct solo_worker **))arg;
    if (made == limit) {
        return -EAGAIN;
    }
    int status = make(&workers[made % WORKERS_MAX]);
    if (status == 0) {
        *ret_worker = workers[made++ % WORKERS_MAX];
    }
    return status;
}

static int (*kind)(struct solo_worker **);

static void begin_with(int (*of_coordinator)(struct solo_worker **), int (*of_workers)(struct solo_worker **),
                       unsigned workers_max)
{
    made = 0;
    limit = workers_max;
    kind = of_workers;
    CU_ASSERT_EQUAL_FATAL(of_coordinator(&coordinator), 0);
    CU_ASSERT_EQUAL_FATAL(solo_team_create(coordinator, create, &kind, &team), 0);
}

static void begin(unsigned workers_max)
{
    begin_with(solo_memory_worker_create, solo_memory_worker_create, workers_max);
}

static bool step(struct solo_worker *worker)
{
    bool ran = false;
    CU_ASSERT_EQUAL(solo_worker_perform(worker, &ran), 0);
    return ran;
}

/* All that the coordinator has to decide now. */
static void coordinate(void)
{
    while (step(coordinator)) {
    }
}

static void give(const char *name)
{
    CU_ASSERT_EQUAL(solo_team_do(team, note_call, (void *)name, note_done), 0);
}

static void counts(size_t idle, size_t busy, size_t backlogged)
{
    struct solo_team_statistics now;
    memset(&now, 0xff, sizeof now);
    CU_ASSERT_EQUAL(solo_team_get_statistics(team, &now), 0);
    CU_ASSERT_EQUAL(now.idle, idle);
    CU_ASSERT_EQUAL(now.busy, busy);
    CU_ASSERT_EQUAL(now.backlogged, backlogged);
}

static void end(void)
{
    CU_ASSERT_EQUAL(solo_team_destroy(team), 0);
}

static void steps_body(void)
{
    begin(1);
    give("a");
    counts(0, 0, 0); /* the coordinator has not seen it */
    CU_ASSERT(step(coordinator));
    counts(0, 1, 0);
    CU_ASSERT_EQUAL(made, 1);
    noted("");
    CU_ASSERT(step(workers[0]));
    noted("a=a");
    counts(0, 1, 0); /* the coordinator has not heard that it is done */
    CU_ASSERT(step(coordinator));
    counts(1, 0, 0);
    end();
}

static void test_team__each_step_is_the_coordinators_or_a_workers(void)
{
    worlds_run(steps_body);
}

static void dispatch_body(void)
{
    begin(2);
    give("a");
    give("b");
    give("c");
    coordinate();
    counts(0, 2, 1); /* one new worker each, and then the backlog */
    CU_ASSERT(step(workers[0]));
    coordinate();
    counts(0, 2, 0); /* it took the backlog */
    CU_ASSERT(step(workers[0]));
    CU_ASSERT(step(workers[1]));
    coordinate();
    counts(2, 0, 0);
    give("d");
    coordinate();
    CU_ASSERT_EQUAL(made, 2); /* an idle one is used again */
    counts(1, 1, 0);
    noted("a=ac=cb=b");
    end();
    noted("a=ac=cb=bXd"); /* accepted, never performed: handed back */
}

static void test_team__work_goes_to_an_idle_worker_a_new_one_or_the_backlog(void)
{
    worlds_run(dispatch_body);
}

static void grow_body(void)
{
    begin(2);
    CU_ASSERT_EQUAL(solo_team_grow(team, 5), 0);
    counts(0, 0, 0);
    coordinate();
    counts(2, 0, 0); /* the first refusal ended it */
    limit = 3;
    give("a");
    give("b");
    give("c");
    coordinate();
    counts(0, 3, 0);
    end();
}

static void test_team__grow_makes_as_many_as_there_can_be(void)
{
    worlds_run(grow_body);
}

static void grow_for_backlog_body(void)
{
    begin(0);
    give("a");
    give("b");
    coordinate();
    counts(0, 0, 2);
    limit = 3;
    CU_ASSERT_EQUAL(solo_team_grow(team, 3), 0);
    coordinate();
    counts(1, 2, 0);
    CU_ASSERT(step(workers[0]));
    CU_ASSERT(step(workers[1]));
    noted("a=ab=b");
    end();
}

static void test_team__new_workers_take_the_backlog_at_once(void)
{
    worlds_run(grow_for_backlog_body);
}

static void shrink_idle_body(void)
{
    begin(3);
    CU_ASSERT_EQUAL(solo_team_grow(team, 3), 0);
    CU_ASSERT_EQUAL(solo_team_shrink(team, 2), 0);
    coordinate();
    counts(1, 0, 0);
    CU_ASSERT_EQUAL(solo_team_shrink(team, SOLO_TEAM_ALL), 0);
    coordinate();
    counts(0, 0, 0);
    for (int i = 0; i < 2; i++) { /* those it quit are refused by the rest of the world as well */
        CU_ASSERT_EQUAL(solo_worker_quit(workers[i]), SOLO_EALREADYQUIT);
    }
    end();
}

static void test_team__shrink_quits_idle_workers_first(void)
{
    worlds_run(shrink_idle_body);
}

static void shrink_busy_body(void)
{
    begin(2);
    give("a");
    give("b");
    give("c");
    coordinate();
    CU_ASSERT_EQUAL(solo_team_shrink(team, SOLO_TEAM_ALL), 0);
    coordinate();
    counts(0, 2, 1);
    CU_ASSERT(step(workers[0]));
    coordinate();
    counts(0, 2, 0); /* the backlog comes before the debt */
    CU_ASSERT(step(workers[0]));
    coordinate();
    counts(0, 1, 0);
    CU_ASSERT(step(workers[1]));
    coordinate();
    counts(0, 0, 0);
    limit = 4;
    give("d");
    coordinate();
    counts(0, 1, 0); /* all is paid: a new worker stays */
    CU_ASSERT(step(workers[2]));
    coordinate();
    counts(1, 0, 0);
    noted("a=ac=cb=bd=d");
    end();
}

static void test_team__busy_workers_quit_when_they_find_no_backlog(void)
{
    worlds_run(shrink_busy_body);
}

static void no_debt_body(void)
{
    begin(4);
    CU_ASSERT_EQUAL(solo_team_shrink(team, 3), 0);
    coordinate();
    CU_ASSERT_EQUAL(solo_team_grow(team, 4), 0);
    coordinate();
    counts(4, 0, 0);
    end();
}

static void test_team__a_debt_is_never_more_than_busy_workers_can_pay(void)
{
    worlds_run(no_debt_body);
}

static void quit_body(void)
{
    begin(1);
    CU_ASSERT_EQUAL(solo_team_quit(team), 0);
    CU_ASSERT_EQUAL(solo_team_quit(team), SOLO_EALREADYQUIT);
    CU_ASSERT_EQUAL(solo_team_do(team, note_call, "a", note_done), SOLO_EALREADYQUIT);
    CU_ASSERT_EQUAL(solo_team_grow(team, 1), SOLO_EALREADYQUIT);
    CU_ASSERT_EQUAL(solo_team_shrink(team, 1), SOLO_EALREADYQUIT);
    worlds_expect(SOLO006_USE_AFTER_END, 1);
    CU_ASSERT_STRING_EQUAL(worlds_finding(SOLO006_USE_AFTER_END)->function, "solo_team_do");
    CU_ASSERT_PTR_NOT_NULL(strstr(worlds_finding(SOLO006_USE_AFTER_END)->text, "team that has quit"));
    end();
    noted("");
}

static void test_team__after_quit_everything_is_refused(void)
{
    worlds_run(quit_body);
}

static void unseen_body(void)
{
    begin(1);
    give("a");
    CU_ASSERT_EQUAL(solo_team_quit(team), 0);
    coordinate(); /* a worker is made for it, after quit */
    counts(0, 1, 0);
    CU_ASSERT(step(workers[0]));
    coordinate();
    counts(0, 0, 0);
    noted("a=a");
    end();
}

static void quit_later_body(void)
{
    begin(2);
    CU_ASSERT_EQUAL(solo_team_grow(team, 2), 0);
    give("a");
    coordinate();
    CU_ASSERT_EQUAL(solo_team_quit(team), 0);
    coordinate();
    counts(0, 1, 0); /* the idle one has quit */
    CU_ASSERT(step(workers[0]) || step(workers[1]));
    coordinate();
    counts(0, 0, 0);
    CU_ASSERT_EQUAL(solo_worker_quit(coordinator), SOLO_EALREADYQUIT); /* last of all */
    noted("a=a");
    end();
}

static void test_team__quit_ends_idle_workers_at_once_busy_ones_later_the_coordinator_last(void)
{
    worlds_run(quit_later_body);
}

static void no_worker_body(void)
{
    begin(0);
    give("a");
    give("b");
    coordinate();
    counts(0, 0, 2);
    CU_ASSERT_EQUAL(solo_team_quit(team), 0);
    coordinate();
    counts(0, 0, 0);
    noted("XaXb");
    end();
}

static void test_team__a_backlog_that_nobody_can_run_is_handed_back_by_quit(void)
{
    worlds_run(no_worker_body);
}

static void late_worker_body(void)
{
    begin(0);
    give("a");
    give("b");
    coordinate();
    limit = 1;
    CU_ASSERT_EQUAL(solo_team_quit(team), 0);
    coordinate();
    counts(0, 1, 1);
    CU_ASSERT(step(workers[0]));
    coordinate();
    CU_ASSERT(step(workers[0]));
    coordinate();
    counts(0, 0, 0);
    noted("a=ab=b");
    end();
}

static void test_team__quit_makes_a_worker_for_a_backlog_that_has_none(void)
{
    worlds_run(late_worker_body);
}

static void destroyed_body(void)
{
    begin(1);
    give("a");
    coordinate();
    give("b");
    coordinate();
    give("c");
    counts(0, 1, 1);
    end();
    CU_ASSERT_EQUAL(strlen(worlds.notes), 6);
    CU_ASSERT_PTR_NOT_NULL(strstr(worlds.notes, "Xa"));
    CU_ASSERT_PTR_NOT_NULL(strstr(worlds.notes, "Xb"));
    CU_ASSERT_PTR_NOT_NULL(strstr(worlds.notes, "Xc"));
}

static void test_team__destroy_hands_back_what_a_worker_the_backlog_or_the_coordinator_holds(void)
{
    worlds_run(destroyed_body);
}

static void own_worker_body(void)
{
    begin(2);
    give("a");
    coordinate();
    CU_ASSERT(step(workers[0]));
    coordinate();
    CU_ASSERT_EQUAL(solo_worker_quit(workers[0]), 0); /* behind the team's back */
    give("b");
    coordinate();
    counts(0, 1, 0);
    CU_ASSERT_EQUAL(made, 2);
    CU_ASSERT(step(workers[1]));
    noted("a=ab=b");
    end();
}

static void test_team__a_worker_that_quit_by_itself_is_replaced(void)
{
    worlds_run(own_worker_body);
}

static void no_coordinator_body(void)
{
    begin(1);
    give("a");
    coordinate();
    CU_ASSERT_EQUAL(solo_worker_quit(coordinator), 0);
    CU_ASSERT_EQUAL(solo_team_do(team, note_call, "b", note_done), SOLO_EALREADYQUIT);
    CU_ASSERT_EQUAL(solo_team_grow(team, 1), SOLO_EALREADYQUIT);
    CU_ASSERT(step(workers[0]));
    counts(0, 0, 0);
    end();
    noted("a=a");
    worlds_expect(SOLO006_USE_AFTER_END, 1);
}

static void test_team__without_its_coordinator_it_takes_nothing_and_loses_nothing(void)
{
    worlds_run(no_coordinator_body);
}

static void bad_body(void)
{
    struct solo_team *none = NULL;
    begin(1);
    CU_ASSERT_EQUAL(solo_team_create(NULL, create, NULL, &none), -EINVAL);
    CU_ASSERT_EQUAL(solo_team_create(coordinator, NULL, NULL, &none), -EINVAL);
    CU_ASSERT_EQUAL(solo_team_create(coordinator, create, NULL, NULL), -EINVAL);
    CU_ASSERT_EQUAL(solo_team_do(team, NULL, NULL, NULL), -EINVAL);
    CU_ASSERT_EQUAL(solo_team_do(NULL, note_call, NULL, NULL), -EINVAL);
    CU_ASSERT_EQUAL(solo_team_grow(NULL, 1), -EINVAL);
    CU_ASSERT_EQUAL(solo_team_shrink(NULL, 1), -EINVAL);
    CU_ASSERT_EQUAL(solo_team_quit(NULL), -EINVAL);
    CU_ASSERT_EQUAL(solo_team_get_statistics(team, NULL), -EINVAL);
    CU_ASSERT_EQUAL(solo_team_destroy(NULL), 0);
    CU_ASSERT_PTR_NULL(none);
    end();
    CU_ASSERT_EQUAL(solo_team_quit(team), SOLO_ECLOSED);
    worlds_expect(SOLO006_USE_AFTER_END, 1);
}

static void test_team__bad_arguments_and_use_after_the_end_are_refused(void)
{
    worlds_run(bad_body);
}

/* ---- With threads ---- */

static int ran, dones[2];

static void count_run(void *arg)
{
    (void)arg;
    (void)__atomic_add_fetch(&ran, 1, __ATOMIC_RELAXED);
}

static void count_done(int status, void *arg)
{
    (void)arg;
    (void)__atomic_add_fetch(&dones[status != 0], 1, __ATOMIC_RELAXED);
}

static int accepted;

static void give_five(void *arg)
{
    (void)arg;
    for (int i = 0; i < 5; i++) {
        int status = solo_team_do(team, count_run, NULL, count_done);
        CU_ASSERT(status == 0 || status == SOLO_EALREADYQUIT);
        (void)__atomic_add_fetch(&accepted, status == 0, __ATOMIC_RELAXED);
    }
}

static void crowd(int (*of_coordinator)(struct solo_worker **), bool quits)
{
    struct solo_thread *threads[2];
    ran = dones[0] = dones[1] = accepted = 0;
    begin_with(of_coordinator, solo_thread_worker_create, 3);
    for (int i = 0; i < 2; i++) {
        CU_ASSERT_EQUAL(solo_thread_create(give_five, NULL, &threads[i]), 0);
    }
    if (quits) {
        CU_ASSERT_EQUAL(solo_team_quit(team), 0);
    }
    for (int i = 0; i < 2; i++) {
        CU_ASSERT_EQUAL(solo_thread_join(threads[i]), 0);
    }
    end();
    CU_ASSERT(quits || accepted == 10);
    CU_ASSERT_EQUAL(ran, dones[0]);
    CU_ASSERT_EQUAL(dones[0] + dones[1], accepted);
    CU_ASSERT(quits || dones[1] == 0);
    if (quits && worlds.found > 0) {
        worlds_expect(SOLO006_USE_AFTER_END, (unsigned)(10 - accepted));
    }
}

static void lock_crowd_body(void)
{
    crowd(solo_lock_worker_create, false);
}

static void thread_crowd_body(void)
{
    crowd(solo_thread_worker_create, false);
}

static void quit_crowd_body(void)
{
    crowd(solo_lock_worker_create, true);
}

static void quit_thread_crowd_body(void)
{
    crowd(solo_thread_worker_create, true);
}

static void test_team__threads_lose_nothing_whoever_coordinates(void)
{
    worlds_run(lock_crowd_body);
    worlds_run(thread_crowd_body);
}

static void test_team__work_that_races_with_quit_is_done_or_refused(void)
{
    worlds_run_os(quit_crowd_body);
    worlds_run_sim(quit_crowd_body, 100);
    worlds_run_os(quit_thread_crowd_body);
    worlds_run_sim(quit_thread_crowd_body, 100);
}

static void locks_only_body(void)
{
    begin_with(solo_lock_worker_create, solo_lock_worker_create, 2);
    give("a");
    give("b");
    noted("a=ab=b"); /* in this very thread */
    end();
}

static void test_team__with_lock_workers_all_is_done_inside_do(void)
{
    worlds_run(locks_only_body);
}

static int destroy_status;

static void destroy_from_within(void *arg)
{
    (void)arg;
    destroy_status = solo_team_destroy(team);
}

static void within_body(void)
{
    begin_with(solo_lock_worker_create, solo_thread_worker_create, 1);
    CU_ASSERT_EQUAL(solo_team_do(team, destroy_from_within, NULL, NULL), 0);
    end();
    CU_ASSERT_EQUAL(destroy_status, -EDEADLK);
}

static void test_team__destroy_from_within_its_own_work_is_refused(void)
{
    worlds_run(within_body);
}

static void come_and_go_body(void)
{
    ran = dones[0] = dones[1] = 0;
    begin_with(solo_thread_worker_create, solo_thread_worker_create, 40);
    for (int i = 0; i < 20; i++) {
        CU_ASSERT_EQUAL(solo_team_do(team, count_run, NULL, count_done), 0);
        CU_ASSERT_EQUAL(solo_team_shrink(team, SOLO_TEAM_ALL), 0);
    }
    end();
    CU_ASSERT_EQUAL(dones[0], 20);
}

static void test_team__workers_come_and_go(void)
{
    worlds_run(come_and_go_body);
}

/* ---- Memory refused ---- */

static void refused_memory_body(void)
{
    team = NULL;
    coordinator = NULL;
    made = 0;
    limit = 2;
    kind = solo_memory_worker_create;
    ran = dones[0] = dones[1] = accepted = 0;
    if (solo_memory_worker_create(&coordinator) < 0) {
        return;
    }
    if (solo_team_create(coordinator, create, &kind, &team) < 0) {
        CU_ASSERT_EQUAL(solo_worker_destroy(coordinator), 0);
        return;
    }
    for (int i = 0; i < 3; i++) {
        int status = solo_team_do(team, count_run, NULL, count_done);
        CU_ASSERT(status == 0 || status == -ENOMEM);
        accepted += status == 0;
    }
    int status = solo_team_grow(team, 1);
    CU_ASSERT(status == 0 || status == -ENOMEM);
    status = solo_team_shrink(team, 1);
    CU_ASSERT(status == 0 || status == -ENOMEM);
    coordinate();
    for (unsigned i = 0; i < made; i++) {
        (void)step(workers[i]);
    }
    coordinate();
    CU_ASSERT_EQUAL(solo_team_quit(team), 0); /* takes no memory */
    end();
    CU_ASSERT_EQUAL(dones[0] + dones[1], accepted);
    CU_ASSERT_EQUAL(dones[0], ran);
}

static void test_team__whichever_allocation_is_refused_nothing_accepted_is_lost(void)
{
    refusing_run(refused_memory_body, REFUSE_MEMORY | REFUSE_FOR_GOOD);
}

static void test_team__work_accepted_before_quit_is_done_even_if_it_was_not_seen(void)
{
    worlds_run(unseen_body);
}

void suite_team(void)
{
    SOLO_SUITE("team");
    SOLO_TEST(test_team__each_step_is_the_coordinators_or_a_workers);
    SOLO_TEST(test_team__work_goes_to_an_idle_worker_a_new_one_or_the_backlog);
    SOLO_TEST(test_team__grow_makes_as_many_as_there_can_be);
    SOLO_TEST(test_team__new_workers_take_the_backlog_at_once);
    SOLO_TEST(test_team__shrink_quits_idle_workers_first);
    SOLO_TEST(test_team__busy_workers_quit_when_they_find_no_backlog);
    SOLO_TEST(test_team__a_debt_is_never_more_than_busy_workers_can_pay);
    SOLO_TEST(test_team__after_quit_everything_is_refused);
    SOLO_TEST(test_team__work_accepted_before_quit_is_done_even_if_it_was_not_seen);
    SOLO_TEST(test_team__quit_ends_idle_workers_at_once_busy_ones_later_the_coordinator_last);
    SOLO_TEST(test_team__a_backlog_that_nobody_can_run_is_handed_back_by_quit);
    SOLO_TEST(test_team__quit_makes_a_worker_for_a_backlog_that_has_none);
    SOLO_TEST(test_team__destroy_hands_back_what_a_worker_the_backlog_or_the_coordinator_holds);
    SOLO_TEST(test_team__a_worker_that_quit_by_itself_is_replaced);
    SOLO_TEST(test_team__without_its_coordinator_it_takes_nothing_and_loses_nothing);
    SOLO_TEST(test_team__bad_arguments_and_use_after_the_end_are_refused);
    SOLO_TEST(test_team__threads_lose_nothing_whoever_coordinates);
    SOLO_TEST(test_team__work_that_races_with_quit_is_done_or_refused);
    SOLO_TEST(test_team__with_lock_workers_all_is_done_inside_do);
    SOLO_TEST(test_team__destroy_from_within_its_own_work_is_refused);
    SOLO_TEST(test_team__workers_come_and_go);
    SOLO_TEST(test_team__whichever_allocation_is_refused_nothing_accepted_is_lost);
}
