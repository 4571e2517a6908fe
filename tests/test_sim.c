/*
 * test_sim.c - the scheduler core: who runs when, time, rest, endings, what is recorded, and that both carriers agree.
 */
#include "core.h"
#include "runner.h"
#include "sim_world.h"
#include <solo/explore.h>
#include <solo/sim.h>
#include <solo/solo.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MS UINT64_C(1000000)

enum { ANSWERS_MAX = 4096, EVENTS_MAX = 4096 };

/* What a body writes down: one letter for each thing it saw, in the order in which it happened. */
static char notes[256];
static size_t noted;

/* Threads note in turn and by nothing but the simulation in order, which is a race to any detector. */
__attribute__((no_sanitize("thread"))) static void note(char c)
{
    if (noted < sizeof notes - 1) {
        notes[noted++] = c;
        notes[noted] = '\0';
    }
}

/* ---- One run with these options; the log is kept here ---- */

static struct solo_answer answers[ANSWERS_MAX];
static struct solo_event events[EVENTS_MAX];
static struct solo_sim_log seen;

static int run(struct solo_sim_options options, uint64_t seed, void (*body)(void *arg), void *arg)
{
    struct solo_sim *sim;
    seen = (struct solo_sim_log){
        .answers = answers, .events = events, .answers_max = ANSWERS_MAX, .events_max = EVENTS_MAX};
    options.log = &seen;
    noted = 0;
    notes[0] = '\0';
    if (solo_sim_create(&options, &sim) < 0) {
        return -ENOMEM;
    }
    int ending = solo_sim_run(sim, seed, body, arg);
    solo_sim_destroy(sim);
    return ending;
}

static int run_plain(void (*body)(void *arg))
{
    return run((struct solo_sim_options){0}, 0, body, NULL);
}

/* A random walk that needs no harness. */
static int walk_begin(void *state, uint64_t seed)
{
    *(uint64_t *)state = (seed + 1) * UINT64_C(0x9e3779b97f4a7c15);
    return 0;
}

static size_t walk_choose(void *state, const struct solo_choice *choice)
{
    uint64_t *random = state;
    *random ^= *random << 13;
    *random ^= *random >> 7;
    *random ^= *random << 17;
    return (size_t)((*random >> 33) % choice->count);
}

static const struct solo_strategy walk = {.name = "walk", .begin = walk_begin, .choose = walk_choose};
static uint64_t walk_state;

static struct solo_sim_options walking(enum solo_carrier carrier)
{
    return (struct solo_sim_options){
        .carrier = carrier, .strategy = &walk, .strategy_state = &walk_state, .let_time_pass = true};
}

/* ---- Who runs ---- */

static void say_and_yield(void *arg)
{
    note(*(const char *)arg);
    solo_yield();
    note(*(const char *)arg);
}

static void two_talkers(void *arg)
{
    struct solo_thread *a, *b;
    (void)arg;
    CU_ASSERT_EQUAL(solo_thread_create(say_and_yield, "a", &a), 0);
    CU_ASSERT_EQUAL(solo_thread_create(say_and_yield, "b", &b), 0);
    CU_ASSERT_EQUAL(solo_thread_join(a), 0);
    CU_ASSERT_EQUAL(solo_thread_join(b), 0);
    note('.');
}

static void test_sim__the_plain_schedule_runs_one_thread_after_the_other(void)
{
    CU_ASSERT_EQUAL(run_plain(two_talkers), SOLO_ENDING_RETURNED);
    CU_ASSERT_STRING_EQUAL(notes, "aabb.");
    CU_ASSERT_EQUAL(seen.deviations, 0);
}

