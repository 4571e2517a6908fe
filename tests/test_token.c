/* test_token.c - tokens: what they say, that they come back the same, and that nothing malformed gets in. */
#include "runner.h"
#include <errno.h>
#include <solo/token.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct solo_limits limits = {1000000, 0, true};

static struct solo_answer answer(unsigned chosen, unsigned count, unsigned kind, unsigned check)
{
    return (struct solo_answer){(uint16_t)chosen, (uint16_t)count, (uint8_t)kind, 0, (uint16_t)check};
}

/* Small and repeatable: xorshift. */
static uint32_t draw(uint32_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 17;
    *state ^= *state << 5;
    return *state;
}

static char *text_of(const struct solo_answer *answers, uint32_t count, bool open)
{
    struct solo_token token;
    CU_ASSERT_EQUAL_FATAL(solo_token_make("case", &limits, answers, count, open, &token), 0);
    char *text = solo_token_text(&token);
    solo_token_finish(&token);
    CU_ASSERT_PTR_NOT_NULL_FATAL(text);
    return text;
}

static bool equal_tokens(const struct solo_token *a, const struct solo_token *b)
{
    return strcmp(a->scenario, b->scenario) == 0 && a->choice_schema == b->choice_schema &&
           a->fingerprint == b->fingerprint && a->granularity == b->granularity && a->choices == b->choices &&
           a->open == b->open && a->end_check == b->end_check && a->spacing == b->spacing &&
           strcmp(a->checks, b->checks) == 0 && a->deviation_count == b->deviation_count &&
           (a->deviation_count == 0 ||
            memcmp(a->deviations, b->deviations, a->deviation_count * sizeof a->deviations[0]) == 0);
}

/* ---- What a token says ---- */

static void test_token__the_plain_schedule_has_no_deviations(void)
{
    struct solo_answer answers[] = {answer(0, 2, SOLO_CHOICE_THREAD, 5), answer(0, 3, SOLO_CHOICE_THREAD, 6)};
    char *text = text_of(answers, 2, false);
    CU_ASSERT_PTR_NOT_NULL(strstr(text, ".plain-2-0006-56"));
    CU_ASSERT_EQUAL(strncmp(text, "solo1.2.case.sync.", 18), 0);
    free(text);
}

static void test_token__a_schedule_without_choices_has_a_token(void)
{
    char *text = text_of(NULL, 0, false);
    struct solo_token token;
    CU_ASSERT_PTR_NOT_NULL(strstr(text, ".plain-0-0000"));
    CU_ASSERT_EQUAL(solo_token_parse(text, &token, NULL), 0);
    CU_ASSERT_EQUAL(token.choices, 0);
    solo_token_finish(&token);
    free(text);
}

static void test_token__deviations_are_run_length_coded(void)
{
    struct solo_answer answers[40];
    for (unsigned i = 0; i < 40; i++) {
        answers[i] = answer(0, 4, SOLO_CHOICE_THREAD, i);
    }
    answers[3].chosen = 1;
    answers[4] = answer(2, 4, SOLO_CHOICE_JOB, 4);
    answers[5] = answer(2, 4, SOLO_CHOICE_JOB, 5);
    answers[6] = answer(2, 4, SOLO_CHOICE_JOB, 6);
    answers[30] = answer(1, 2, SOLO_CHOICE_FAULT, 30);
    char *text = text_of(answers, 40, false);
    CU_ASSERT_PTR_NOT_NULL(strstr(text, ".3T1_J2x3_23F1-40-0027-"));
    free(text);
}

static void test_token__each_kind_of_choice_has_its_own_letter(void)
{
    for (unsigned i = 0; i < SOLO_CHOICE_KINDS; i++) {
        CU_ASSERT_NOT_EQUAL(solo_token_kind_letter(i), '?');
        for (unsigned j = 0; j < i; j++) {
            CU_ASSERT_NOT_EQUAL(solo_token_kind_letter(i), solo_token_kind_letter(j));
        }
    }
    CU_ASSERT_EQUAL(solo_token_kind_letter(SOLO_CHOICE_KINDS), '?');
}

