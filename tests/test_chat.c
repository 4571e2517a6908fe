/*
 * test_chat.c - minutes of simulated chat under a few seeds, and that its model finds what must not be. The hours are
 * in tests/bench/chat.c.
 */
#include "chat/chat.h"
#include "runner.h"
#include <stdio.h>
#include <string.h>

static const struct chat_options minutes = {.clients = 20,
                                            .rooms = 4,
                                            .machines = 2,
                                            .duration_ns = 600 * CHAT_SECOND_NS,
                                            .act_ns = 20 * CHAT_SECOND_NS,
                                            .long_one_in = 1,
                                            .faults = 5};

/* ---- Whole schedules ---- */

static void test_chat__nothing_is_lost_by_resets_and_slow_readers(void)
{
    struct chat_result result;
    uint64_t slow = 0, resets = 0, departures = 0;
    for (uint64_t seed = 1; seed <= 8; seed++) {
        int status = chat_run(&minutes, seed, &result);
        CU_ASSERT_EQUAL(status, 0);
        CU_ASSERT_STRING_EQUAL(result.why, "");
        CU_ASSERT(result.deliveries > 1000);
        CU_ASSERT_EQUAL(result.connections, result.resets + result.departures);
        slow += result.slow;
        resets += result.resets;
        departures += result.departures;
    }
    CU_ASSERT(slow > 0 && resets > 0 && departures > 0);
}

static void test_chat__everything_is_given_back_at_the_end(void)
{
    struct chat_result one, other;
    struct chat_options longer = minutes;
    longer.duration_ns *= 3;
    CU_ASSERT_EQUAL(chat_run(&minutes, 3, &one), 0);
    CU_ASSERT_EQUAL(chat_run(&longer, 3, &other), 0);
    CU_ASSERT_EQUAL(one.left, 0);
    CU_ASSERT_EQUAL(other.left, 0);
    CU_ASSERT(other.connections > one.connections);
    CU_ASSERT_EQUAL(one.kit_left, other.kit_left); /* what is left of threads */
}

static void test_chat__a_seed_is_a_schedule(void)
{
    struct chat_result one, same, other;
    CU_ASSERT_EQUAL(chat_run(&minutes, 1, &one), 0);
    CU_ASSERT_EQUAL(chat_run(&minutes, 1, &same), 0);
    CU_ASSERT_EQUAL(chat_run(&minutes, 2, &other), 0);
    CU_ASSERT_EQUAL(one.events, same.events);
    CU_ASSERT_EQUAL(one.deliveries, same.deliveries);
    CU_ASSERT_NOT_EQUAL(one.events, other.events);
}

static void test_chat__a_server_that_drops_lines_for_slow_readers_is_caught(void)
{
    struct chat_options broken = minutes;
    struct chat_result result;
    broken.drops_when_slow = true;
    for (uint64_t seed = 1; seed <= 4; seed++) {
        CU_ASSERT_EQUAL(chat_run(&broken, seed, &result), -EPROTO);
        CU_ASSERT_NOT_EQUAL(strstr(result.why, "lost"), NULL);
    }
}

/* ---- The model: each thing that must not be, and its silent twin ---- */

static struct chat_model *model;
static struct chat_session session;

static void begin(void)
{
    model = chat_model_create(&minutes);
    CU_ASSERT_NOT_EQUAL_FATAL(model, NULL);
    chat_model_joins(model, &session, 0);
    CU_ASSERT(chat_model_joined(model, &session, 0, 0, 10));
}

/* Client 0 hears this number of room 0: what `client` said as its nth line. */
static bool hear(struct chat_session *hearer, unsigned number, unsigned client, unsigned nth)
{
    char line[256];
    size_t words_size;
    const char *words = chat_words(client, nth, false, &words_size);
    int size = snprintf(line, sizeof line, "%u %u %u %.*s\n", number, client, nth, (int)words_size, words);
    return chat_model_heard(model, hearer, 0, line, (size_t)size - 1);
}

static void end(const char *why)
{
    struct chat_result result = {0};
    chat_model_finish(model, &result);
    if (*why == '\0') {
        CU_ASSERT_STRING_EQUAL(result.why, "");
    } else {
        CU_ASSERT_NOT_EQUAL(strstr(result.why, why), NULL);
    }
    chat_model_free(model);
}

static void test_chat__lines_in_order_are_right(void)
{
    begin();
    chat_model_said(model, 3);
    chat_model_said(model, 3);
    CU_ASSERT(hear(&session, 10, 3, 0));
    CU_ASSERT(hear(&session, 11, 3, 1));
    CU_ASSERT(chat_model_bye(model, &session, 0, 12));
    CU_ASSERT(chat_model_lost(model, &session, 0, SOLO_ECONNDONE));
    end("");
}

static void test_chat__a_number_that_is_left_out_is_found(void)
{
    begin();
    chat_model_said(model, 3);
    CU_ASSERT_FALSE(hear(&session, 11, 3, 0));
    end("1 lines were lost");
}