static void test_sim__every_order_of_two_threads_is_reached(void)
{
    static const char *const orders[] = {"aabb.", "abab.", "abba.", "baab.", "baba.", "bbaa."};
    unsigned reached = 0;
    for (uint64_t seed = 0; seed < 500 && reached != 63; seed++) {
        CU_ASSERT_EQUAL(run(walking(SOLO_CARRIER_FIBER), seed, two_talkers, NULL), SOLO_ENDING_RETURNED);
        for (unsigned i = 0; i < 6; i++) {
            reached |= strcmp(notes, orders[i]) == 0 ? 1u << i : 0;
        }
    }
    CU_ASSERT_EQUAL(reached, 63);
}

static void busy_server(void *arg)
{
    struct solo_reactor *reactor;
    struct solo_thread *thread;
    (void)arg;
    CU_ASSERT_EQUAL_FATAL(solo_reactor_create(NULL, &reactor), 0);
    (void)solo_thread_create(say_and_yield, "t", &thread);
    (void)solo_sleep(3 * MS);
    (void)solo_thread_join(thread);
    (void)solo_reactor_destroy(reactor);
}

static void test_sim__one_seed_gives_one_trace_on_both_carriers(void)
{
    for (uint64_t seed = 0; seed < 100; seed++) {
        CU_ASSERT_EQUAL(run(walking(SOLO_CARRIER_FIBER), seed, busy_server, NULL), SOLO_ENDING_RETURNED);
        struct solo_sim_log fibers = seen;
        CU_ASSERT_EQUAL(run(walking(SOLO_CARRIER_TOKEN), seed, busy_server, NULL), SOLO_ENDING_RETURNED);
        CU_ASSERT_EQUAL(fibers.trace_hash, seen.trace_hash);
        CU_ASSERT_EQUAL(fibers.events_count, seen.events_count);
        CU_ASSERT_EQUAL(fibers.answers_count, seen.answers_count);
    }
}

static void test_sim__different_orders_have_different_traces(void)
{
    CU_ASSERT_EQUAL(run_plain(two_talkers), SOLO_ENDING_RETURNED);
    uint64_t plain = seen.trace_hash;
    unsigned other = 0;
    for (uint64_t seed = 0; seed < 50; seed++) {
        (void)run(walking(SOLO_CARRIER_FIBER), seed, two_talkers, NULL);
        bool same = strcmp(notes, "aabb.") == 0 && seen.deviations == 0;
        CU_ASSERT(same || seen.trace_hash != plain);
        other += seen.trace_hash != plain;
    }
    CU_ASSERT(other > 25);
}

static void say_what_happened(void *arg)
{
    solo_happened(arg);
}

static void test_sim__what_an_event_says_is_in_the_trace(void)
{
    CU_ASSERT_EQUAL(run((struct solo_sim_options){0}, 0, say_what_happened, "rain"), SOLO_ENDING_RETURNED);
    uint64_t rain = seen.trace_hash, count = seen.events_count;
    CU_ASSERT_EQUAL(run((struct solo_sim_options){0}, 0, say_what_happened, "snow"), SOLO_ENDING_RETURNED);
    CU_ASSERT_NOT_EQUAL(seen.trace_hash, rain);
    CU_ASSERT_EQUAL(seen.events_count, count);
}

/* ---- A choice from which nothing follows ---- */

static struct {
    size_t options, takes;
    uint16_t check;
} asked;

static void ask_for_a_job(void *arg)
{
    struct solo_option jobs[] = {{.tag = 1}, {.tag = 2}, {.tag = 3}};
    const struct solo_option *options[] = {&jobs[0], &jobs[1], &jobs[2]};
    (void)arg;
    CU_ASSERT_EQUAL(core_choose(core_current(), SOLO_CHOICE_JOB, options, asked.options), asked.takes);
}

static size_t take_as_told(void *state, const struct solo_choice *choice)
{
    (void)state;
    asked.check = choice->check;
    return asked.takes;
}

