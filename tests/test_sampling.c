/*
 * test_sampling.c - strategies that draw schedules: what they promise, counted on fixed seeds.
 *
 * The programs are so small that all their schedules are known. Bounds are six standard deviations away from what is
 * expected, and the seeds are fixed, so a test passes always or never.
 */
#include "runner.h"
#include "strategy.h"
#include <solo/access.h>
#include <solo/solo.h>
#include <stdlib.h>
#include <string.h>

static const char *const samplers[] = {"random", "pct", "pct:3", "pos", "urw", "surw", "hold", "portfolio"};
enum { SAMPLERS = sizeof samplers / sizeof samplers[0] };

/* A simulation under a strategy. */
struct lab {
    const struct solo_strategy *strategy;
    void *state;
    struct solo_sim *sim;
};

static struct lab lab_open(const char *name)
{
    struct lab lab;
    size_t size = 0;
    lab.strategy = solo_strategy_find(name, &size);
    CU_ASSERT_PTR_NOT_NULL_FATAL(lab.strategy);
    lab.state = calloc(1, size);
    CU_ASSERT_PTR_NOT_NULL_FATAL(lab.state);
    CU_ASSERT_EQUAL_FATAL(solo_strategy_prepare(lab.strategy, lab.state, solo_strategy_argument(name, 0)), 0);
    struct solo_sim_options options = {
        .strategy = lab.strategy, .strategy_state = lab.state, .let_time_pass = true, .steps_max = 200000};
    CU_ASSERT_EQUAL_FATAL(solo_sim_create(&options, &lab.sim), 0);
    return lab;
}

static void lab_close(struct lab *lab)
{
    solo_sim_destroy(lab->sim);
    free(lab->state);
}

/* ---- Programs ---- */

static char order[32]; /* who did something, in order */
static unsigned order_length;

static void note(char who)
{
    if (order_length + 1 < sizeof order) {
        order[order_length++] = who;
        order[order_length] = '\0';
    }
}

static void start_and_join(const solo_thread_fn *threads, unsigned count)
{
    struct solo_thread *started[8];
    order_length = 0;
    order[0] = '\0';
    for (unsigned i = 0; i < count; i++) {
        CU_ASSERT_EQUAL(solo_thread_create(threads[i], NULL, &started[i]), 0);
    }
    for (unsigned i = 0; i < count; i++) {
        (void)solo_thread_join(started[i]);
    }
}

static long word[4];

static void write_once(void *arg)
{
    (void)arg;
    solo_access_write(&word[0], sizeof word[0]);
    note('a');
}

static void write_five_times(void *arg)
{
    (void)arg;
    for (unsigned i = 0; i < 5; i++) {
        solo_access_write(&word[0], sizeof word[0]);
        note('b');
    }
}

/* Six orders of the two threads' writes: a can be anywhere among five b. */
static void one_among_five(void *arg)
{
    static const solo_thread_fn threads[] = {write_once, write_five_times};
    (void)arg;
    start_and_join(threads, 2);
}

static unsigned position_of_a(void)
{
    return (unsigned)strcspn(order, "a");
}

/* ---- All of them ---- */

static void test_sampling__equal_seeds_give_equal_schedules(void)
{
    for (unsigned s = 0; s < SAMPLERS; s++) {
        uint64_t hashes[2][60];
        for (unsigned time = 0; time < 2; time++) {
            struct lab lab = lab_open(samplers[s]);
            for (unsigned i = 0; i < 60; i++) {
                CU_ASSERT_EQUAL(solo_sim_run(lab.sim, 100 + i, one_among_five, NULL), SOLO_ENDING_RETURNED);
                hashes[time][i] = solo_sim_get_log(lab.sim)->trace_hash;
            }
            lab_close(&lab);
        }
        CU_ASSERT_EQUAL(memcmp(hashes[0], hashes[1], sizeof hashes[0]), 0);
    }
}

