/* test_half_close.c - connections of which one direction ends before the other, in both worlds. */
#include "talkers.h"

static void read_lost(struct solo_protocol *protocol)
{
    struct talker *talker = (struct talker *)protocol;
    CU_ASSERT_EQUAL(talker->losses, 0);
    note(talker->name == 's' ? 'r' : 'q');
}

static void write_lost(struct solo_protocol *protocol)
{
    struct talker *talker = (struct talker *)protocol;
    CU_ASSERT_EQUAL(talker->losses, 0);
    note(talker->name == 's' ? 'w' : 'v');
}

/* The server answers only when the question has come to its end. */
static void answer_at_the_end(struct solo_protocol *protocol)
{
    struct talker *talker = (struct talker *)protocol;
    read_lost(protocol);
    heard(talker, "question");
    say(talker, "answer");
    CU_ASSERT_EQUAL(solo_transport_lose_write_connection(protocol->transport), 0);
}

static const struct solo_half_close_ops noting = {read_lost, write_lost}, answering = {answer_at_the_end, write_lost};

static void hear_halves(struct talker *talker)
{
    CU_ASSERT_EQUAL(solo_transport_set_half_close(talker->protocol.transport, &answering), 0);
}

static void question(struct talker *talker)
{
    struct solo_transport *transport = talker->protocol.transport;
    CU_ASSERT_EQUAL(solo_transport_set_half_close(transport, &noting), 0);
    say(talker, "question");
    CU_ASSERT_EQUAL(solo_transport_lose_write_connection(transport), 0);
    CU_ASSERT_EQUAL(solo_transport_lose_write_connection(transport), 0); /* again is fine */
    CU_ASSERT_EQUAL(solo_transport_write(transport, "x", 1), SOLO_ECLOSING);
    noted(""); /* never inside the call */
}

static void question_body(void)
{
    begin();
    server.on_made = hear_halves;
    client.on_made = question;
    server.on_lost = client.on_lost = stop_when_both_lost;
    (void)connect_client();
    run_and_end();
    heard(client.last, "answer");
    CU_ASSERT_EQUAL(server.last->reason, SOLO_ECONNDONE);
    CU_ASSERT_EQUAL(client.last->reason, SOLO_ECONNDONE);
    CU_ASSERT_PTR_NOT_NULL(strstr(worlds.notes, "vr")); /* the client's end of writing is the server's of reading */
    CU_ASSERT_PTR_NOT_NULL(strchr(worlds.notes, 'w'));
    CU_ASSERT_PTR_NOT_NULL(strchr(worlds.notes, 'q'));
}

static void test_half_close__each_direction_ends_on_its_own(void)
{
    worlds_run(question_body);
}

/* ---- Without half-close callbacks ---- */

static void end_writing(struct talker *talker)
{
    say(talker, "bye");
    CU_ASSERT_EQUAL(solo_transport_lose_write_connection(talker->protocol.transport), 0);
}

static void plain_body(void)
{
    begin();
    client.on_made = end_writing;
    server.on_lost = client.on_lost = stop_when_both_lost;
    (void)connect_client();
    run_and_end();
    heard(server.last, "bye");
    CU_ASSERT_EQUAL(server.last->reason, SOLO_ECONNDONE);
    CU_ASSERT_EQUAL(client.last->reason, SOLO_ECONNDONE);
    noted("C" /* of the connector */ "S");
}

static void test_half_close__for_a_protocol_that_does_not_ask_the_end_of_reading_is_the_end(void)
{
    worlds_run(plain_body);
}

/* ---- Other ends in between ---- */

static void hear_and_lose(struct talker *talker)
{
    CU_ASSERT_EQUAL(solo_transport_set_half_close(talker->protocol.transport, &noting), 0);
    CU_ASSERT_EQUAL(solo_transport_lose_write_connection(talker->protocol.transport), 0);
    lose(talker);
    CU_ASSERT_EQUAL(solo_transport_lose_write_connection(talker->protocol.transport), SOLO_ECLOSING);
}

static void lose_after_half_body(void)
{
    begin();
    client.on_made = hear_and_lose;
    server.on_lost = client.on_lost = stop_when_both_lost;
    (void)connect_client();
    run_and_end();
    CU_ASSERT_EQUAL(client.last->reason, SOLO_ECONNDONE);
    CU_ASSERT_PTR_NULL(strchr(worlds.notes, 'v'));
}

static void test_half_close__a_whole_close_comes_before_half_of_one(void)
{
    worlds_run(lose_after_half_body);
}

static void abort_at_the_end(struct solo_protocol *protocol)
{
    read_lost(protocol);
    CU_ASSERT_EQUAL(solo_transport_abort_connection(protocol->transport), 0);
}

static const struct solo_half_close_ops aborting = {abort_at_the_end, NULL};

static void abort_then(struct talker *talker)
{
    CU_ASSERT_EQUAL(solo_transport_set_half_close(talker->protocol.transport, &aborting), 0);
}

static void abort_body(void)
{
    begin();
    server.on_made = abort_then;
    client.on_made = question;
    server.on_lost = client.on_lost = stop_when_both_lost;
    (void)connect_client();
    run_and_end();
    CU_ASSERT_EQUAL(server.last->reason, SOLO_ECONNLOST);
    CU_ASSERT_EQUAL(server.lost + client.lost, 2);
}

static void test_half_close__an_abort_in_the_callback_is_the_end(void)
{
    worlds_run(abort_body);
}

static void change_its_mind(struct talker *talker)
{
    CU_ASSERT_EQUAL(solo_transport_set_half_close(talker->protocol.transport, &noting), 0);
    CU_ASSERT_EQUAL(solo_transport_set_half_close(talker->protocol.transport, NULL), 0);
}

static void unset_body(void)
{
    begin();
    server.on_made = change_its_mind;
    client.on_made = end_writing;
    server.on_lost = client.on_lost = stop_when_both_lost;
    (void)connect_client();
    run_and_end();
    CU_ASSERT_PTR_NULL(strchr(worlds.notes, 'r'));
    CU_ASSERT_EQUAL(server.last->reason, SOLO_ECONNDONE);
}

static void test_half_close__the_callbacks_can_be_taken_back(void)
{
    worlds_run(unset_body);
}

void suite_half_close(void)
{
    SOLO_SUITE("half_close");
    SOLO_TEST(test_half_close__each_direction_ends_on_its_own);
    SOLO_TEST(test_half_close__for_a_protocol_that_does_not_ask_the_end_of_reading_is_the_end);
    SOLO_TEST(test_half_close__a_whole_close_comes_before_half_of_one);
    SOLO_TEST(test_half_close__an_abort_in_the_callback_is_the_end);
    SOLO_TEST(test_half_close__the_callbacks_can_be_taken_back);
}