static uint64_t hash_of_asking(size_t options, size_t takes)
{
    static const struct solo_strategy strategy = {.name = "told", .choose = take_as_told};
    asked.options = options;
    asked.takes = takes;
    CU_ASSERT_EQUAL(run((struct solo_sim_options){.strategy = &strategy}, 0, ask_for_a_job, NULL),
                    SOLO_ENDING_RETURNED);
    CU_ASSERT_EQUAL(seen.answers_count, 1);
    CU_ASSERT_EQUAL(answers[0].check, asked.check);
    return seen.trace_hash;
}

static void test_sim__each_answer_has_a_trace_of_its_own(void)
{
    uint64_t hashes[] = {hash_of_asking(3, 0), hash_of_asking(3, 1), hash_of_asking(3, 2)};
    CU_ASSERT_NOT_EQUAL(hashes[0], hashes[1]);
    CU_ASSERT_NOT_EQUAL(hashes[1], hashes[2]);
    CU_ASSERT_NOT_EQUAL(hashes[0], hashes[2]);
    CU_ASSERT_EQUAL(hash_of_asking(3, 2), hashes[2]);
}

static void test_sim__the_check_of_a_choice_knows_how_much_was_offered(void)
{
    (void)hash_of_asking(3, 0);
    uint16_t three = asked.check;
    (void)hash_of_asking(2, 0);
    CU_ASSERT_NOT_EQUAL(asked.check, three);
}

/* ---- Time ---- */

static void sleeper(void *arg)
{
    const char *name = arg;
    (void)solo_sleep((uint64_t)(name[0] - '0') * 1000 * MS);
    note(name[0]);
}

static void three_sleepers(void *arg)
{
    struct solo_thread *threads[3];
    static const char *const names[] = {"3", "1", "2"};
    (void)arg;
    for (int i = 0; i < 3; i++) {
        (void)solo_thread_create(sleeper, (void *)names[i], &threads[i]);
    }
    for (int i = 0; i < 3; i++) {
        (void)solo_thread_join(threads[i]);
    }
}

static void test_sim__sleepers_wake_in_order_and_time_jumps(void)
{
    CU_ASSERT_EQUAL(run_plain(three_sleepers), SOLO_ENDING_RETURNED);
    CU_ASSERT_STRING_EQUAL(notes, "123");
    CU_ASSERT_EQUAL(seen.now_ns, 3000 * MS);
}

static void late_worker(void *arg)
{
    (void)arg;
    note('w');
}

static void works_while_main_sleeps(void *arg)
{
    struct solo_thread *thread;
    (void)arg;
    (void)solo_thread_create(late_worker, NULL, &thread);
    (void)solo_sleep(1);
    note('s');
    (void)solo_thread_join(thread);
}

static void test_sim__time_may_pass_while_somebody_could_run(void)
{
    unsigned slept_first = 0;
    for (uint64_t seed = 0; seed < 200; seed++) {
        (void)run(walking(SOLO_CARRIER_FIBER), seed, works_while_main_sleeps, NULL);
        slept_first += strcmp(notes, "sw") == 0;
    }
    CU_ASSERT(slept_first > 0);
    for (uint64_t seed = 0; seed < 200; seed++) {
        struct solo_sim_options options = walking(SOLO_CARRIER_FIBER);
        options.let_time_pass = false;
        (void)run(options, seed, works_while_main_sleeps, NULL);
        CU_ASSERT_STRING_EQUAL(notes, "ws");
    }
}

static void ticker(void *arg)
{
    (void)arg;
    for (char c = 'a'; c < 'e'; c++) {
        (void)solo_sleep(10);
        note(c);
    }
}

static void advances(void *arg)
{
    struct solo_thread *thread;
    (void)arg;
    (void)solo_thread_create(ticker, NULL, &thread);
    CU_ASSERT_EQUAL(solo_clock_settle(), 0);
    note('0');
    CU_ASSERT_EQUAL(solo_clock_advance(25), 0); /* stops at 10 and at 20 on the way */
    CU_ASSERT_EQUAL(solo_now(), 25);
    note('1');
    CU_ASSERT_EQUAL(solo_clock_advance(5), 0);
    note('2');
    CU_ASSERT_EQUAL(solo_clock_advance(10), 0);
    (void)solo_thread_join(thread);
}