static void test_sampling__each_reaches_every_order(void)
{
    for (unsigned s = 0; s < SAMPLERS; s++) {
        unsigned hits[6] = {0};
        struct lab lab = lab_open(samplers[s]);
        for (unsigned i = 0; i < 2000; i++) {
            (void)solo_sim_run(lab.sim, i, one_among_five, NULL);
            hits[position_of_a() % 6]++;
        }
        bool all = strcmp(samplers[s], "hold") != 0; /* its places know only the first writes apart */
        for (unsigned i = 0; i < 6; i++) {
            CU_ASSERT_TRUE(hits[i] > 0 || !all);
        }
        lab_close(&lab);
    }
}

static int flag;

static void spin(void *arg)
{
    (void)arg;
    while (!SOLO_READ(flag)) {
        solo_yield();
    }
}

static void spin_without_yield(void *arg)
{
    (void)arg;
    while (!SOLO_READ(flag)) {
    }
}

static void set_flag(void *arg)
{
    (void)arg;
    SOLO_WRITE(flag, 1);
}

static void set_flag_later(void *arg)
{
    (void)arg;
    (void)solo_sleep(1000000);
    SOLO_WRITE(flag, 1);
}

static void yielding_loop(void *arg)
{
    static const solo_thread_fn threads[] = {spin, set_flag, spin};
    (void)arg;
    flag = 0;
    start_and_join(threads, 3);
}

static void hot_loop(void *arg)
{
    static const solo_thread_fn threads[] = {spin_without_yield, set_flag, spin_without_yield};
    (void)arg;
    flag = 0;
    start_and_join(threads, 3);
}

static void loop_until_time_passes(void *arg)
{
    static const solo_thread_fn threads[] = {spin, set_flag_later};
    (void)arg;
    flag = 0;
    start_and_join(threads, 2);
}

static void expect_ends(void (*body)(void *arg), unsigned schedules)
{
    for (unsigned s = 0; s < SAMPLERS; s++) {
        struct lab lab = lab_open(samplers[s]);
        unsigned endless = 0;
        for (unsigned i = 0; i < schedules; i++) {
            bool plain = strcmp(samplers[s], "portfolio") == 0 && i == 0; /* the plain schedule is fair to nobody */
            int ending = solo_sim_run(lab.sim, i, body, NULL);
            endless += ending != SOLO_ENDING_RETURNED && !plain;
        }
        CU_ASSERT_EQUAL(endless, 0);
        lab_close(&lab);
    }
}

static void test_sampling__a_loop_that_yields_is_not_preferred_for_ever(void)
{
    expect_ends(yielding_loop, 40);
}

static void test_sampling__a_loop_that_does_not_even_yield_is_not_preferred_for_ever(void)
{
    expect_ends(hot_loop, 20);
}

static void test_sampling__time_passes_at_last_while_a_thread_spins(void)
{
    expect_ends(loop_until_time_passes, 40);
}

static void wait_for_nobody(void *arg)
{
    (void)arg;
    struct solo_semaphore *semaphore;
    (void)solo_semaphore_create(0, &semaphore);
    int result = solo_semaphore_wait(semaphore, 1000000);
    note(result == 0 ? 'g' : 't');
}

static void work_on(void *arg)
{
    (void)arg;
    for (unsigned i = 0; i < 6; i++) {
        solo_access_write(&word[1], sizeof word[1]);
        note('w');
    }
}

static void timeout_and_work(void *arg)
{
    static const solo_thread_fn threads[] = {wait_for_nobody, work_on};
    (void)arg;
    start_and_join(threads, 2);
}

