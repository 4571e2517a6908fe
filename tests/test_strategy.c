/* test_strategy.c - the strategies against made-up programs: trees of choices without any simulation. */
#include "runner.h"
#include "strategy.h"
#include <stdlib.h>
#include <string.h>

/* ---- A made-up program: a tree whose choices depend on the answers so far ---- */

enum { DEPTH_MAX = 64 };

struct walk {
    uint16_t answers[DEPTH_MAX];
    uint16_t counts[DEPTH_MAX];
    unsigned length;
    bool diverged;
};

/* How many options choice `index` has after these answers; 0 ends the schedule. */
typedef unsigned (*shape_fn)(const struct walk *walk);

static uint16_t roll(uint16_t check, unsigned count)
{
    return (uint16_t)(check * 31u + count * 7u + 1u);
}

/* One schedule; returns false if the strategy has nothing left. `last_is_time`: the last option lets time pass. */
static bool run_walk(const struct solo_strategy *strategy, void *state, uint64_t seed, shape_fn shape,
                     bool last_is_time, struct walk *walk)
{
    static const struct solo_option thread_option = {.tag = 1};
    static const struct solo_option time_option = {.tag = SOLO_TAG_TIME};
    memset(walk, 0, sizeof *walk);
    if (strategy->begin(state, seed) != 0) {
        return false;
    }
    uint16_t check = 0;
    unsigned count;
    while ((count = shape(walk)) >= 2) {
        const struct solo_option *options[DEPTH_MAX];
        for (unsigned i = 0; i < count; i++) {
            options[i] = i + 1 == count && last_is_time ? &time_option : &thread_option;
        }
        check = roll(check, count);
        struct solo_choice choice = {SOLO_CHOICE_THREAD, 0, walk->length, walk->length * 3u, check, options, count};
        size_t chosen = strategy->choose(state, &choice);
        if (chosen >= count) {
            walk->diverged = true;
            break;
        }
        walk->counts[walk->length] = (uint16_t)count;
        walk->answers[walk->length++] = (uint16_t)chosen;
    }
    if (strategy->end != NULL) {
        strategy->end(state, walk->diverged ? SOLO_ENDING_DIVERGED : SOLO_ENDING_RETURNED);
    }
    return true;
}

static unsigned binary_of_6(const struct walk *walk)
{
    return walk->length < 6 ? 2 : 0;
}

static unsigned ternary_of_4(const struct walk *walk)
{
    return walk->length < 4 ? 3 : 0;
}

/* Two threads of three steps each: only choices with two options are asked. C(6, 3) = 20 schedules. */
static unsigned interleaving_of_3_and_3(const struct walk *walk)
{
    unsigned left[2] = {3, 3};
    unsigned running = 0;
    for (unsigned i = 0; i < walk->length; i++) {
        running = walk->answers[i] == 0 ? running : 1 - running;
        left[running]--;
    }
    return left[0] != 0 && left[1] != 0 ? 2 : 0;
}

/* Ends at once after a 1, so schedules have different lengths: 7 of them. */
static unsigned ends_early(const struct walk *walk)
{
    return walk->length < 6 && (walk->length == 0 || walk->answers[walk->length - 1] == 0) ? 2 : 0;
}

static struct solo__dfs_state *new_search(unsigned delay_bound)
{
    struct solo__dfs_state *state = malloc(sizeof *state);
    CU_ASSERT_PTR_NOT_NULL_FATAL(state);
    memset(state, 0xaa, sizeof *state);
    CU_ASSERT_EQUAL_FATAL(solo_strategy_prepare(&solo__strategy_dfs, state, delay_bound), 0);
    return state;
}

/* All different walks that the search makes, and how many it made; repeats are not counted. */
struct search {
    unsigned walks, different, repeats;
    unsigned cost_of_first[64];
    bool finished, complete;
};