static void test_sim__a_manual_clock_stops_at_every_deadline_on_the_way(void)
{
    struct solo_sim_options options = {.clock = SOLO_CLOCK_MANUAL};
    CU_ASSERT_EQUAL(run(options, 0, advances, NULL), SOLO_ENDING_RETURNED);
    CU_ASSERT_STRING_EQUAL(notes, "0ab1c2d");
}

static void only_sleeps(void *arg)
{
    (void)arg;
    (void)solo_sleep(1);
    note('!');
}

static void test_sim__a_manual_clock_does_not_move_by_itself(void)
{
    struct solo_sim_options options = {.clock = SOLO_CLOCK_MANUAL};
    CU_ASSERT_EQUAL(run(options, 0, only_sleeps, NULL), SOLO_ENDING_QUIET);
    CU_ASSERT_STRING_EQUAL(notes, "");
}

static void advances_an_automatic_clock(void *arg)
{
    (void)arg;
    CU_ASSERT_EQUAL(solo_clock_advance(1), -EINVAL);
    note('x');
}

static void test_sim__only_a_manual_clock_is_advanced(void)
{
    CU_ASSERT_EQUAL(run_plain(advances_an_automatic_clock), SOLO_ENDING_RETURNED);
    CU_ASSERT_STRING_EQUAL(notes, "x");
    CU_ASSERT_EQUAL(solo_clock_advance(1), -EINVAL);
    CU_ASSERT_EQUAL(solo_clock_settle(), -EINVAL);
}

/* ---- Endings ---- */

static void idles_in_its_poll(void *arg)
{
    struct solo_reactor *reactor;
    (void)arg;
    (void)solo_reactor_create(NULL, &reactor);
    (void)solo_reactor_run(reactor);
}

static void test_sim__a_reactor_at_rest_is_idle_and_not_deadlocked(void)
{
    CU_ASSERT_EQUAL(run_plain(idles_in_its_poll), SOLO_ENDING_QUIET);
}

static struct solo_semaphore *never_posted;

static void waits_for_ever(void *arg)
{
    (void)arg;
    (void)solo_semaphore_create(0, &never_posted);
    (void)solo_semaphore_wait(never_posted, SOLO_NEVER);
}

static struct solo_waiter waiters[4];
static size_t waiter_count;
static bool deadlocked;

static void ask_who_waits(int ending, void *arg)
{
    (void)ending;
    (void)arg;
    deadlocked = false;
    waiter_count = solo_sim_waiters(waiters, 4, &deadlocked);
}

static void test_sim__who_waits_for_what_can_be_asked_at_the_end(void)
{
    struct solo_sim_options options = {0};
    struct solo_sim *sim;
    CU_ASSERT_EQUAL_FATAL(solo_sim_create(&options, &sim), 0);
    solo_sim_set_ending_hook(sim, ask_who_waits, NULL);
    CU_ASSERT_EQUAL(solo_sim_run(sim, 0, waits_for_ever, NULL), SOLO_ENDING_DEADLOCK);
    CU_ASSERT(deadlocked);
    CU_ASSERT_EQUAL(waiter_count, 1);
    CU_ASSERT_STRING_EQUAL(waiters[0].thread, "main");
    CU_ASSERT_STRING_EQUAL(waiters[0].object, "semaphore#1");
    CU_ASSERT_EQUAL(waiters[0].wait_kind, SOLO_WAIT_SEMAPHORE);
    solo_sim_destroy(sim);
}

static void yields_for_ever(void *arg)
{
    (void)arg;
    for (;;) {
        solo_yield();
    }
}