static void test_sampling__some_schedules_let_time_pass_early_and_some_late(void)
{
    for (unsigned s = 0; s < SAMPLERS; s++) {
        unsigned early = 0;
        unsigned late = 0;
        struct lab lab = lab_open(samplers[s]);
        for (unsigned i = 0; i < 400; i++) {
            (void)solo_sim_run(lab.sim, i, timeout_and_work, NULL);
            early += strcspn(order, "t") < 6;
            late += strcspn(order, "t") == 6;
        }
        bool keeps_waiter = strcmp(samplers[s], "hold") == 0; /* the wait is the only place that there is */
        CU_ASSERT_TRUE(early > 0 || keeps_waiter);
        CU_ASSERT_TRUE(late > 0);
        lab_close(&lab);
    }
}

/* ---- Uniform walks ---- */

static void count_positions(const char *name, unsigned schedules, unsigned hits[6])
{
    struct lab lab = lab_open(name);
    memset(hits, 0, 6 * sizeof hits[0]);
    for (unsigned i = 0; i < schedules + 50; i++) {
        (void)solo_sim_run(lab.sim, i, one_among_five, NULL);
        if (i >= 50) { /* by then it has seen the program */
            hits[position_of_a() % 6]++;
        }
    }
    lab_close(&lab);
}

static void write_b(void *arg)
{
    write_five_times(arg);
}

/*
 * Two threads of five writes that begin together: 252 interleavings. Returns how many schedules had all of one first.
 */
static void five_and_five(void *arg)
{
    static const solo_thread_fn threads[] = {write_five_times, write_b};
    (void)arg;
    start_and_join(threads, 2);
}

static void test_sampling__surw_draws_the_place_of_one_write_among_five_evenly(void)
{
    unsigned hits[6];
    count_positions("surw", 6000, hits);
    for (unsigned i = 0; i < 6; i++) { /* 1,000 expected each, standard deviation 29 */
        CU_ASSERT_TRUE(hits[i] > 820);
        CU_ASSERT_TRUE(hits[i] < 1180);
    }
}

/* ---- Under a lock ---- */

static struct solo_mutex *lock;

/* Several accesses in each critical section: their order is the lock's. */
static void visit(char who)
{
    (void)solo_mutex_lock(lock);
    solo_access_write(&word[0], sizeof word[0]);
    note(who);
    solo_access_write(&word[0], sizeof word[0]);
    solo_access_write(&word[1], sizeof word[1]);
    (void)solo_mutex_unlock(lock);
}

static void visit_once(void *arg)
{
    (void)arg;
    visit('a');
}

static void visit_five_times(void *arg)
{
    (void)arg;
    for (unsigned i = 0; i < 5; i++) {
        visit('b');
    }
}

static void one_visit_among_five(void *arg)
{
    static const solo_thread_fn threads[] = {visit_once, visit_five_times};
    (void)arg;
    CU_ASSERT_EQUAL(solo_mutex_create(&lock), 0);
    start_and_join(threads, 2);
}

static void count_visits(const char *name, unsigned schedules, unsigned hits[6])
{
    struct lab lab = lab_open(name);
    memset(hits, 0, 6 * sizeof hits[0]);
    for (unsigned i = 0; i < schedules; i++) {
        CU_ASSERT_EQUAL(solo_sim_run(lab.sim, i, one_visit_among_five, NULL), SOLO_ENDING_RETURNED);
        hits[position_of_a() % 6]++;
    }
    lab_close(&lab);
}

static void test_sampling__surw_draws_who_takes_a_lock_next_evenly(void)
{
    unsigned hits[6];
    count_visits("surw", 6000, hits);
    for (unsigned i = 0; i < 6; i++) {
        CU_ASSERT_TRUE(hits[i] > 820);
        CU_ASSERT_TRUE(hits[i] < 1180);
    }
}

static void test_sampling__a_random_walk_seldom_lets_a_lock_go_to_the_same_thread_each_time(void)
{
    unsigned hits[6];
    count_visits("random", 6000, hits);
    CU_ASSERT_TRUE(hits[5] < 500);
}

static void test_sampling__a_random_walk_does_not(void)
{
    unsigned hits[6];
    count_positions("random", 6000, hits);
    CU_ASSERT_TRUE(hits[5] < 500); /* the lone write is seldom last: it would have to lose every draw */
}