static bool same_walk(const struct walk *a, const struct walk *b)
{
    return a->length == b->length && memcmp(a->answers, b->answers, a->length * sizeof a->answers[0]) == 0;
}

static struct search search(unsigned delay_bound, shape_fn shape, bool last_is_time)
{
    static struct walk seen[5000];
    struct search found = {0};
    struct walk walk;
    struct solo__dfs_state *state = new_search(delay_bound);
    while (found.walks < 5000 && run_walk(&solo__strategy_dfs, state, found.walks, shape, last_is_time, &walk)) {
        CU_ASSERT_FALSE(walk.diverged);
        if (solo__dfs_is_repeat(state)) {
            found.repeats++;
            continue;
        }
        if (found.walks < 64) {
            found.cost_of_first[found.walks] = (unsigned)state->spent;
        }
        bool is_new = true;
        for (unsigned i = 0; i < found.different; i++) {
            is_new = is_new && !same_walk(&seen[i], &walk);
        }
        if (is_new) {
            seen[found.different++] = walk;
        }
        found.walks++;
    }
    found.finished = state->finished;
    found.complete = state->complete;
    free(state);
    return found;
}

/* ---- Names ---- */

static void test_strategy__each_name_is_found(void)
{
    unsigned count = 0;
    for (; solo_strategy_at(count) != NULL; count++) {
        size_t size = 0;
        const struct solo_strategy *strategy = solo_strategy_find(solo_strategy_at(count), &size);
        CU_ASSERT_PTR_NOT_NULL_FATAL(strategy);
        CU_ASSERT_STRING_EQUAL(strategy->name, solo_strategy_at(count));
        CU_ASSERT_PTR_NOT_NULL(solo_strategy_about(count));
        CU_ASSERT_TRUE(size > 0);
    }
    CU_ASSERT_TRUE(count >= 9);
    CU_ASSERT_PTR_NULL(solo_strategy_about(count));
    CU_ASSERT_PTR_NULL(solo_strategy_find("no-such", NULL));
    CU_ASSERT_PTR_NULL(solo_strategy_find(NULL, NULL));
    CU_ASSERT_PTR_NULL(solo_strategy_find("", NULL));
}

static void test_strategy__prepare_refuses_what_is_not_listed(void)
{
    uint64_t state[4];
    CU_ASSERT_EQUAL(solo_strategy_prepare(NULL, state, 0), -EINVAL);
    CU_ASSERT_EQUAL(solo_strategy_prepare(&solo__strategy_random, NULL, 0), -EINVAL);
    CU_ASSERT_EQUAL(solo_strategy_prepare(&solo__strategy_replay, state, 0), -EINVAL);
    CU_ASSERT_EQUAL(solo_strategy_prepare(&solo__strategy_random, state, 0), 0);
}

/* ---- First in, first out ---- */

static void test_strategy__fifo_is_one_plain_schedule(void)
{
    struct solo__fifo_state state;
    struct walk walk;
    CU_ASSERT_EQUAL(solo_strategy_prepare(&solo__strategy_fifo, &state, 0), 0);
    CU_ASSERT_TRUE(run_walk(&solo__strategy_fifo, &state, 1, binary_of_6, false, &walk));
    CU_ASSERT_EQUAL(walk.length, 6);
    for (unsigned i = 0; i < walk.length; i++) {
        CU_ASSERT_EQUAL(walk.answers[i], 0);
    }
    CU_ASSERT_FALSE(run_walk(&solo__strategy_fifo, &state, 2, binary_of_6, false, &walk));
}

/* ---- Random ---- */