static void test_token__a_crashed_schedule_is_open(void)
{
    struct solo_answer answers[] = {answer(1, 2, SOLO_CHOICE_THREAD, 1)};
    char *text = text_of(answers, 1, true);
    struct solo_token token;
    CU_ASSERT_PTR_NOT_NULL(strstr(text, ".T1-1-open-1"));
    CU_ASSERT_EQUAL(solo_token_parse(text, &token, NULL), 0);
    CU_ASSERT_TRUE(token.open);
    solo_token_finish(&token);
    free(text);
}

static void test_token__short_schedules_have_a_check_for_each_choice(void)
{
    struct solo_answer answers[SOLO_TOKEN_CHECKS_MAX];
    for (unsigned i = 0; i < SOLO_TOKEN_CHECKS_MAX; i++) {
        answers[i] = answer(0, 2, SOLO_CHOICE_THREAD, i * 977);
    }
    struct solo_token token;
    CU_ASSERT_EQUAL_FATAL(solo_token_make("case", &limits, answers, SOLO_TOKEN_CHECKS_MAX, false, &token), 0);
    CU_ASSERT_EQUAL(token.spacing, 1);
    for (unsigned i = 0; i < SOLO_TOKEN_CHECKS_MAX; i++) {
        CU_ASSERT_EQUAL(token.checks[i], solo_token_check_character((uint16_t)(i * 977)));
    }
    solo_token_finish(&token);
}

static void test_token__long_schedules_have_as_many_checks_at_most(void)
{
    enum { CHOICES = 100000 };
    struct solo_answer *answers = calloc(CHOICES, sizeof *answers);
    CU_ASSERT_PTR_NOT_NULL_FATAL(answers);
    struct solo_token token;
    CU_ASSERT_EQUAL_FATAL(solo_token_make("case", &limits, answers, CHOICES, false, &token), 0);
    CU_ASSERT_TRUE(strlen(token.checks) <= SOLO_TOKEN_CHECKS_MAX);
    CU_ASSERT_TRUE(strlen(token.checks) > SOLO_TOKEN_CHECKS_MAX / 2);
    solo_token_finish(&token);
    free(answers);
}

/* ---- There and back ---- */