/* The order of everything that a schedule of two threads does, as a number. */
static uint64_t run_hash(struct lab *lab, uint64_t seed)
{
    (void)solo_sim_run(lab->sim, seed, five_and_five, NULL);
    return solo_sim_get_log(lab->sim)->trace_hash;
}

/* How often the most frequent schedule came. */
static unsigned most_frequent(const char *name, unsigned schedules)
{
    static uint64_t hashes[8000];
    unsigned most = 0;
    struct lab lab = lab_open(name);
    for (unsigned i = 0; i < 50; i++) {
        (void)run_hash(&lab, 90000 + i);
    }
    for (unsigned i = 0; i < schedules; i++) {
        hashes[i] = run_hash(&lab, i);
    }
    for (unsigned i = 0; i < schedules; i++) {
        unsigned equal = 0;
        for (unsigned j = 0; j < schedules; j++) {
            equal += hashes[j] == hashes[i];
        }
        most = equal > most ? equal : most;
    }
    lab_close(&lab);
    return most;
}

static void test_sampling__urw_has_no_favourite_schedules(void)
{
    unsigned uniform = most_frequent("urw", 2000);
    unsigned walk = most_frequent("random", 2000);
    CU_ASSERT_TRUE(uniform * 2 < walk);
}

/* ---- PCT ---- */

static struct solo_mutex *one, *two;

static void lock_forwards(void *arg)
{
    (void)arg;
    (void)solo_mutex_lock(one);
    (void)solo_mutex_lock(two);
    (void)solo_mutex_unlock(two);
    (void)solo_mutex_unlock(one);
}

static void lock_backwards(void *arg)
{
    (void)arg;
    (void)solo_mutex_lock(two);
    (void)solo_mutex_lock(one);
    (void)solo_mutex_unlock(one);
    (void)solo_mutex_unlock(two);
}

static void both_orders(void *arg)
{
    static const solo_thread_fn threads[] = {lock_forwards, lock_backwards};
    (void)arg;
    (void)solo_mutex_create(&one);
    (void)solo_mutex_create(&two);
    start_and_join(threads, 2);
}

static unsigned deadlocks(const char *name, unsigned schedules)
{
    unsigned count = 0;
    struct lab lab = lab_open(name);
    for (unsigned i = 0; i < schedules; i++) {
        count += solo_sim_run(lab.sim, i, both_orders, NULL) == SOLO_ENDING_DEADLOCK;
    }
    lab_close(&lab);
    return count;
}

/* Depth 2, three threads, fewer than 16 choices: at least one schedule in 3 * 16. */
static void test_sampling__pct_keeps_its_promise_for_a_deadlock_of_depth_two(void)
{
    CU_ASSERT_TRUE(deadlocks("pct:2", 4800) >= 100);
}

static void test_sampling__pct_without_changes_cannot_find_it(void)
{
    CU_ASSERT_EQUAL(deadlocks("pct:1", 1000), 0);
}

static void test_sampling__pct_without_a_number_goes_round_the_depths(void)
{
    CU_ASSERT_TRUE(deadlocks("pct", 1000) > 0);
}

/* ---- POS ---- */

static void read_three(void *arg)
{
    (void)arg;
    for (unsigned i = 0; i < 3; i++) {
        solo_access_read(&word[2], sizeof word[2]);
    }
    solo_access_write(&word[0], sizeof word[0]);
    note('r');
}

static void write_at_once(void *arg)
{
    (void)arg;
    solo_access_write(&word[0], sizeof word[0]);
    note('w');
}

static void readers_and_writer(void *arg)
{
    static const solo_thread_fn threads[] = {read_three, write_at_once};
    (void)arg;
    start_and_join(threads, 2);
}

/*
 * The writer waits with one priority while the reader draws four: it comes last one time in five, not one in sixteen.
 */