static void test_strategy__random_repeats_itself_for_equal_seeds(void)
{
    struct solo__random_state state;
    struct walk one;
    struct walk two;
    CU_ASSERT_EQUAL(solo_strategy_prepare(&solo__strategy_random, &state, 0), 0);
    for (uint64_t seed = 0; seed < 200; seed++) {
        CU_ASSERT_TRUE(run_walk(&solo__strategy_random, &state, seed, ternary_of_4, false, &one));
        CU_ASSERT_TRUE(run_walk(&solo__strategy_random, &state, seed + 1000, ternary_of_4, false, &two));
        CU_ASSERT_TRUE(run_walk(&solo__strategy_random, &state, seed, ternary_of_4, false, &two));
        CU_ASSERT_TRUE(same_walk(&one, &two));
    }
}

static void test_strategy__random_reaches_every_schedule_about_equally(void)
{
    struct solo__random_state state = {0};
    struct walk walk;
    unsigned hits[81] = {0};
    for (uint64_t seed = 0; seed < 8100; seed++) {
        CU_ASSERT_TRUE(run_walk(&solo__strategy_random, &state, seed, ternary_of_4, false, &walk));
        hits[walk.answers[0] * 27 + walk.answers[1] * 9 + walk.answers[2] * 3 + walk.answers[3]]++;
    }
    for (unsigned i = 0; i < 81; i++) { /* 100 expected, six standard deviations */
        CU_ASSERT_TRUE(hits[i] > 40);
        CU_ASSERT_TRUE(hits[i] < 160);
    }
}

static void test_strategy__random_lets_time_pass_rarely_but_does(void)
{
    struct solo__random_state state = {0};
    struct walk walk;
    unsigned times = 0;
    for (uint64_t seed = 0; seed < 1000; seed++) {
        CU_ASSERT_TRUE(run_walk(&solo__strategy_random, &state, seed, ternary_of_4, true, &walk));
        for (unsigned i = 0; i < 4; i++) {
            times += walk.answers[i] == 2;
        }
    }
    CU_ASSERT_TRUE(times > 350); /* 500 of 4,000 expected */
    CU_ASSERT_TRUE(times < 650);
}

static void test_strategy__random_draws_faults_rarely_but_does(void)
{
    struct solo__random_state state = {0};
    struct solo_option no = {0};
    struct solo_option yes = {.tag = 9};
    const struct solo_option *options[] = {&no, &yes};
    struct solo_choice choice = {SOLO_CHOICE_FAULT, 0, 0, 0, 0, options, 2};
    unsigned faults = 0;
    CU_ASSERT_EQUAL(solo__strategy_random.begin(&state, 4), 0);
    for (unsigned i = 0; i < 4000; i++) {
        faults += solo__strategy_random.choose(&state, &choice) == 1;
    }
    CU_ASSERT_TRUE(faults > 350);
    CU_ASSERT_TRUE(faults < 650);
}

/* ---- Depth first ---- */

static void test_strategy__dfs_without_bound_visits_each_leaf_once(void)
{
    struct search found = search(SOLO_DELAY_UNBOUNDED, binary_of_6, false);
    CU_ASSERT_EQUAL(found.walks, 64);
    CU_ASSERT_EQUAL(found.different, 64);
    CU_ASSERT_EQUAL(found.repeats, 0);
    CU_ASSERT_TRUE(found.finished);
    CU_ASSERT_TRUE(found.complete);
    found = search(SOLO_DELAY_UNBOUNDED, ternary_of_4, false);
    CU_ASSERT_EQUAL(found.walks, 81);
    CU_ASSERT_EQUAL(found.different, 81);
}

static void test_strategy__dfs_counts_the_interleavings_of_two_threads(void)
{
    struct search found = search(SOLO_DELAY_UNBOUNDED, interleaving_of_3_and_3, false);
    CU_ASSERT_EQUAL(found.walks, 20);
    CU_ASSERT_EQUAL(found.different, 20);
}

static void test_strategy__dfs_copes_with_schedules_of_different_length(void)
{
    struct search found = search(SOLO_DELAY_UNBOUNDED, ends_early, false);
    CU_ASSERT_EQUAL(found.walks, 7);
    CU_ASSERT_EQUAL(found.different, 7);
    found = search(1, ends_early, false);
    CU_ASSERT_EQUAL(found.walks, 7); /* no schedule has two deviations */
    CU_ASSERT_TRUE(found.complete);
}

