/* test_bytes.c - bytes as answers, and a fuzzer that gives them: tests/fuzz/schedules.c. */
#include "runner.h"
#include "strategy.h"
#include "support.h"
#include <stdlib.h>
#include <string.h>

static struct runner_output output;

static struct solo__bytes_state *new_state(void)
{
    struct solo__bytes_state *state = malloc(sizeof *state);
    CU_ASSERT_PTR_NOT_NULL_FATAL(state);
    CU_ASSERT_EQUAL(solo_strategy_prepare(&solo__strategy_bytes, state, 0), 0);
    return state;
}

static size_t answer(struct solo__bytes_state *state, size_t count)
{
    static const struct solo_option option = {.tag = 1};
    const struct solo_option *options[1000];
    for (size_t i = 0; i < count; i++) {
        options[i] = &option;
    }
    struct solo_choice choice = {SOLO_CHOICE_THREAD, 0, 0, 0, 0, options, count};
    return solo__strategy_bytes.choose(state, &choice);
}

static void test_bytes__each_answers_one_choice_and_then_all_is_plain(void)
{
    struct solo__bytes_state *state = new_state();
    static const uint8_t bytes[] = {1, 5, 0, 255};
    CU_ASSERT_EQUAL(solo_strategy_bytes(&solo__strategy_bytes, state, bytes, sizeof bytes), 0);
    CU_ASSERT_EQUAL(solo__strategy_bytes.begin(state, 1), 0);
    CU_ASSERT_EQUAL(answer(state, 2), 1);
    CU_ASSERT_EQUAL(answer(state, 3), 2);
    CU_ASSERT_EQUAL(answer(state, 3), 0);
    CU_ASSERT_EQUAL(answer(state, 200), 55);
    CU_ASSERT_EQUAL(answer(state, 9), 0);
    CU_ASSERT_EQUAL(answer(state, 9), 0);
    free(state);
}

static void test_bytes__many_options_take_two(void)
{
    struct solo__bytes_state *state = new_state();
    static const uint8_t bytes[] = {1, 2, 3};
    CU_ASSERT_EQUAL(solo_strategy_bytes(&solo__strategy_bytes, state, bytes, sizeof bytes), 0);
    CU_ASSERT_EQUAL(solo__strategy_bytes.begin(state, 1), 0);
    CU_ASSERT_EQUAL(answer(state, 1000), 513);
    CU_ASSERT_EQUAL(answer(state, 10), 3);
    free(state);
}

static void test_bytes__serve_one_schedule(void)
{
    struct solo__bytes_state *state = new_state();
    CU_ASSERT_EQUAL(solo__strategy_bytes.begin(state, 1), 0); /* without any: the plain one */
    CU_ASSERT_EQUAL(answer(state, 2), 0);
    CU_ASSERT_EQUAL(solo__strategy_bytes.begin(state, 2), 1);
    CU_ASSERT_EQUAL(solo_strategy_bytes(&solo__strategy_bytes, state, "\1", 1), 0);
    CU_ASSERT_EQUAL(solo__strategy_bytes.begin(state, 3), 0);
    CU_ASSERT_EQUAL(answer(state, 2), 1);
    CU_ASSERT_EQUAL(solo__strategy_bytes.begin(state, 4), 1);
    free(state);
}

static void test_bytes__more_than_fit_are_left_out(void)
{
    struct solo__bytes_state *state = new_state();
    size_t size = SOLO_BYTES_MAX + 10;
    uint8_t *bytes = malloc(size);
    CU_ASSERT_PTR_NOT_NULL_FATAL(bytes);
    memset(bytes, 1, size);
    CU_ASSERT_EQUAL(solo_strategy_bytes(&solo__strategy_bytes, state, bytes, size), 0);
    CU_ASSERT_EQUAL(solo__strategy_bytes.begin(state, 1), 0);
    unsigned ones = 0;
    for (size_t i = 0; i < size; i++) {
        ones += answer(state, 2) == 1;
    }
    CU_ASSERT_EQUAL(ones, SOLO_BYTES_MAX);
    free(bytes);
    free(state);
}

static void test_bytes__are_of_no_use_to_other_strategies(void)
{
    struct solo__bytes_state *state = new_state();
    CU_ASSERT_EQUAL(solo_strategy_bytes(&solo__strategy_random, state, "", 0), -EINVAL);
    CU_ASSERT_EQUAL(solo_strategy_bytes(&solo__strategy_bytes, NULL, "", 0), -EINVAL);
    CU_ASSERT_EQUAL(solo_strategy_bytes(&solo__strategy_bytes, state, NULL, 1), -EINVAL);
    CU_ASSERT_EQUAL(solo_strategy_bytes(&solo__strategy_bytes, state, NULL, 0), 0);
    free(state);
}

/* ---- With libFuzzer, which clang brings ---- */

/* Runs the example in the scratch folder; false: it is not built in this flavour. */
static bool run_fuzzer(const char *environment, unsigned runs)
{
    const char *fuzzer = runner_build_path("fuzz/schedules");
    support_shell(&output, "test -x %s || exit 77; cd %s && %s %s -seed=1 -runs=%u -max_len=64 -len_control=0 2>&1",
                  fuzzer, runner_scratch_path(""), environment, fuzzer, runs);
    return output.status != 77;
}

static void test_bytes__libfuzzer_finds_the_lost_addition_and_its_token(void)
{
    if (!run_fuzzer("", 200000)) {
        CU_PASS("built in the plain flavour only");
        return;
    }
    CU_ASSERT_NOT_EQUAL(output.status, 0);
    CU_ASSERT_PTR_NOT_NULL(strstr(output.text, "an addition was lost: solo1."));
}

static void test_bytes__libfuzzer_finds_nothing_where_there_is_a_lock(void)
{
    if (!run_fuzzer("FUZZ_SCENARIO=locked", 5000)) {
        CU_PASS("built in the plain flavour only");
        return;
    }
    CU_ASSERT_EQUAL(output.status, 0);
    CU_ASSERT_PTR_NULL(strstr(output.text, "an addition was lost"));
}

void suite_bytes(void)
{
    SOLO_SUITE("bytes");
    SOLO_TEST(test_bytes__each_answers_one_choice_and_then_all_is_plain);
    SOLO_TEST(test_bytes__many_options_take_two);
    SOLO_TEST(test_bytes__serve_one_schedule);
    SOLO_TEST(test_bytes__more_than_fit_are_left_out);
    SOLO_TEST(test_bytes__are_of_no_use_to_other_strategies);
    SOLO_TEST(test_bytes__libfuzzer_finds_the_lost_addition_and_its_token);
    SOLO_TEST(test_bytes__libfuzzer_finds_nothing_where_there_is_a_lock);
}