static void test_sim__steps_max_ends_a_schedule_that_does_not_end(void)
{
    struct solo_sim_options options = {.steps_max = 100};
    CU_ASSERT_EQUAL(run(options, 0, yields_for_ever, NULL), SOLO_ENDING_STEPS);
    CU_ASSERT_EQUAL(seen.events_count, 100);
}

static size_t gives_up(void *state, const struct solo_choice *choice)
{
    (void)state;
    return choice->count;
}

static const struct solo_strategy quitter = {.name = "quitter", .choose = gives_up};

static void test_sim__a_strategy_may_give_up(void)
{
    struct solo_sim_options options = {.strategy = &quitter};
    CU_ASSERT_EQUAL(run(options, 0, two_talkers, NULL), SOLO_ENDING_DIVERGED);
}

static int nothing_left(void *state, uint64_t seed)
{
    (void)state;
    (void)seed;
    return 1;
}

static const struct solo_strategy exhausted = {.name = "exhausted", .begin = nothing_left, .choose = gives_up};

static void test_sim__a_strategy_with_nothing_left_runs_nothing(void)
{
    struct solo_sim_options options = {.strategy = &exhausted};
    CU_ASSERT_EQUAL(run(options, 0, two_talkers, NULL), SOLO_ECLOSING);
    CU_ASSERT_STRING_EQUAL(notes, "");
}

static void test_sim__what_one_run_left_behind_is_not_seen_by_the_next(void)
{
    static const enum solo_carrier carriers[] = {SOLO_CARRIER_FIBER, SOLO_CARRIER_TOKEN};
    for (int i = 0; i < 2; i++) {
        struct solo_sim_options options = {.carrier = carriers[i]};
        struct solo_sim *sim;
        CU_ASSERT_EQUAL_FATAL(solo_sim_create(&options, &sim), 0);
        uint64_t hash = 0;
        for (int round = 0; round < 20; round++) {
            CU_ASSERT_EQUAL(solo_sim_run(sim, 0, waits_for_ever, NULL), SOLO_ENDING_DEADLOCK);
            noted = 0;
            CU_ASSERT_EQUAL(solo_sim_run(sim, 0, two_talkers, NULL), SOLO_ENDING_RETURNED);
            CU_ASSERT_STRING_EQUAL(notes, "aabb.");
            CU_ASSERT(round == 0 || hash == solo_sim_get_log(sim)->trace_hash);
            hash = solo_sim_get_log(sim)->trace_hash;
        }
        solo_sim_destroy(sim);
    }
}

/* ---- What is recorded ---- */

static unsigned steps_told;
static uint64_t last_step;

static void count_step(void *state, const struct solo_event *event)
{
    (void)state;
    steps_told++;
    CU_ASSERT_EQUAL(event->step, last_step + 1);
    last_step = event->step;
}

static const struct solo_strategy counting = {
    .name = "counting", .begin = walk_begin, .choose = walk_choose, .step = count_step};

static void test_sim__a_strategy_is_told_of_every_event(void)
{
    struct solo_sim_options options = {.strategy = &counting, .strategy_state = &walk_state};
    steps_told = 0;
    last_step = 0;
    (void)run(options, 7, two_talkers, NULL);
    CU_ASSERT(seen.events_count > 10);
    CU_ASSERT_EQUAL(steps_told, seen.events_count);
}

static bool always_two;
static bool option_zero_runs;

static size_t look_at_options(void *state, const struct solo_choice *choice)
{
    (void)state;
    always_two = always_two && choice->count >= 2;
    if (choice->kind == SOLO_CHOICE_THREAD && choice->options[0]->thread != choice->thread) {
        option_zero_runs = false; /* then the asking thread must not be among the others */
        for (size_t i = 1; i < choice->count; i++) {
            option_zero_runs = option_zero_runs || choice->options[i]->thread == choice->thread;
        }
        option_zero_runs = !option_zero_runs;
    }
    return 0;
}