/* Schedules of 6 binary choices with at most c deviations: sums of binomial coefficients. */
static void test_strategy__dfs_with_bound_visits_what_the_bound_allows(void)
{
    static const unsigned expected[] = {1, 7, 22, 42, 57, 63, 64, 64};
    for (unsigned bound = 0; bound < 8; bound++) {
        struct search found = search(bound, binary_of_6, false);
        CU_ASSERT_EQUAL(found.walks, expected[bound]);
        CU_ASSERT_EQUAL(found.different, expected[bound]);
        CU_ASSERT_TRUE(found.finished);
        CU_ASSERT_EQUAL(found.complete, bound >= 6);
    }
}

/* Option k costs k: ternary strings of length 4 by their digit sum have 1, 4, 10, 16, 19, 16, 10, 4, 1. */
static void test_strategy__dfs_an_option_costs_what_it_passes_over(void)
{
    static const unsigned expected[] = {1, 5, 15, 31, 50, 66, 76, 80, 81, 81};
    for (unsigned bound = 0; bound < 10; bound++) {
        struct search found = search(bound, ternary_of_4, false);
        CU_ASSERT_EQUAL(found.walks, expected[bound]);
        CU_ASSERT_EQUAL(found.different, expected[bound]);
    }
}

/* With time as the last of three options both deviations cost 1: strings with at most c of 4 digits not 0. */
static void test_strategy__dfs_letting_time_pass_costs_one(void)
{
    static const unsigned expected[] = {1, 9, 33, 65, 81};
    for (unsigned bound = 0; bound < 5; bound++) {
        struct search found = search(bound, ternary_of_4, true);
        CU_ASSERT_EQUAL(found.walks, expected[bound]);
        CU_ASSERT_EQUAL(found.different, expected[bound]);
    }
}

/* ---- Preemption-bounded ---- */

static unsigned preempt_walks(unsigned bound, shape_fn shape)
{
    unsigned walks = 0;
    struct walk walk;
    struct solo__dfs_state *state = malloc(sizeof *state);
    CU_ASSERT_PTR_NOT_NULL_FATAL(state);
    CU_ASSERT_EQUAL(solo_strategy_prepare(&solo__strategy_preempt, state, bound), 0);
    while (run_walk(&solo__strategy_preempt, state, walks, shape, false, &walk)) {
        walks += !solo__dfs_is_repeat(state);
    }
    CU_ASSERT_TRUE(state->finished);
    free(state);
    return walks;
}

/* Strings with at most c of 4 digits not 0: any other thread than the running one is one preemption away. */
static void test_strategy__preempt_each_taken_turn_costs_one(void)
{
    static const unsigned expected[] = {1, 9, 33, 65, 81, 81};
    for (unsigned bound = 0; bound < 6; bound++) {
        CU_ASSERT_EQUAL(preempt_walks(bound, ternary_of_4), expected[bound]);
    }
}

/* The thread that asks (0) is not among the options, or yields: the others may have its turn for nothing. */
static void test_strategy__preempt_a_turn_that_was_given_up_costs_nothing(void)
{
    static const struct solo_option others[] = {{.tag = 1, .thread = 1}, {.tag = 2, .thread = 2}};
    static const struct solo_option yielder[] = {{.thread = 0, .operation = SOLO_PROBE_YIELD}, {.tag = 2, .thread = 2}};
    const struct solo_option *const *lists[2];
    const struct solo_option *blocked[] = {&others[0], &others[1]};
    const struct solo_option *yields[] = {&yielder[0], &yielder[1]};
    lists[0] = blocked;
    lists[1] = yields;
    for (unsigned l = 0; l < 2; l++) {
        struct solo__dfs_state *state = malloc(sizeof *state);
        CU_ASSERT_PTR_NOT_NULL_FATAL(state);
        CU_ASSERT_EQUAL(solo_strategy_prepare(&solo__strategy_preempt, state, 0), 0);
        unsigned seen = 0;
        while (solo__strategy_preempt.begin(state, 0) == 0) {
            struct solo_choice choice = {SOLO_CHOICE_THREAD, 0, 0, 0, 7, lists[l], 2};
            seen |= 1u << solo__strategy_preempt.choose(state, &choice);
            solo__strategy_preempt.end(state, SOLO_ENDING_RETURNED);
        }
        CU_ASSERT_EQUAL(seen, 3);
        free(state);
    }
}