static void test_sampling__pos_does_not_count_operations_that_commute(void)
{
    unsigned last[2] = {0, 0};
    static const char *const names[] = {"pos", "random"};
    for (unsigned n = 0; n < 2; n++) {
        struct lab lab = lab_open(names[n]);
        for (unsigned i = 0; i < 4000; i++) {
            (void)solo_sim_run(lab.sim, i, readers_and_writer, NULL);
            last[n] += order[0] == 'r';
        }
        lab_close(&lab);
    }
    CU_ASSERT_TRUE(last[0] > last[1]);
    CU_ASSERT_TRUE(last[0] > 600);
}

/* ---- Hold ---- */

enum { WRITERS = 6 };
static int pair[2];
static bool torn;

static void write_pair(void *arg)
{
    (void)arg;
    SOLO_WRITE(pair[0], 1);
    solo_access_write(&word[3], sizeof word[3]); /* pair[1] would be in the same word */
    pair[1] = 1;
}

static void read_pair(void *arg)
{
    (void)arg;
    int first = SOLO_READ(pair[0]);
    solo_access_read(&word[3], sizeof word[3]);
    torn = first != pair[1] && first == 1;
}

static void many_writers(void *arg)
{
    static const solo_thread_fn threads[] = {write_pair, write_pair, write_pair, write_pair,
                                             write_pair, write_pair, read_pair};
    (void)arg;
    pair[0] = pair[1] = 0;
    torn = false;
    start_and_join(threads, WRITERS + 1);
}

static unsigned first_torn(const char *name, unsigned seed, unsigned schedules)
{
    struct lab lab = lab_open(name);
    unsigned first = 0;
    for (unsigned i = 0; i < schedules && first == 0; i++) {
        (void)solo_sim_run(lab.sim, (uint64_t)seed * 100000 + i, many_writers, NULL);
        first = torn ? i + 1 : 0;
    }
    lab_close(&lab);
    return first;
}

/* All writers have to be late at one of four places, which a walk that draws each thread's steps hardly ever does. */
static void test_sampling__hold_finds_what_needs_many_threads_late_within_a_round_of_places(void)
{
    for (unsigned seed = 0; seed < 20; seed++) {
        unsigned first = first_torn("hold", seed, 100);
        CU_ASSERT_TRUE(first > 0);
        CU_ASSERT_TRUE(first <= 12);
    }
}

/* Items are taken in order, and shown a moment later. Bad: nothing is left, and neither of the last two is shown. */
enum { ITEMS = 8 };
static struct {
    unsigned taken, shown;
    bool is_bad;
} items;

__attribute__((no_sanitize("thread"))) static bool take_and_show(void)
{
    solo_access_write(&word[0], sizeof word[0]);
    if (items.taken == ITEMS) {
        items.is_bad |= (items.shown & 3u << (ITEMS - 2)) == 0;
        return false;
    }
    unsigned mine = items.taken++;
    solo_access_write(&word[1], sizeof word[1]);
    items.shown |= 1u << mine;
    return true;
}

static void take_items(void *arg)
{
    (void)arg;
    while (take_and_show()) {
    }
}

__attribute__((no_sanitize("thread"))) static void three_take_items(void *arg)
{
    static const solo_thread_fn threads[] = {take_items, take_items, take_items};
    (void)arg;
    memset(&items, 0, sizeof items);
    start_and_join(threads, 3);
}

/* Those who wait at a place pass it in any order: here the two that come last have to stay, whoever they are. */
static void test_sampling__hold_lets_those_who_wait_pass_in_any_order(void)
{
    for (unsigned seed = 0; seed < 20; seed++) {
        struct lab lab = lab_open("hold");
        unsigned first = 0;
        for (unsigned i = 0; i < 200 && first == 0; i++) {
            (void)solo_sim_run(lab.sim, (uint64_t)seed * 100000 + i, three_take_items, NULL);
            first = items.is_bad ? i + 1 : 0;
        }
        lab_close(&lab);
        CU_ASSERT_TRUE(first > 0);
    }
}