static void check_round_trip(const struct solo_answer *answers, uint32_t count, bool open)
{
    struct solo_token made;
    struct solo_token parsed;
    char why[SOLO_TOKEN_WHY_MAX] = "";
    CU_ASSERT_EQUAL_FATAL(solo_token_make("there-and_back9", &limits, answers, count, open, &made), 0);
    char *text = solo_token_text(&made);
    CU_ASSERT_PTR_NOT_NULL_FATAL(text);
    CU_ASSERT_EQUAL_FATAL(solo_token_parse(text, &parsed, why), 0);
    CU_ASSERT_TRUE(equal_tokens(&made, &parsed));
    char *again = solo_token_text(&parsed);
    CU_ASSERT_STRING_EQUAL(text, again);
    CU_ASSERT_EQUAL(strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_"), strlen(text));
    free(again);
    free(text);
    solo_token_finish(&made);
    solo_token_finish(&parsed);
}

static void test_token__text_parses_to_an_equal_token(void)
{
    uint32_t state = (uint32_t)runner_seed() | 1;
    static struct solo_answer answers[600];
    for (unsigned round = 0; round < 300; round++) {
        uint32_t count = draw(&state) % 600;
        unsigned sparse = 1 + draw(&state) % 12;
        for (uint32_t i = 0; i < count; i++) {
            unsigned options = 2 + draw(&state) % 5;
            unsigned chosen = draw(&state) % sparse == 0 ? draw(&state) % options : 0;
            answers[i] = answer(chosen, options, draw(&state) % SOLO_CHOICE_KINDS, draw(&state));
        }
        check_round_trip(answers, count, draw(&state) % 2 == 0);
    }
}

static void test_token__the_largest_schedule_fits_and_one_more_does_not(void)
{
    struct solo_answer *answers = calloc(SOLO_TOKEN_CHOICES_MAX + (size_t)1, sizeof *answers);
    CU_ASSERT_PTR_NOT_NULL_FATAL(answers);
    for (uint32_t i = 0; i < SOLO_TOKEN_CHOICES_MAX; i++) {
        answers[i] = answer(i % 1000 == 999, 2, SOLO_CHOICE_THREAD, i);
    }
    check_round_trip(answers, SOLO_TOKEN_CHOICES_MAX, false);
    struct solo_token token;
    CU_ASSERT_EQUAL(solo_token_make("case", &limits, answers, SOLO_TOKEN_CHOICES_MAX + 1, false, &token), -E2BIG);
    free(answers);
}

static void test_token__equal_schedules_have_equal_texts(void)
{
    struct solo_answer answers[] = {answer(0, 2, SOLO_CHOICE_THREAD, 7), answer(1, 2, SOLO_CHOICE_WAITER, 8)};
    char *one = text_of(answers, 2, false);
    char *two = text_of(answers, 2, false);
    CU_ASSERT_STRING_EQUAL(one, two);
    free(one);
    free(two);
}

/* ---- What does not get in ---- */

static void test_token__malformed_texts_are_refused_with_a_sentence(void)
{
    static const char *const bad[] = {
        "",
        " ",
        "solo",
        "solo1",
        "solo1.",
        "solo2.1.case.sync.00000000.plain-0-0000",
        "SOLO1.1.case.sync.00000000.plain-0-0000",
        "solo1.x.case.sync.00000000.plain-0-0000",
        "solo1.-1.case.sync.00000000.plain-0-0000",
        "solo1.01.case.sync.00000000.plain-0-0000",
        "solo1.99999999999.case.sync.00000000.plain-0-0000",
        "solo1.2..sync.00000000.plain-0-0000",
        "solo1.2.ca se.sync.00000000.plain-0-0000",
        "solo1.2.c$se.sync.00000000.plain-0-0000",
        "solo1.2.a123456789b123456789c123456789d123456789e123456789f123456789g123.sync.00000000.plain-0-0000",
        "solo1.2.case.async.00000000.plain-0-0000",
        "solo1.2.case.00000000.plain-0-0000",
        "solo1.2.case.sync",
        "solo1.2.case.sync.0000000.plain-0-0000",
        "solo1.2.case.sync.000000000.plain-0-0000",
        "solo1.2.case.sync.0000000G.plain-0-0000",
        "solo1.2.case.sync.ABCDEF01.plain-0-0000",
        "solo1.2.case.sync.00000000",
        "solo1.2.case.sync.00000000.",
        "solo1.2.case.sync.00000000.-0-0000",
        "solo1.2.case.sync.00000000.plai-0-0000",
        "solo1.2.case.sync.00000000.plain",
        "solo1.2.case.sync.00000000.plain-",
        "solo1.2.case.sync.00000000.plain-0",
        "solo1.2.case.sync.00000000.plain-0-",
        "solo1.2.case.sync.00000000.plain-0-000",
        "solo1.2.case.sync.00000000.plain-0-00000",
        "solo1.2.case.sync.00000000.plain-0-0000-",
        "solo1.2.case.sync.00000000.plain-1-0000",
        "solo1.2.case.sync.00000000.plain-1-0000-",
        "solo1.2.case.sync.00000000.plain-1-0000-ab",
        "solo1.2.case.sync.00000000.plain-1-0000-!",
        "solo1.2.case.sync.00000000.plain-1-0000-a\n",
        "solo1.2.case.sync.00000000.plain-1-closed-a",
        "solo1.2.case.sync.00000000.plain_T1-2-0000-ab",
        "solo1.2.case.sync.00000000.T1_-2-0000-ab",
        "solo1.2.case.sync.00000000._T1-2-0000-ab",
        "solo1.2.case.sync.00000000.T-1-0000-a",
        "solo1.2.case.sync.00000000.T0-1-0000-a",
        "solo1.2.case.sync.00000000.T01-1-0000-a",
        "solo1.2.case.sync.00000000.0T1-1-0000-a",
        "solo1.2.case.sync.00000000.01T1-2-0000-ab",
        "solo1.2.case.sync.00000000.T65536-1-0000-a",
        "solo1.2.case.sync.00000000.T1x-1-0000-a",
        "solo1.2.case.sync.00000000.T1x0-1-0000-a",
        "solo1.2.case.sync.00000000.T1x1-1-0000-a",
        "solo1.2.case.sync.00000000.T1_T1-2-0000-ab",
        "solo1.2.case.sync.00000000.t1-1-0000-a",
        "solo1.2.case.sync.00000000.Q1-1-0000-a",
        "solo1.2.case.sync.00000000.5-1-0000-a",
        "solo1.2.case.sync.00000000.3T1-3-0000-abc",
        "solo1.2.case.sync.00000000.T1x9999999999-1-0000-a",
        "solo1.2.case.sync.00000000.1048576T1-1048577-0000-a",
        "solo1.2.case.sync.00000000.99999999999999999999T1-1-0000-a",
        "solo1.2.case.sync.00000000.plain-99999999-0000-a",
        "solo1.2.case.sync.00000000.T1x1048577-1-0000-a",
        "solo1.2.case.sync.00000000.T1x1000000_T2x1000000-1048576-0000-a",
        "solo1.2.case.sync.00000000.plain-0-0000.plain",
        "@",
        "@/",
        "@/nowhere/at/all",
        "@.",
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct solo_token token;
        char why[SOLO_TOKEN_WHY_MAX] = "";
        int result = solo_token_parse(bad[i], &token, why);
        if (result != -EINVAL) {
            printf("accepted: %s\n", bad[i]);
        }
        CU_ASSERT_EQUAL(result, -EINVAL);
        CU_ASSERT_TRUE(strlen(why) > 10);
        CU_ASSERT_PTR_NULL(strchr(why, '\n'));
    }
    CU_ASSERT_EQUAL(solo_token_parse(NULL, NULL, NULL), -EINVAL);
}

/* Each text that is one byte away from a good token is refused or is another token; none crashes. */
static void test_token__a_changed_byte_never_crashes_and_never_goes_unnoticed(void)
{
    struct solo_answer answers[] = {answer(0, 2, 0, 1), answer(1, 2, 0, 2), answer(1, 2, 0, 3), answer(0, 2, 1, 4),
                                    answer(2, 3, 3, 5)};
    char *text = text_of(answers, 5, false);
    size_t length = strlen(text);
    struct solo_token original;
    CU_ASSERT_EQUAL_FATAL(solo_token_parse(text, &original, NULL), 0);
    for (size_t i = 0; i < length; i++) {
        char kept = text[i];
        for (int c = 1; c < 256; c++) {
            struct solo_token token;
            text[i] = (char)c;
            if (text[i] != kept && text[i] != '@' && solo_token_parse(text, &token, NULL) == 0) {
                CU_ASSERT_FALSE(equal_tokens(&original, &token));
                solo_token_finish(&token);
            }
        }
        text[i] = kept;
    }
    solo_token_finish(&original);
    free(text);
}

static void test_token__each_beginning_of_a_token_is_refused(void)
{
    struct solo_answer answers[] = {answer(0, 2, 0, 1), answer(1, 2, 0, 2), answer(1, 2, 0, 3)};
    char *text = text_of(answers, 3, false);
    for (size_t length = strlen(text); length-- > 0;) {
        struct solo_token token;
        text[length] = '\0';
        CU_ASSERT_EQUAL(solo_token_parse(text, &token, NULL), -EINVAL);
    }
    free(text);
}

static void test_token__random_bytes_never_crash(void)
{
    uint32_t state = (uint32_t)runner_seed() * 2 + 1;
    static const char letters[] = "solo1.sync.plainTWRJKCFx0123456789abcdef-_.@";
    unsigned accepted = 0;
    for (unsigned round = 0; round < 20000; round++) {
        char text[120] = "solo1.2.case.sync.00000000.";
        size_t length = draw(&state) % 4 != 0 ? strlen(text) : 0;
        size_t more = draw(&state) % 60;
        while (more-- > 0) {
            text[length++] = letters[draw(&state) % (sizeof letters - 1)];
        }
        text[length] = '\0';
        struct solo_token token;
        if (text[0] != '@' && solo_token_parse(text, &token, NULL) == 0) {
            accepted++;
            solo_token_finish(&token);
        }
    }
    CU_ASSERT_TRUE(accepted < 200);
}

static void test_token__make_refuses_bad_names(void)
{
    struct solo_token token;
    char long_name[SOLO_SCENARIO_NAME_MAX + 1];
    memset(long_name, 'a', sizeof long_name);
    long_name[SOLO_SCENARIO_NAME_MAX] = '\0';
    CU_ASSERT_EQUAL(solo_token_make("", &limits, NULL, 0, false, &token), -EINVAL);
    CU_ASSERT_EQUAL(solo_token_make("a.b", &limits, NULL, 0, false, &token), -EINVAL);
    CU_ASSERT_EQUAL(solo_token_make("a b", &limits, NULL, 0, false, &token), -EINVAL);
    CU_ASSERT_EQUAL(solo_token_make(NULL, &limits, NULL, 0, false, &token), -EINVAL);
    CU_ASSERT_EQUAL(solo_token_make(long_name, &limits, NULL, 0, false, &token), -EINVAL);
    long_name[SOLO_SCENARIO_NAME_MAX - 1] = '\0';
    CU_ASSERT_EQUAL(solo_token_make(long_name, &limits, NULL, 0, false, &token), 0);
    solo_token_finish(&token);
}

/* ---- What a token is for ---- */

static void test_token__the_fingerprint_is_over_name_limits_and_schema_alone(void)
{
    uint32_t fingerprint = solo_token_fingerprint("case", &limits);
    struct solo_limits other = limits;
    CU_ASSERT_EQUAL(solo_token_fingerprint("case", &other), fingerprint);
    CU_ASSERT_NOT_EQUAL(solo_token_fingerprint("cast", &limits), fingerprint);
    other.steps_max++;
    CU_ASSERT_NOT_EQUAL(solo_token_fingerprint("case", &other), fingerprint);
    other = limits;
    other.faults_max = 1;
    CU_ASSERT_NOT_EQUAL(solo_token_fingerprint("case", &other), fingerprint);
    other = limits;
    other.let_time_pass = false;
    CU_ASSERT_NOT_EQUAL(solo_token_fingerprint("case", &other), fingerprint);
}

/* This number is in every token that was ever printed. */
static void test_token__the_fingerprint_does_not_change_between_versions(void)
{
    CU_ASSERT_EQUAL(solo_token_fingerprint("lost-update", &limits), 0x4e8cf50f);
}

static void test_token__check_says_what_does_not_fit(void)
{
    struct solo_token token;
    char why[SOLO_TOKEN_WHY_MAX];
    struct solo_limits other = limits;
    other.faults_max = 3;
    CU_ASSERT_EQUAL_FATAL(solo_token_make("case", &limits, NULL, 0, false, &token), 0);
    CU_ASSERT_EQUAL(solo_token_check(&token, "case", &limits, why), 0);
    CU_ASSERT_EQUAL(solo_token_check(&token, "other", &limits, why), -EINVAL);
    CU_ASSERT_PTR_NOT_NULL(strstr(why, "\"case\""));
    CU_ASSERT_PTR_NOT_NULL(strstr(why, "\"other\""));
    CU_ASSERT_EQUAL(solo_token_check(&token, "case", &other, why), -EINVAL);
    CU_ASSERT_PTR_NOT_NULL(strstr(why, "limits"));
    token.granularity = SOLO_GRANULARITY_ACCESS;
    CU_ASSERT_EQUAL(solo_token_check(&token, "case", &limits, why), -EINVAL);
    CU_ASSERT_PTR_NOT_NULL(strstr(why, "memory accesses"));
    token.granularity = SOLO_GRANULARITY_SYNC;
    token.choice_schema = SOLO_CHOICE_SCHEMA + 1;
    CU_ASSERT_EQUAL(solo_token_check(&token, "case", &limits, why), -EINVAL);
    CU_ASSERT_PTR_NOT_NULL(strstr(why, "schema"));
    solo_token_finish(&token);
}

static void test_token__finish_accepts_nothing(void)
{
    struct solo_token token;
    memset(&token, 0, sizeof token);
    solo_token_finish(NULL);
    solo_token_finish(&token);
    CU_ASSERT_EQUAL(token.deviation_count, 0);
    CU_ASSERT_PTR_NULL(solo_token_text(NULL));
}

/* ---- Files ---- */

static void test_token__a_short_one_prints_as_itself(void)
{
    char buffer[SOLO_TOKEN_PRINT_MAX + 1];
    char *text = text_of(NULL, 0, false);
    CU_ASSERT_EQUAL(solo_token_print(text, NULL, buffer, sizeof buffer), 0);
    CU_ASSERT_STRING_EQUAL(text, buffer);
    CU_ASSERT_EQUAL(solo_token_print(text, NULL, buffer, strlen(text)), -ENAMETOOLONG);
    free(text);
}

static char *long_text(void)
{
    static struct solo_answer answers[400];
    for (unsigned i = 0; i < 400; i++) {
        answers[i] = answer(i % 3, 4, i % SOLO_CHOICE_KINDS, i * 31);
    }
    return text_of(answers, 400, false);
}

static void test_token__a_long_one_goes_to_a_file_and_comes_back(void)
{
    char *text = long_text();
    char printed[512];
    struct solo_token token;
    CU_ASSERT_TRUE(strlen(text) > SOLO_TOKEN_PRINT_MAX);
    int result = solo_token_print(text, runner_scratch_path("."), printed, sizeof printed);
    CU_ASSERT_EQUAL_FATAL(result, 0);
    CU_ASSERT_EQUAL(printed[0], '@');
    CU_ASSERT_PTR_NOT_NULL(strstr(printed, "/solo-case-"));
    CU_ASSERT_EQUAL_FATAL(solo_token_parse(printed, &token, NULL), 0);
    char *again = solo_token_text(&token);
    CU_ASSERT_STRING_EQUAL(text, again);
    free(again);
    solo_token_finish(&token);
    free(text);
}

static void test_token__its_file_has_the_same_name_every_time(void)
{
    char *text = long_text();
    char one[512];
    char two[512];
    CU_ASSERT_EQUAL(solo_token_print(text, runner_scratch_path("."), one, sizeof one), 0);
    CU_ASSERT_EQUAL(solo_token_print(text, runner_scratch_path("."), two, sizeof two), 0);
    CU_ASSERT_STRING_EQUAL(one, two);
    CU_ASSERT_EQUAL(solo_token_print(text, "/nowhere/at/all", one, sizeof one), -ENOENT);
    CU_ASSERT_EQUAL(solo_token_print(text, NULL, one, 12), -ENAMETOOLONG);
    free(text);
}

static void write_file(const char *path, const char *content, size_t size)
{
    FILE *to = fopen(path, "w");
    CU_ASSERT_PTR_NOT_NULL_FATAL(to);
    fwrite(content, 1, size, to);
    fclose(to);
}

static int parse_file_with(const char *content, size_t size)
{
    char at[512];
    struct solo_token token;
    snprintf(at, sizeof at, "@%s", runner_scratch_path("some.token"));
    write_file(at + 1, content, size);
    int result = solo_token_parse(at, &token, NULL);
    if (result == 0) {
        solo_token_finish(&token);
    }
    return result;
}

static void test_token__files_with_anything_else_are_refused(void)
{
    char *text = text_of(NULL, 0, false);
    char with_end[256];
    snprintf(with_end, sizeof with_end, "%s\r\n", text);
    CU_ASSERT_EQUAL(parse_file_with(text, strlen(text)), 0);
    CU_ASSERT_EQUAL(parse_file_with(with_end, strlen(with_end)), 0);
    CU_ASSERT_EQUAL(parse_file_with("", 0), -EINVAL);
    CU_ASSERT_EQUAL(parse_file_with("\n", 1), -EINVAL);
    CU_ASSERT_EQUAL(parse_file_with("\0\0\0", 3), -EINVAL);
    CU_ASSERT_EQUAL(parse_file_with("\x7f"
                                    "ELF\1\1",
                                    6),
                    -EINVAL);
    CU_ASSERT_EQUAL(parse_file_with("@some.token", 11), -EINVAL);
    free(text);
}

static void test_token__a_file_that_is_too_large_is_refused(void)
{
    char at[512];
    char why[SOLO_TOKEN_WHY_MAX] = "";
    struct solo_token token;
    snprintf(at, sizeof at, "@%s", runner_scratch_path("large.token"));
    FILE *to = fopen(at + 1, "w");
    CU_ASSERT_PTR_NOT_NULL_FATAL(to);
    CU_ASSERT_EQUAL(fseek(to, SOLO_TOKEN_FILE_MAX + 4096L, SEEK_SET), 0);
    fputc('x', to);
    fclose(to);
    CU_ASSERT_EQUAL(solo_token_parse(at, &token, why), -EINVAL);
    CU_ASSERT_PTR_NOT_NULL(strstr(why, "larger than"));
}

void suite_token(void)
{
    SOLO_SUITE("token");
    SOLO_TEST(test_token__the_plain_schedule_has_no_deviations);
    SOLO_TEST(test_token__a_schedule_without_choices_has_a_token);
    SOLO_TEST(test_token__deviations_are_run_length_coded);
    SOLO_TEST(test_token__each_kind_of_choice_has_its_own_letter);
    SOLO_TEST(test_token__a_crashed_schedule_is_open);
    SOLO_TEST(test_token__short_schedules_have_a_check_for_each_choice);
    SOLO_TEST(test_token__long_schedules_have_as_many_checks_at_most);
    SOLO_TEST(test_token__text_parses_to_an_equal_token);
    SOLO_TEST(test_token__the_largest_schedule_fits_and_one_more_does_not);
    SOLO_TEST(test_token__equal_schedules_have_equal_texts);
    SOLO_TEST(test_token__malformed_texts_are_refused_with_a_sentence);
    SOLO_TEST(test_token__a_changed_byte_never_crashes_and_never_goes_unnoticed);
    SOLO_TEST(test_token__each_beginning_of_a_token_is_refused);
    SOLO_TEST(test_token__random_bytes_never_crash);
    SOLO_TEST(test_token__make_refuses_bad_names);
    SOLO_TEST(test_token__the_fingerprint_is_over_name_limits_and_schema_alone);
    SOLO_TEST(test_token__the_fingerprint_does_not_change_between_versions);
    SOLO_TEST(test_token__check_says_what_does_not_fit);
    SOLO_TEST(test_token__finish_accepts_nothing);
    SOLO_TEST(test_token__a_short_one_prints_as_itself);
    SOLO_TEST(test_token__a_long_one_goes_to_a_file_and_comes_back);
    SOLO_TEST(test_token__its_file_has_the_same_name_every_time);
    SOLO_TEST(test_token__files_with_anything_else_are_refused);
    SOLO_TEST(test_token__a_file_that_is_too_large_is_refused);
}