static void test_strategy__dfs_meets_cheaper_schedules_first(void)
{
    struct search found = search(3, binary_of_6, false);
    for (unsigned i = 1; i < found.walks && i < 64; i++) {
        CU_ASSERT_TRUE(found.cost_of_first[i] >= found.cost_of_first[i - 1]);
    }
    CU_ASSERT_EQUAL(found.cost_of_first[0], 0);
}

static void test_strategy__dfs_repeats_few_schedules(void)
{
    struct search found = search(3, binary_of_6, false);
    CU_ASSERT_TRUE(found.repeats <= found.walks);
    found = search(0, binary_of_6, false);
    CU_ASSERT_EQUAL(found.repeats, 0);
}

static void test_strategy__dfs_goes_on_after_a_schedule_that_never_ended(void)
{
    struct solo__dfs_state *state = new_search(SOLO_DELAY_UNBOUNDED);
    struct walk walk;
    unsigned walks = 0;
    /* As after a crash: the third schedule gets three of its answers and no end. */
    while (walks < 2 && run_walk(&solo__strategy_dfs, state, walks, binary_of_6, false, &walk)) {
        walks++;
    }
    CU_ASSERT_EQUAL(solo__strategy_dfs.begin(state, 2), 0);
    static const struct solo_option option = {.tag = 1};
    const struct solo_option *options[] = {&option, &option};
    uint16_t check = 0;
    for (unsigned i = 0; i < 5; i++) {
        check = roll(check, 2);
        struct solo_choice choice = {SOLO_CHOICE_THREAD, 0, i, i, check, options, 2};
        CU_ASSERT_EQUAL(solo__strategy_dfs.choose(state, &choice), walk.answers[i] ^ (i == 4));
    }
    walks++; /* its sixth choice was never made: one leaf stands for two */
    while (run_walk(&solo__strategy_dfs, state, walks, binary_of_6, false, &walk)) {
        walks++;
    }
    CU_ASSERT_EQUAL(walks, 63);
    CU_ASSERT_TRUE(state->finished);
    free(state);
}

static unsigned changing_shape_now;

static unsigned changing_shape(const struct walk *walk)
{
    return walk->length == 3 ? changing_shape_now : walk->length < 6 ? 2 : 0;
}

static void test_strategy__dfs_notices_a_program_that_decides_for_itself(void)
{
    struct solo__dfs_state *state = new_search(SOLO_DELAY_UNBOUNDED);
    struct walk walk;
    changing_shape_now = 2;
    CU_ASSERT_TRUE(run_walk(&solo__strategy_dfs, state, 0, changing_shape, false, &walk));
    CU_ASSERT_EQUAL(state->diverged_at, 0);
    changing_shape_now = 3;
    CU_ASSERT_TRUE(run_walk(&solo__strategy_dfs, state, 1, changing_shape, false, &walk));
    CU_ASSERT_TRUE(walk.diverged);
    CU_ASSERT_EQUAL(state->diverged_at, 4);
    CU_ASSERT_FALSE(run_walk(&solo__strategy_dfs, state, 2, changing_shape, false, &walk));
    free(state);
}