static void test_sampling__hold_tries_all_places_before_one_twice(void)
{
    struct lab lab = lab_open("hold");
    const struct solo__sampling_state *state = lab.state;
    for (unsigned i = 0; i < 60; i++) {
        (void)solo_sim_run(lab.sim, i, many_writers, NULL);
    }
    uint32_t least = UINT32_MAX;
    uint32_t most = 0;
    for (uint32_t i = 0; i < state->profile.place_count; i++) {
        const struct solo__place *place = &state->profile.places[i];
        if (place->operation == SOLO_PROBE_ACCESS_READ || place->operation == SOLO_PROBE_ACCESS_WRITE) {
            least = place->held < least ? place->held : least;
            most = place->held > most ? place->held : most;
        }
    }
    CU_ASSERT_TRUE(least > 1);
    CU_ASSERT_TRUE(most <= least + 1);
    lab_close(&lab);
}

/* ---- Steering ---- */

static struct solo_reactor *reactor;

static SOLO_REACTOR_ONLY void nothing(void *arg)
{
    (void)arg;
}

static SOLO_REACTOR_ONLY void stop_reactor(void *arg)
{
    (void)arg;
    (void)solo_reactor_stop(reactor);
}

static void post_and_touch(void *arg)
{
    (void)arg;
    for (unsigned i = 0; i < 3; i++) {
        solo_access_write(&word[0], sizeof word[0]);
    }
    (void)solo_reactor_call_from_thread(reactor, nothing, NULL, NULL);
    (void)solo_reactor_call_from_thread(reactor, stop_reactor, NULL, NULL);
}

static void reactor_and_memory(void *arg)
{
    struct solo_thread *threads[2];
    (void)arg;
    CU_ASSERT_EQUAL(solo_reactor_create(NULL, &reactor), 0);
    for (unsigned i = 0; i < 2; i++) {
        (void)solo_thread_create(post_and_touch, NULL, &threads[i]);
    }
    (void)solo_reactor_run(reactor);
    for (unsigned i = 0; i < 2; i++) {
        (void)solo_thread_join(threads[i]);
    }
    (void)solo_reactor_destroy(reactor);
}

static void test_sampling__hold_tries_what_decides_over_a_loop_before_plain_memory(void)
{
    struct lab lab = lab_open("hold");
    const struct solo__profile *profile = &((struct solo__sampling_state *)lab.state)->profile;
    (void)solo_sim_run(lab.sim, 0, reactor_and_memory, NULL);
    for (unsigned i = 1; i < 3; i++) { /* there are more such places than this */
        (void)solo_sim_run(lab.sim, i, reactor_and_memory, NULL);
    }
    unsigned interesting = 0;
    unsigned plain = 0;
    for (uint32_t i = 0; i < profile->place_count; i++) {
        interesting += profile->places[i].interest ? profile->places[i].held : 0;
        plain += profile->places[i].interest ? 0 : profile->places[i].held;
    }
    CU_ASSERT_TRUE(interesting >= 2);
    CU_ASSERT_EQUAL(plain, 0);
    lab_close(&lab);
}

static void test_sampling__what_a_contract_or_a_loop_hangs_on_is_interesting(void)
{
    CU_ASSERT_TRUE(solo__operation_is_interesting(SOLO_PROBE_CONTRACT));
    CU_ASSERT_TRUE(solo__operation_is_interesting(SOLO_PROBE_POLL));
    CU_ASSERT_TRUE(solo__operation_is_interesting(SOLO_PROBE_CALL_ACCEPTED));
    CU_ASSERT_TRUE(solo__operation_is_interesting(SOLO_PROBE_JOB_FINISHED));
    CU_ASSERT_FALSE(solo__operation_is_interesting(SOLO_PROBE_LOCK));
    CU_ASSERT_FALSE(solo__operation_is_interesting(SOLO_PROBE_ACCESS_WRITE));
}