static const struct solo_strategy looking = {.name = "looking", .choose = look_at_options};

static void test_sim__the_chooser_is_asked_only_where_there_is_a_choice(void)
{
    struct solo_sim_options options = {.strategy = &looking};
    always_two = option_zero_runs = true;
    CU_ASSERT_EQUAL(run(options, 0, two_talkers, NULL), SOLO_ENDING_RETURNED);
    CU_ASSERT(always_two);
    CU_ASSERT(option_zero_runs);
    CU_ASSERT(seen.answers_count > 0);
    for (uint32_t i = 0; i < seen.answers_count; i++) {
        CU_ASSERT(answers[i].count >= 2);
        CU_ASSERT_EQUAL(answers[i].chosen, 0);
    }
}

static uint64_t drawn[2];

static void draws(void *arg)
{
    (void)solo_random(arg, sizeof(uint64_t));
}

static void test_sim__randomness_of_the_world_does_not_depend_on_the_seed(void)
{
    (void)run(walking(SOLO_CARRIER_FIBER), 1, draws, &drawn[0]);
    (void)run(walking(SOLO_CARRIER_FIBER), 2, draws, &drawn[1]);
    CU_ASSERT(drawn[0] != 0);
    CU_ASSERT_EQUAL(drawn[0], drawn[1]); /* so that a token, which has no seed, replays it */
}

/* ---- Threads ---- */

static void keeps_its_errno(void *arg)
{
    errno = *(const char *)arg;
    solo_yield();
    CU_ASSERT_EQUAL(errno, *(const char *)arg);
    note('k');
}

static void two_errnos(void *arg)
{
    struct solo_thread *a, *b;
    (void)arg;
    (void)solo_thread_create(keeps_its_errno, "\1", &a);
    (void)solo_thread_create(keeps_its_errno, "\2", &b);
    (void)solo_thread_join(a);
    (void)solo_thread_join(b);
}

/* Both control words of floating point: SSE's and the x87's. */
struct rounding {
    uint32_t sse;
    uint16_t x87;
};

static struct rounding get_rounding(void)
{
    struct rounding rounding;
    __asm__ volatile("stmxcsr %0\n\tfnstcw %1" : "=m"(rounding.sse), "=m"(rounding.x87));
    return rounding;
}

static void set_rounding(struct rounding rounding)
{
    __asm__ volatile("ldmxcsr %0\n\tfldcw %1" : : "m"(rounding.sse), "m"(rounding.x87));
}

/* Rounds up or down or to nearest (modes of the x87's bits 10 and 11, and of SSE's 13 and 14), and stays like that. */
static void keeps_its_rounding(void *arg)
{
    struct rounding before = get_rounding();
    unsigned mode = *(const unsigned char *)arg;
    struct rounding mine = {(before.sse & ~0x6000u) | mode << 13, (uint16_t)((before.x87 & ~0x0c00u) | mode << 10)};
    set_rounding(mine);
    for (unsigned i = 0; i < 5; i++) {
        solo_yield();
        struct rounding now = get_rounding();
        CU_ASSERT_EQUAL(now.sse & 0x6000u, mine.sse & 0x6000u);
        CU_ASSERT_EQUAL(now.x87, mine.x87);
    }
    set_rounding(before);
}

static void three_roundings(void *arg)
{
    struct solo_thread *threads[3];
    (void)arg;
    for (unsigned i = 0; i < 3; i++) {
        CU_ASSERT_EQUAL_FATAL(solo_thread_create(keeps_its_rounding, &"\0\1\2"[i], &threads[i]), 0);
    }
    for (unsigned i = 0; i < 3; i++) {
        CU_ASSERT_EQUAL(solo_thread_join(threads[i]), 0);
    }
}