static void test_strategy__dfs_notices_a_schedule_that_ends_too_soon(void)
{
    struct solo__dfs_state *state = new_search(SOLO_DELAY_UNBOUNDED);
    struct walk walk;
    changing_shape_now = 2;
    CU_ASSERT_TRUE(run_walk(&solo__strategy_dfs, state, 0, changing_shape, false, &walk));
    changing_shape_now = 0;
    CU_ASSERT_TRUE(run_walk(&solo__strategy_dfs, state, 1, changing_shape, false, &walk));
    CU_ASSERT_EQUAL(state->diverged_at, 4);
    free(state);
}

static unsigned endless_now;

static unsigned very_long(const struct walk *walk)
{
    (void)walk;
    return endless_now-- > 0 ? 2 : 0;
}

static void test_strategy__dfs_says_when_its_path_is_full(void)
{
    struct solo__dfs_state *state = new_search(SOLO_DELAY_UNBOUNDED);
    static const struct solo_option option = {.tag = 1};
    const struct solo_option *options[] = {&option, &option};
    endless_now = SOLO__DFS_DEPTH_MAX + 5;
    CU_ASSERT_EQUAL(solo__strategy_dfs.begin(state, 0), 0);
    while (very_long(NULL) != 0) {
        struct solo_choice choice = {SOLO_CHOICE_THREAD, 0, 0, 0, 7, options, 2};
        CU_ASSERT_EQUAL_FATAL(solo__strategy_dfs.choose(state, &choice), 0);
    }
    CU_ASSERT_EQUAL(state->depth, SOLO__DFS_DEPTH_MAX);
    CU_ASSERT_TRUE(state->cut);
    free(state);
}

/* ---- Replay ---- */

static struct solo__replay_state *new_replay(const struct walk *walk, bool strict, bool open)
{
    struct solo_answer answers[DEPTH_MAX];
    struct solo_limits limits = {1000, 0, false};
    struct solo_token token;
    uint16_t check = 0;
    for (unsigned i = 0; i < walk->length; i++) {
        check = roll(check, walk->counts[i]);
        answers[i] = (struct solo_answer){walk->answers[i], walk->counts[i], SOLO_CHOICE_THREAD, 0, check};
    }
    struct solo__replay_state *state = malloc(sizeof *state);
    CU_ASSERT_PTR_NOT_NULL_FATAL(state);
    CU_ASSERT_EQUAL_FATAL(solo_token_make("walk", &limits, answers, walk->length, open, &token), 0);
    CU_ASSERT_EQUAL(solo__replay_load(state, &token, strict), 0);
    solo_token_finish(&token);
    return state;
}

static void random_walk(uint64_t seed, shape_fn shape, struct walk *walk)
{
    struct solo__random_state random = {0};
    CU_ASSERT_TRUE(run_walk(&solo__strategy_random, &random, seed, shape, false, walk));
}

static void test_strategy__replay_gives_the_same_schedule(void)
{
    for (uint64_t seed = 0; seed < 100; seed++) {
        struct walk recorded;
        struct walk replayed;
        random_walk(seed, ternary_of_4, &recorded);
        struct solo__replay_state *state = new_replay(&recorded, true, false);
        CU_ASSERT_TRUE(run_walk(&solo__strategy_replay, state, 0, ternary_of_4, false, &replayed));
        CU_ASSERT_TRUE(same_walk(&recorded, &replayed));
        CU_ASSERT_FALSE(replayed.diverged);
        CU_ASSERT_EQUAL(state->diverged_at, 0);
        free(state);
    }
}

static void test_strategy__strict_replay_names_the_first_choice_that_does_not_fit(void)
{
    struct walk recorded;
    struct walk replayed;
    changing_shape_now = 2;
    random_walk(3, changing_shape, &recorded);
    struct solo__replay_state *state = new_replay(&recorded, true, false);
    changing_shape_now = 5;
    CU_ASSERT_TRUE(run_walk(&solo__strategy_replay, state, 0, changing_shape, false, &replayed));
    CU_ASSERT_TRUE(replayed.diverged);
    CU_ASSERT_EQUAL(state->diverged_at, 4);
    CU_ASSERT_EQUAL(replayed.length, 3);
    free(state);
}