/* ---- The profile ---- */

static void test_sampling__the_profile_knows_threads_objects_and_places(void)
{
    struct lab lab = lab_open("hold");
    const struct solo__profile *profile = &((struct solo__sampling_state *)lab.state)->profile;
    for (unsigned i = 0; i < 3; i++) {
        (void)solo_sim_run(lab.sim, i, many_writers, NULL);
    }
    CU_ASSERT_EQUAL(profile->path_count, WRITERS + 2); /* main, and each by its own path */
    unsigned contended = 0;
    unsigned places = 0;
    for (uint32_t i = 0; i < profile->object_count; i++) {
        contended += solo__profile_is_contended(profile, (uint16_t)i);
    }
    for (uint32_t i = 0; i < profile->place_count; i++) {
        unsigned operation = profile->places[i].operation;
        places += operation == SOLO_PROBE_ACCESS_READ || operation == SOLO_PROBE_ACCESS_WRITE;
    }
    CU_ASSERT_EQUAL(contended, 2);
    CU_ASSERT_EQUAL(places, 4); /* six writers run the same code, so they have the same two places */
    lab_close(&lab);
}

/* ---- The portfolio ---- */

static void test_sampling__the_portfolio_begins_plainly_and_gives_everybody_a_turn(void)
{
    struct lab lab = lab_open("portfolio");
    char members[256] = "";
    for (unsigned i = 0; i < 40; i++) {
        (void)solo_sim_run(lab.sim, i, one_among_five, NULL);
        const char *member = solo_strategy_member(lab.strategy, lab.state);
        CU_ASSERT_TRUE(i != 0 || strcmp(member, "plain") == 0);
        CU_ASSERT_TRUE(i != 0 || solo_sim_get_log(lab.sim)->deviations == 0);
        if (strstr(members, member) == NULL) {
            strcat(strcat(members, member), " ");
        }
    }
    CU_ASSERT_PTR_NOT_NULL(strstr(members, "hold "));
    CU_ASSERT_PTR_NOT_NULL(strstr(members, "surw "));
    CU_ASSERT_PTR_NOT_NULL(strstr(members, "pos "));
    CU_ASSERT_PTR_NOT_NULL(strstr(members, "pct "));
    CU_ASSERT_PTR_NOT_NULL(strstr(members, "urw "));
    CU_ASSERT_PTR_NOT_NULL(strstr(members, "random "));
    lab_close(&lab);
}

static void test_sampling__a_strategy_alone_is_its_own_member(void)
{
    struct lab lab = lab_open("pos");
    CU_ASSERT_STRING_EQUAL(solo_strategy_member(lab.strategy, lab.state), "pos");
    CU_ASSERT_STRING_EQUAL(solo_strategy_member(NULL, lab.state), "");
    lab_close(&lab);
}

/* ---- Names with numbers ---- */

static void test_sampling__a_number_may_follow_where_the_strategy_takes_one(void)
{
    CU_ASSERT_PTR_NOT_NULL(solo_strategy_find("pct:1", NULL));
    CU_ASSERT_PTR_NOT_NULL(solo_strategy_find("pct:64", NULL));
    CU_ASSERT_PTR_NOT_NULL(solo_strategy_find("dfs:0", NULL));
    CU_ASSERT_EQUAL(solo_strategy_argument("pct:7", 3), 7);
    CU_ASSERT_EQUAL(solo_strategy_argument("pct", 3), 3);
    CU_ASSERT_EQUAL(solo_strategy_argument("nothing:7", 3), 3);
}

static void test_sampling__a_number_that_does_not_fit_is_refused(void)
{
    static const char *const wrong[] = {"pct:0", "pct:65",  "pct:", "pct:3x", "pct:-1", "pos:1",
                                        "pc",    "random:", "dfs:", ":",      ":3",     "pct:99999999999999999999"};
    for (unsigned i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        CU_ASSERT_PTR_NULL(solo_strategy_find(wrong[i], NULL));
    }
}