static void test_sim__rounding_belongs_to_the_virtual_thread(void)
{
    for (unsigned seed = 0; seed < 20; seed++) {
        (void)run(walking(SOLO_CARRIER_FIBER), seed, three_roundings, NULL);
        (void)run(walking(SOLO_CARRIER_TOKEN), seed, three_roundings, NULL);
    }
}

static void test_sim__errno_belongs_to_the_virtual_thread(void)
{
    for (uint64_t seed = 0; seed < 30; seed++) {
        (void)run(walking(SOLO_CARRIER_FIBER), seed, two_errnos, NULL);
        CU_ASSERT_STRING_EQUAL(notes, "kk");
    }
}

static void does_nothing(void *arg)
{
    (void)arg;
}

static void makes_too_many(void *arg)
{
    static struct solo_thread *threads[SOLO_SIM_THREADS_MAX];
    int made = 0;
    (void)arg;
    while (made < SOLO_SIM_THREADS_MAX && solo_thread_create(does_nothing, NULL, &threads[made]) == 0) {
        made++;
    }
    CU_ASSERT_EQUAL(made, SOLO_SIM_THREADS_MAX - 1); /* and main */
    struct solo_thread *one_more;
    CU_ASSERT_EQUAL(solo_thread_create(does_nothing, NULL, &one_more), -EAGAIN);
    for (int i = 0; i < made; i++) {
        CU_ASSERT_EQUAL(solo_thread_join(threads[i]), 0);
    }
    CU_ASSERT_EQUAL(solo_thread_create(does_nothing, NULL, &one_more), 0);
    (void)solo_thread_join(one_more);
    note('.');
}

static void test_sim__the_limit_of_threads_is_an_error_and_can_be_lived_with(void)
{
    CU_ASSERT_EQUAL(run_plain(makes_too_many), SOLO_ENDING_RETURNED);
    CU_ASSERT_STRING_EQUAL(notes, ".");
}

static unsigned depth_reached;

static unsigned dig(unsigned depth)
{
    volatile char frame[200];
    frame[0] = (char)depth;
    solo_yield();
    depth_reached = depth > depth_reached ? depth : depth_reached;
    return depth == 0 ? 0 : dig(depth - 1) + (frame[0] == (char)depth);
}

static void digs(void *arg)
{
    (void)arg;
    CU_ASSERT_EQUAL(dig(300), 300);
}

static void test_sim__a_virtual_thread_has_stack_enough(void)
{
    depth_reached = 0;
    CU_ASSERT_EQUAL(run(walking(SOLO_CARRIER_FIBER), 1, digs, NULL), SOLO_ENDING_RETURNED);
    CU_ASSERT_EQUAL(depth_reached, 300);
}

static void waits_as_a_peer(void *arg)
{
    (void)arg;
    (void)solo_semaphore_wait(never_posted, 5 * MS);
    note('p');
}

static void starts_a_peer(void *arg)
{
    (void)arg;
    (void)solo_semaphore_create(0, &never_posted);
    CU_ASSERT_EQUAL(solo_sim_start_peer(waits_as_a_peer, NULL), 0);
    (void)solo_sleep(10 * MS);
    note('m');
}

static void test_sim__a_peer_runs_beside_the_program(void)
{
    CU_ASSERT_EQUAL(run_plain(starts_a_peer), SOLO_ENDING_RETURNED);
    CU_ASSERT_STRING_EQUAL(notes, "pm");
    CU_ASSERT_EQUAL(solo_sim_start_peer(waits_as_a_peer, NULL), -EINVAL); /* not in a simulation */
}

/* ---- Bad input ---- */

static void runs_inside(void *arg)
{
    CU_ASSERT_EQUAL(solo_sim_run(arg, 0, does_nothing, NULL), -EBUSY);
    note('b');
}