static void test_strategy__strict_replay_stops_where_the_recording_ends(void)
{
    struct walk recorded;
    struct walk replayed;
    random_walk(5, binary_of_6, &recorded);
    recorded.length = 4;
    struct solo__replay_state *state = new_replay(&recorded, true, false);
    CU_ASSERT_TRUE(run_walk(&solo__strategy_replay, state, 0, binary_of_6, false, &replayed));
    CU_ASSERT_TRUE(replayed.diverged);
    CU_ASSERT_EQUAL(state->diverged_at, 5);
    free(state);
}

static void test_strategy__strict_replay_of_a_crash_may_go_on(void)
{
    struct walk recorded;
    struct walk replayed;
    random_walk(5, binary_of_6, &recorded);
    recorded.length = 4;
    struct solo__replay_state *state = new_replay(&recorded, true, true);
    CU_ASSERT_TRUE(run_walk(&solo__strategy_replay, state, 0, binary_of_6, false, &replayed));
    CU_ASSERT_FALSE(replayed.diverged);
    CU_ASSERT_EQUAL(replayed.length, 6);
    CU_ASSERT_EQUAL(replayed.answers[5], 0);
    CU_ASSERT_EQUAL(solo__replay_close(state, 6, 0), 0);
    free(state);
}

static void test_strategy__strict_replay_notices_a_schedule_that_ends_too_soon(void)
{
    struct walk recorded;
    random_walk(5, binary_of_6, &recorded);
    struct solo__replay_state *state = new_replay(&recorded, true, false);
    uint16_t check = 0;
    for (unsigned i = 0; i < 6; i++) {
        check = roll(check, 2);
    }
    CU_ASSERT_EQUAL(solo__replay_close(state, 6, check), 0);
    CU_ASSERT_EQUAL(solo__replay_close(state, 3, 0), 4);
    state->diverged_at = 0;
    CU_ASSERT_EQUAL(solo__replay_close(state, 6, check + 1u), 6);
    free(state);
}

static void test_strategy__lenient_replay_answers_plainly_what_does_not_fit(void)
{
    struct walk replayed;
    struct solo_deviation deviations[] = {{0, 1, SOLO_CHOICE_THREAD, 0},
                                          {2, 9, SOLO_CHOICE_THREAD, 0},
                                          {3, 1, SOLO_CHOICE_JOB, 0},
                                          {5, 1, SOLO_CHOICE_THREAD, 0},
                                          {50, 1, SOLO_CHOICE_THREAD, 0}};
    struct solo__replay_state *state = malloc(sizeof *state);
    CU_ASSERT_PTR_NOT_NULL_FATAL(state);
    solo__replay_load_deviations(state, deviations, 5);
    CU_ASSERT_TRUE(run_walk(&solo__strategy_replay, state, 0, binary_of_6, false, &replayed));
    static const uint16_t expected[] = {1, 0, 0, 0, 0, 1};
    CU_ASSERT_EQUAL(replayed.length, 6);
    CU_ASSERT_EQUAL(memcmp(replayed.answers, expected, sizeof expected), 0);
    CU_ASSERT_EQUAL(state->misfits, 2);
    free(state);
}

/* ---- Interactive ---- */

static size_t ask_last(const struct solo_choice *choice, void *arg)
{
    ++*(unsigned *)arg;
    return choice->index == 4 ? SIZE_MAX : choice->count - 1;
}