/* ---- In the explorer ---- */

static const char *is_whole(void *arg)
{
    (void)arg;
    return torn ? "half of a pair was seen" : NULL;
}

static void test_sampling__what_each_finds_is_reproduced_from_its_token(void)
{
    static struct solo_report report;
    struct solo_scenario scenario = {.name = "pair", .body = many_writers, .invariant = is_whole};
    for (unsigned s = 0; s < SAMPLERS; s++) {
        struct solo_explore_options options;
        solo_explore_defaults(&options);
        options.strategy = samplers[s];
        options.schedules_max = 3000;
        options.stop_at_first = true;
        CU_ASSERT_EQUAL(solo_explore(&scenario, &options, &report), 0);
        CU_ASSERT_EQUAL_FATAL(report.finding_count, 1);
        CU_ASSERT_TRUE(report.findings[0].reproduced);
        CU_ASSERT_TRUE(report.findings[0].found_by[0] != '\0');
        CU_ASSERT_TRUE(strcmp(samplers[s], "portfolio") == 0 ||
                       strncmp(samplers[s], report.findings[0].found_by, strlen(report.findings[0].found_by)) == 0);
    }
}

void suite_sampling(void)
{
    SOLO_SUITE("sampling");
    SOLO_TEST(test_sampling__equal_seeds_give_equal_schedules);
    SOLO_TEST(test_sampling__each_reaches_every_order);
    SOLO_TEST(test_sampling__a_loop_that_yields_is_not_preferred_for_ever);
    SOLO_TEST(test_sampling__a_loop_that_does_not_even_yield_is_not_preferred_for_ever);
    SOLO_TEST(test_sampling__time_passes_at_last_while_a_thread_spins);
    SOLO_TEST(test_sampling__some_schedules_let_time_pass_early_and_some_late);
    SOLO_TEST(test_sampling__surw_draws_the_place_of_one_write_among_five_evenly);
    SOLO_TEST(test_sampling__surw_draws_who_takes_a_lock_next_evenly);
    SOLO_TEST(test_sampling__a_random_walk_seldom_lets_a_lock_go_to_the_same_thread_each_time);
    SOLO_TEST(test_sampling__a_random_walk_does_not);
    SOLO_TEST(test_sampling__urw_has_no_favourite_schedules);
    SOLO_TEST(test_sampling__pct_keeps_its_promise_for_a_deadlock_of_depth_two);
    SOLO_TEST(test_sampling__pct_without_changes_cannot_find_it);
    SOLO_TEST(test_sampling__pct_without_a_number_goes_round_the_depths);
    SOLO_TEST(test_sampling__pos_does_not_count_operations_that_commute);
    SOLO_TEST(test_sampling__hold_finds_what_needs_many_threads_late_within_a_round_of_places);
    SOLO_TEST(test_sampling__hold_lets_those_who_wait_pass_in_any_order);
    SOLO_TEST(test_sampling__hold_tries_all_places_before_one_twice);
    SOLO_TEST(test_sampling__hold_tries_what_decides_over_a_loop_before_plain_memory);
    SOLO_TEST(test_sampling__what_a_contract_or_a_loop_hangs_on_is_interesting);
    SOLO_TEST(test_sampling__the_profile_knows_threads_objects_and_places);
    SOLO_TEST(test_sampling__the_portfolio_begins_plainly_and_gives_everybody_a_turn);
    SOLO_TEST(test_sampling__a_strategy_alone_is_its_own_member);
    SOLO_TEST(test_sampling__a_number_may_follow_where_the_strategy_takes_one);
    SOLO_TEST(test_sampling__a_number_that_does_not_fit_is_refused);
    SOLO_TEST(test_sampling__what_each_finds_is_reproduced_from_its_token);
}