static void test_sim__bad_calls_are_refused(void)
{
    struct solo_sim_options options = {0};
    struct solo_sim *sim = NULL;
    struct solo_sim_log log = {.events = events, .events_max = 3};
    CU_ASSERT_EQUAL(solo_sim_create(NULL, &sim), -EINVAL);
    CU_ASSERT_EQUAL(solo_sim_create(&options, NULL), -EINVAL);
    options.carrier = (enum solo_carrier)2;
    CU_ASSERT_EQUAL(solo_sim_create(&options, &sim), -EINVAL);
    options = (struct solo_sim_options){.log = &log};
    CU_ASSERT_EQUAL(solo_sim_create(&options, &sim), -EINVAL); /* not a power of two */
    options.log = NULL;
    CU_ASSERT_EQUAL_FATAL(solo_sim_create(&options, &sim), 0);
    CU_ASSERT_EQUAL(solo_sim_run(sim, 0, NULL, NULL), -EINVAL);
    CU_ASSERT_EQUAL(solo_sim_run(NULL, 0, does_nothing, NULL), -EINVAL);
    noted = 0;
    CU_ASSERT_EQUAL(solo_sim_run(sim, 0, runs_inside, sim), SOLO_ENDING_RETURNED);
    CU_ASSERT_STRING_EQUAL(notes, "b");
    CU_ASSERT_EQUAL(solo_sim_enter(sim, 0, NULL, NULL), -EINVAL);
    CU_ASSERT_PTR_NULL(solo_sim_current());
    solo_sim_destroy(sim);
    solo_sim_destroy(NULL);
}

void suite_sim(void)
{
    SOLO_SUITE("sim");
    SOLO_TEST(test_sim__the_plain_schedule_runs_one_thread_after_the_other);
    SOLO_TEST(test_sim__every_order_of_two_threads_is_reached);
    SOLO_TEST(test_sim__one_seed_gives_one_trace_on_both_carriers);
    SOLO_TEST(test_sim__different_orders_have_different_traces);
    SOLO_TEST(test_sim__what_an_event_says_is_in_the_trace);
    SOLO_TEST(test_sim__each_answer_has_a_trace_of_its_own);
    SOLO_TEST(test_sim__the_check_of_a_choice_knows_how_much_was_offered);
    SOLO_TEST(test_sim__sleepers_wake_in_order_and_time_jumps);
    SOLO_TEST(test_sim__time_may_pass_while_somebody_could_run);
    SOLO_TEST(test_sim__a_manual_clock_stops_at_every_deadline_on_the_way);
    SOLO_TEST(test_sim__a_manual_clock_does_not_move_by_itself);
    SOLO_TEST(test_sim__only_a_manual_clock_is_advanced);
    SOLO_TEST(test_sim__a_reactor_at_rest_is_idle_and_not_deadlocked);
    SOLO_TEST(test_sim__who_waits_for_what_can_be_asked_at_the_end);
    SOLO_TEST(test_sim__steps_max_ends_a_schedule_that_does_not_end);
    SOLO_TEST(test_sim__a_strategy_may_give_up);
    SOLO_TEST(test_sim__a_strategy_with_nothing_left_runs_nothing);
    SOLO_TEST(test_sim__what_one_run_left_behind_is_not_seen_by_the_next);
    SOLO_TEST(test_sim__a_strategy_is_told_of_every_event);
    SOLO_TEST(test_sim__the_chooser_is_asked_only_where_there_is_a_choice);
    SOLO_TEST(test_sim__randomness_of_the_world_does_not_depend_on_the_seed);
    SOLO_TEST(test_sim__errno_belongs_to_the_virtual_thread);
    SOLO_TEST(test_sim__rounding_belongs_to_the_virtual_thread);
    SOLO_TEST(test_sim__the_limit_of_threads_is_an_error_and_can_be_lived_with);
    SOLO_TEST(test_sim__a_virtual_thread_has_stack_enough);
    SOLO_TEST(test_sim__a_peer_runs_beside_the_program);
    SOLO_TEST(test_sim__bad_calls_are_refused);
}