static void test_strategy__interactive_asks_only_for_what_is_not_given(void)
{
    struct solo__interactive_state *state = calloc(1, sizeof *state);
    CU_ASSERT_PTR_NOT_NULL_FATAL(state);
    struct walk walk;
    unsigned asked = 0;
    solo__interactive_set_ask(ask_last, &asked);
    state->given = 2; /* zeroes */
    CU_ASSERT_TRUE(run_walk(&solo__strategy_interactive, state, 0, ternary_of_4, false, &walk));
    static const uint16_t expected[] = {0, 0, 2, 2};
    CU_ASSERT_EQUAL(asked, 2);
    CU_ASSERT_EQUAL(memcmp(walk.answers, expected, sizeof expected), 0);
    CU_ASSERT_EQUAL(state->given, 4);
    free(state);
}

static void test_strategy__interactive_stops_when_told(void)
{
    struct solo__interactive_state *state = calloc(1, sizeof *state);
    CU_ASSERT_PTR_NOT_NULL_FATAL(state);
    struct walk walk;
    unsigned asked = 0;
    solo__interactive_set_ask(ask_last, &asked);
    CU_ASSERT_TRUE(run_walk(&solo__strategy_interactive, state, 0, binary_of_6, false, &walk));
    CU_ASSERT_TRUE(walk.diverged);
    CU_ASSERT_TRUE(state->stopped);
    CU_ASSERT_EQUAL(walk.length, 4);
    free(state);
}

void suite_strategy(void)
{
    SOLO_SUITE("strategy");
    SOLO_TEST(test_strategy__each_name_is_found);
    SOLO_TEST(test_strategy__prepare_refuses_what_is_not_listed);
    SOLO_TEST(test_strategy__fifo_is_one_plain_schedule);
    SOLO_TEST(test_strategy__random_repeats_itself_for_equal_seeds);
    SOLO_TEST(test_strategy__random_reaches_every_schedule_about_equally);
    SOLO_TEST(test_strategy__random_lets_time_pass_rarely_but_does);
    SOLO_TEST(test_strategy__random_draws_faults_rarely_but_does);
    SOLO_TEST(test_strategy__dfs_without_bound_visits_each_leaf_once);
    SOLO_TEST(test_strategy__dfs_counts_the_interleavings_of_two_threads);
    SOLO_TEST(test_strategy__dfs_copes_with_schedules_of_different_length);
    SOLO_TEST(test_strategy__dfs_with_bound_visits_what_the_bound_allows);
    SOLO_TEST(test_strategy__dfs_an_option_costs_what_it_passes_over);
    SOLO_TEST(test_strategy__dfs_letting_time_pass_costs_one);
    SOLO_TEST(test_strategy__preempt_each_taken_turn_costs_one);
    SOLO_TEST(test_strategy__preempt_a_turn_that_was_given_up_costs_nothing);
    SOLO_TEST(test_strategy__dfs_meets_cheaper_schedules_first);
    SOLO_TEST(test_strategy__dfs_repeats_few_schedules);
    SOLO_TEST(test_strategy__dfs_goes_on_after_a_schedule_that_never_ended);
    SOLO_TEST(test_strategy__dfs_notices_a_program_that_decides_for_itself);
    SOLO_TEST(test_strategy__dfs_notices_a_schedule_that_ends_too_soon);
    SOLO_TEST(test_strategy__dfs_says_when_its_path_is_full);
    SOLO_TEST(test_strategy__replay_gives_the_same_schedule);
    SOLO_TEST(test_strategy__strict_replay_names_the_first_choice_that_does_not_fit);
    SOLO_TEST(test_strategy__strict_replay_stops_where_the_recording_ends);
    SOLO_TEST(test_strategy__strict_replay_of_a_crash_may_go_on);
    SOLO_TEST(test_strategy__strict_replay_notices_a_schedule_that_ends_too_soon);
    SOLO_TEST(test_strategy__lenient_replay_answers_plainly_what_does_not_fit);
    SOLO_TEST(test_strategy__interactive_asks_only_for_what_is_not_given);
    SOLO_TEST(test_strategy__interactive_stops_when_told);
}