static void test_chat__a_number_that_comes_twice_is_found(void)
{
    begin();
    chat_model_said(model, 3);
    CU_ASSERT(hear(&session, 10, 3, 0));
    CU_ASSERT_FALSE(hear(&session, 10, 3, 0));
    end("number 10 came, not 11");
}

static void test_chat__a_line_that_nobody_said_is_found(void)
{
    begin();
    CU_ASSERT_FALSE(hear(&session, 10, 3, 0));
    end("was never said");
}

static void test_chat__other_words_are_found(void)
{
    begin();
    chat_model_said(model, 3);
    CU_ASSERT_FALSE(chat_model_heard(model, &session, 0, "10 3 0 nonsense\n", 15));
    end("other words");
}

static void test_chat__two_lines_under_one_number_are_found(void)
{
    struct chat_session other;
    begin();
    chat_model_joins(model, &other, 0);
    CU_ASSERT(chat_model_joined(model, &other, 4, 0, 10));
    chat_model_said(model, 3);
    chat_model_said(model, 5);
    CU_ASSERT(hear(&session, 10, 3, 0));
    CU_ASSERT_FALSE(hear(&other, 10, 5, 0));
    end("different lines under number 10");
}

static void test_chat__one_line_under_two_numbers_is_found(void)
{
    begin();
    chat_model_said(model, 3);
    CU_ASSERT(hear(&session, 10, 3, 0));
    CU_ASSERT_FALSE(hear(&session, 11, 3, 0));
    end("under two numbers");
}

static void test_chat__a_speaker_out_of_its_order_is_found(void)
{
    begin();
    chat_model_said(model, 3);
    chat_model_said(model, 3);
    CU_ASSERT(hear(&session, 10, 3, 1));
    CU_ASSERT(hear(&session, 11, 3, 0));
    end("out of its order");
}

static void test_chat__lines_lost_between_two_others_of_their_speaker_are_found(void)
{
    begin();
    for (int i = 0; i < 20; i++) {
        chat_model_said(model, 3);
    }
    CU_ASSERT(hear(&session, 10, 3, 0));
    CU_ASSERT(hear(&session, 11, 3, 19)); /* the numbers 0 to 9 could hold ten of them, no more */
    end("18 lines were lost between two others");
}

static void test_chat__an_end_in_order_needs_a_bye_that_is_right(void)
{
    begin();
    CU_ASSERT_FALSE(chat_model_bye(model, &session, 0, 11));
    end("has heard up to number 10");
    begin();
    CU_ASSERT_FALSE(chat_model_lost(model, &session, 0, SOLO_ECONNDONE));
    end("without a bye");
    begin();
    CU_ASSERT(chat_model_lost(model, &session, 0, SOLO_ECONNLOST));
    end("");
}

static void test_chat__what_was_said_before_a_bye_must_be_heard(void)
{
    begin();
    chat_model_said(model, 0);
    CU_ASSERT(chat_model_bye(model, &session, 0, 10));
    end("heard by nobody");
}

static void test_chat__who_joins_is_told_a_number_that_is_new(void)
{
    struct chat_session late;
    begin();
    chat_model_said(model, 3);
    CU_ASSERT(hear(&session, 10, 3, 0));
    chat_model_joins(model, &late, 0);
    CU_ASSERT_FALSE(chat_model_joined(model, &late, 4, 0, 10));
    end("was heard before that");
}

void suite_chat(void)
{
    SOLO_SUITE("chat");
    SOLO_TEST(test_chat__nothing_is_lost_by_resets_and_slow_readers);
    SOLO_TEST(test_chat__everything_is_given_back_at_the_end);
    SOLO_TEST(test_chat__a_seed_is_a_schedule);
    SOLO_TEST(test_chat__a_server_that_drops_lines_for_slow_readers_is_caught);
    SOLO_TEST(test_chat__lines_in_order_are_right);
    SOLO_TEST(test_chat__a_number_that_is_left_out_is_found);
    SOLO_TEST(test_chat__a_number_that_comes_twice_is_found);
    SOLO_TEST(test_chat__a_line_that_nobody_said_is_found);
    SOLO_TEST(test_chat__other_words_are_found);
    SOLO_TEST(test_chat__two_lines_under_one_number_are_found);
    SOLO_TEST(test_chat__one_line_under_two_numbers_is_found);
    SOLO_TEST(test_chat__a_speaker_out_of_its_order_is_found);
    SOLO_TEST(test_chat__lines_lost_between_two_others_of_their_speaker_are_found);
    SOLO_TEST(test_chat__an_end_in_order_needs_a_bye_that_is_right);
    SOLO_TEST(test_chat__what_was_said_before_a_bye_must_be_heard);
    SOLO_TEST(test_chat__who_joins_is_told_a_number_that_is_new);
}
