/* test_string_transport.c - transports in memory and the pump, in both worlds. */
#include "talkers.h"

static struct talker *make_talker(struct side *side)
{
    (void)build(&side->factory);
    return side->last;
}

static void begin_in_memory(void)
{
    begin();
    CU_ASSERT_EQUAL(solo_port_stop_listening(port), 0);
}

static struct solo_transport *connect_talker(struct talker *talker)
{
    struct solo_transport *transport = NULL;
    CU_ASSERT_EQUAL_FATAL(solo_string_transport_create(reactor, &talker->protocol, &transport), 0);
    CU_ASSERT_PTR_EQUAL(talker->protocol.transport, transport);
    CU_ASSERT_EQUAL(solo_transport_ref(transport), 0);
    return transport;
}

static void value_is(struct solo_transport *transport, const char *text)
{
    const void *data = NULL;
    size_t size = 0;
    CU_ASSERT_EQUAL(solo_string_transport_get_value(transport, &data, &size), 0);
    CU_ASSERT_EQUAL(size, strlen(text));
    CU_ASSERT_EQUAL(memcmp(data, text, strlen(text)), 0);
}

static void end_in_memory(struct solo_transport *transport)
{
    worlds_destroy(reactor);
    CU_ASSERT_EQUAL(solo_transport_unref(transport), 0);
}

static void pass(void)
{
    CU_ASSERT_EQUAL(solo_reactor_iterate(reactor, 0), 0);
}

/* ---- One transport ---- */

static void greet(struct talker *talker)
{
    say(talker, "hello");
}

static void echo(struct talker *talker, const char *data, size_t size)
{
    CU_ASSERT_EQUAL(solo_transport_write(talker->protocol.transport, data, size), 0);
}

static void record_body(void)
{
    begin_in_memory();
    client.on_made = greet;
    client.on_data = echo;
    struct talker *talker = make_talker(&client);
    struct solo_transport *transport = connect_talker(talker);
    struct solo_address address = {.family = SOLO_INET};
    CU_ASSERT_EQUAL(client.open, 1); /* connection_made, inside the call */
    value_is(transport, "hello");
    CU_ASSERT_EQUAL(solo_string_transport_receive(transport, ", world", 7), 0);
    value_is(transport, "hello, world");
    pass(); /* no network takes anything */
    value_is(transport, "hello, world");
    CU_ASSERT_EQUAL(solo_string_transport_take(transport, 7), 0);
    value_is(transport, "world");
    CU_ASSERT_EQUAL(solo_string_transport_take(transport, SIZE_MAX), 0);
    value_is(transport, "");
    CU_ASSERT_EQUAL(solo_transport_get_peer(transport, &address), 0);
    CU_ASSERT_EQUAL(address.family, SOLO_FAMILY_NONE);
    CU_ASSERT_EQUAL(solo_transport_get_host(transport, &address), 0);
    CU_ASSERT_EQUAL(solo_transport_set_no_delay(transport, true), -EOPNOTSUPP);
    end_in_memory(transport);
    CU_ASSERT_EQUAL(talker->reason, SOLO_ECONNLOST); /* with the reactor */
}

static void test_string_transport__what_a_protocol_writes_is_kept_for_the_test(void)
{
    worlds_run(record_body);
}

static void lose_body(void)
{
    begin_in_memory();
    struct talker *talker = make_talker(&client);
    struct solo_transport *transport = connect_talker(talker);
    enum solo_transport_state state = SOLO_TRANSPORT_OPEN;
    say(talker, "bye");
    lose(talker);
    pass();
    CU_ASSERT_EQUAL(talker->losses, 0); /* waits until it is taken */
    CU_ASSERT_EQUAL(solo_string_transport_take(transport, 3), 0);
    CU_ASSERT_EQUAL(talker->losses, 0); /* comes in a later pass */
    CU_ASSERT_EQUAL(solo_string_transport_receive(transport, "x", 1), SOLO_ECLOSING);
    CU_ASSERT_EQUAL(solo_string_transport_receive_end(transport), SOLO_ECLOSING);
    CU_ASSERT_EQUAL(solo_string_transport_fail(transport, SOLO_ECONNLOST), SOLO_ECLOSING);
    pass();
    CU_ASSERT_EQUAL(talker->losses, 1);
    CU_ASSERT_EQUAL(talker->reason, SOLO_ECONNDONE);
    CU_ASSERT_EQUAL(solo_transport_get_state(transport, &state), 0);
    CU_ASSERT_EQUAL(state, SOLO_TRANSPORT_LOST);
    CU_ASSERT_EQUAL(solo_string_transport_receive(transport, "x", 1), SOLO_ECLOSED);
    worlds_expect(SOLO012_TRANSPORT_AFTER_LOST, 1);
    end_in_memory(transport);
}

static void test_string_transport__losing_waits_until_everything_is_taken(void)
{
    worlds_run(lose_body);
}

static void read_lost(struct solo_protocol *protocol)
{
    (void)protocol;
    note('r');
}

static void write_lost(struct solo_protocol *protocol)
{
    (void)protocol;
    note('w');
}

static void ends_body(void)
{
    static const struct solo_half_close_ops halves = {read_lost, write_lost};
    begin_in_memory();
    struct talker *talker = make_talker(&client);
    struct solo_transport *transport = connect_talker(talker);
    CU_ASSERT_EQUAL(solo_transport_set_half_close(transport, &halves), 0);
    CU_ASSERT_EQUAL(solo_string_transport_receive_end(transport), 0);
    noted("r");
    CU_ASSERT_EQUAL(solo_string_transport_receive(transport, "x", 1), -EPIPE);
    CU_ASSERT_EQUAL(solo_string_transport_receive_end(transport), -EPIPE);
    say(talker, "still here");
    CU_ASSERT_EQUAL(solo_transport_lose_write_connection(transport), 0);
    CU_ASSERT_EQUAL(solo_string_transport_take(transport, SIZE_MAX), 0);
    noted("rw");
    pass();
    CU_ASSERT_EQUAL(talker->losses, 1);
    CU_ASSERT_EQUAL(talker->reason, SOLO_ECONNDONE);
    end_in_memory(transport);
}

static void test_string_transport__each_direction_may_end(void)
{
    worlds_run(ends_body);
}

static void fail_body(void)
{
    begin_in_memory();
    struct talker *talker = make_talker(&client);
    struct solo_transport *transport = connect_talker(talker);
    CU_ASSERT_EQUAL(solo_string_transport_fail(transport, 0), -EINVAL);
    CU_ASSERT_EQUAL(solo_string_transport_fail(transport, -ETIMEDOUT), 0);
    CU_ASSERT_EQUAL(talker->losses, 1);
    CU_ASSERT_EQUAL(talker->reason, -ETIMEDOUT);
    end_in_memory(transport);
}

static void test_string_transport__a_network_may_fail(void)
{
    worlds_run(fail_body);
}

static void pause(struct solo_producer *producer)
{
    (void)producer;
    note('p');
}

static void resume(struct solo_producer *producer)
{
    (void)producer;
    note('g');
}

static void pressure_body(void)
{
    static const struct solo_producer_ops ops = {pause, resume, NULL};
    struct solo_producer producer = {&ops};
    begin_in_memory();
    struct talker *talker = make_talker(&client);
    struct solo_transport *transport = connect_talker(talker);
    CU_ASSERT_EQUAL(solo_transport_set_high_water(transport, 4), 0);
    CU_ASSERT_EQUAL(solo_transport_register_producer(transport, &producer, SOLO_PUSH), 0);
    say(talker, "1234");
    noted("");
    say(talker, "5");
    noted("p");
    CU_ASSERT_EQUAL(solo_string_transport_take(transport, 4), 0);
    noted("p"); /* all of it has to leave first */
    CU_ASSERT_EQUAL(solo_string_transport_take(transport, 4), 0);
    noted("pg");
    CU_ASSERT_EQUAL(solo_transport_unregister_producer(transport), 0);
    CU_ASSERT_EQUAL(solo_transport_pause_producing(transport), 0);
    CU_ASSERT_EQUAL(solo_string_transport_receive(transport, "x", 1), -EAGAIN);
    CU_ASSERT_EQUAL(solo_string_transport_receive_end(transport), -EAGAIN);
    CU_ASSERT_EQUAL(solo_transport_resume_producing(transport), 0);
    CU_ASSERT_EQUAL(solo_string_transport_receive(transport, "x", 1), 0);
    heard(talker, "x");
    end_in_memory(transport);
}

static void test_string_transport__back_pressure_works_as_on_a_slow_network(void)
{
    worlds_run(pressure_body);
}

static void nonsense_body(void)
{
    struct solo_transport *transport = NULL;
    struct solo_pump *pump = NULL;
    const void *data;
    size_t size;
    begin();
    struct talker *talker = make_talker(&client), *other = make_talker(&server);
    CU_ASSERT_EQUAL(solo_string_transport_create(reactor, NULL, &transport), -EINVAL);
    CU_ASSERT_EQUAL(solo_string_transport_create(reactor, &talker->protocol, NULL), -EINVAL);
    CU_ASSERT_EQUAL(solo_pump_create(reactor, &talker->protocol, &talker->protocol, &pump), -EINVAL);
    CU_ASSERT_EQUAL(solo_pump_create(reactor, &talker->protocol, NULL, &pump), -EINVAL);
    CU_ASSERT_EQUAL(solo_pump_create(reactor, &talker->protocol, &other->protocol, NULL), -EINVAL);
    CU_ASSERT_EQUAL(solo_pump_destroy(NULL), 0);
    (void)connect_client(); /* one with a network is none of these */
    while (server.built < 2) {
        CU_ASSERT_EQUAL_FATAL(solo_reactor_iterate(reactor, SOLO_NEVER), 0);
    }
    CU_ASSERT_EQUAL(solo_string_transport_get_value(server.last->protocol.transport, &data, &size), -EINVAL);
    CU_ASSERT_EQUAL(solo_string_transport_take(server.last->protocol.transport, 1), -EINVAL);
    worlds_destroy(reactor);
}

static void test_string_transport__nonsense_is_refused(void)
{
    worlds_run(nonsense_body);
}

/* ---- The pump ---- */

static void ask(struct talker *talker)
{
    say(talker, "what is it?");
}

static void lose_when_answered(struct talker *talker, const char *data, size_t size)
{
    (void)data;
    (void)size;
    if (talker->received == 11) {
        lose(talker);
    }
}

static size_t chunk;

static void pump_body(void)
{
    struct solo_pump *pump = NULL;
    bool connected = false;
    begin_in_memory();
    client.on_made = ask;
    client.on_data = lose_when_answered;
    server.on_data = echo;
    struct talker *asks = make_talker(&client), *answers = make_talker(&server);
    CU_ASSERT_EQUAL_FATAL(solo_pump_create(reactor, &asks->protocol, &answers->protocol, &pump), 0);
    CU_ASSERT_EQUAL(solo_pump_is_connected(pump, &connected), 0);
    CU_ASSERT_TRUE(connected);
    CU_ASSERT_EQUAL(answers->received, 0); /* nothing moves by itself */
    CU_ASSERT_EQUAL(solo_pump_flush(pump, chunk), 0);
    heard(answers, "what is it?");
    heard(asks, "what is it?");
    pass();
    CU_ASSERT_EQUAL(solo_pump_is_connected(pump, &connected), 0);
    CU_ASSERT_FALSE(connected);
    CU_ASSERT_EQUAL(asks->losses + answers->losses, 2);
    CU_ASSERT_EQUAL(asks->reason, SOLO_ECONNDONE);
    CU_ASSERT_EQUAL(answers->reason, SOLO_ECONNDONE);
    CU_ASSERT_EQUAL(solo_pump_destroy(pump), 0);
    worlds_destroy(reactor);
}

static void test_string_transport__a_pump_plays_a_conversation_in_chunks_of_any_size(void)
{
    static const size_t chunks[] = {0, 1, 3, 1000};
    for (size_t i = 0; i < sizeof chunks / sizeof *chunks; i++) {
        chunk = chunks[i];
        worlds_run(pump_body);
    }
}

static void step_body(void)
{
    struct solo_pump *pump = NULL;
    size_t moved = 0;
    begin_in_memory();
    client.on_made = ask;
    struct talker *asks = make_talker(&client), *answers = make_talker(&server);
    CU_ASSERT_EQUAL_FATAL(solo_pump_create(reactor, &asks->protocol, &answers->protocol, &pump), 0);
    CU_ASSERT_EQUAL(solo_pump_step(pump, 4, &moved), 0);
    CU_ASSERT_EQUAL(moved, 4);
    heard(answers, "what");
    CU_ASSERT_EQUAL(solo_transport_abort_connection(asks->protocol.transport), 0);
    CU_ASSERT_EQUAL(solo_pump_step(pump, 4, &moved), 0);
    CU_ASSERT_EQUAL(answers->losses, 1); /* a reset takes what was on its way */
    CU_ASSERT_EQUAL(answers->reason, SOLO_ECONNLOST);
    heard(answers, "what");
    CU_ASSERT_EQUAL(solo_pump_step(pump, 4, NULL), 0);
    pass();
    CU_ASSERT_EQUAL(asks->losses, 1);
    CU_ASSERT_EQUAL(solo_pump_step(pump, 4, &moved), 0);
    CU_ASSERT_EQUAL(moved, 0);
    CU_ASSERT_EQUAL(solo_pump_destroy(pump), 0);
    worlds_destroy(reactor);
}

static void test_string_transport__a_pump_can_be_stepped_and_brings_resets(void)
{
    worlds_run(step_body);
}

static void half_body(void)
{
    static const struct solo_half_close_ops halves = {read_lost, write_lost};
    struct solo_pump *pump = NULL;
    begin_in_memory();
    struct talker *asks = make_talker(&client), *answers = make_talker(&server);
    CU_ASSERT_EQUAL_FATAL(solo_pump_create(reactor, &asks->protocol, &answers->protocol, &pump), 0);
    CU_ASSERT_EQUAL(solo_transport_set_half_close(answers->protocol.transport, &halves), 0);
    say(asks, "question");
    CU_ASSERT_EQUAL(solo_transport_lose_write_connection(asks->protocol.transport), 0);
    CU_ASSERT_EQUAL(solo_pump_flush(pump, 3), 0);
    noted("r");
    heard(answers, "question");
    say(answers, "answer");
    lose(answers);
    CU_ASSERT_EQUAL(solo_pump_flush(pump, 3), 0);
    heard(asks, "answer");
    pass();
    CU_ASSERT_EQUAL(asks->losses + answers->losses, 2);
    CU_ASSERT_EQUAL(solo_pump_destroy(pump), 0);
    worlds_destroy(reactor);
}

static void test_string_transport__a_pump_brings_half_closes(void)
{
    worlds_run(half_body);
}

static void ping_for_ever(struct talker *talker, const char *data, size_t size)
{
    (void)data;
    (void)size;
    say(talker, "x");
}

static void endless_body(void)
{
    struct solo_pump *pump = NULL;
    begin_in_memory();
    client.on_made = ask;
    client.on_data = server.on_data = ping_for_ever;
    struct talker *asks = make_talker(&client), *answers = make_talker(&server);
    CU_ASSERT_EQUAL_FATAL(solo_pump_create(reactor, &asks->protocol, &answers->protocol, &pump), 0);
    CU_ASSERT_EQUAL(solo_pump_flush(pump, 0), SOLO_ELIMIT);
    CU_ASSERT_EQUAL(solo_pump_destroy(pump), 0);
    CU_ASSERT_EQUAL(asks->losses + answers->losses, 2);
    worlds_destroy(reactor);
}

static void test_string_transport__a_pump_gives_up_on_a_conversation_without_end(void)
{
    worlds_run_os(endless_body);
}

/* ---- Destroying a pump from a callback ---- */

static struct solo_pump *destroyed;
static int destroy_answer; /* of the last try */
static unsigned destroy_tries;

static void destroy_pump(struct talker *talker)
{
    (void)talker;
    destroy_answer = solo_pump_destroy(destroyed);
    destroy_tries++;
}

static void destroy_pump_on_data(struct talker *talker, const char *data, size_t size)
{
    (void)data;
    (void)size;
    destroy_pump(talker);
}

static void tried(unsigned count, int answer)
{
    CU_ASSERT_EQUAL(destroy_tries, count);
    CU_ASSERT_EQUAL(destroy_answer, answer);
    destroy_tries = 0;
}

/* Every callback of both sides tries. */
static void begin_impatient(void)
{
    begin_in_memory();
    destroyed = NULL;
    destroy_tries = 0;
    destroy_answer = 0;
    client.on_made = ask;
    server.on_made = client.on_lost = server.on_lost = destroy_pump;
    client.on_data = server.on_data = destroy_pump_on_data;
}

static void destroy_inside_body(void)
{
    begin_impatient();
    struct talker *asks = make_talker(&client), *answers = make_talker(&server);
    CU_ASSERT_EQUAL_FATAL(solo_pump_create(reactor, &asks->protocol, &answers->protocol, &destroyed), 0);
    tried(1, -EBUSY); /* when the server was connected, and the client was not yet */
    CU_ASSERT_EQUAL(client.open + server.open, 2);
    CU_ASSERT_EQUAL(solo_pump_step(destroyed, 4, NULL), 0);
    tried(1, -EBUSY);
    CU_ASSERT_EQUAL(solo_pump_flush(destroyed, 4), 0);
    tried(2, -EBUSY);
    heard(answers, "what is it?");
    CU_ASSERT_EQUAL(solo_pump_destroy(destroyed), 0);
    tried(2, -EBUSY); /* as it loses one after the other */
    CU_ASSERT_EQUAL(asks->losses + answers->losses, 2);
    worlds_destroy(reactor);
}

static void test_string_transport__a_pump_is_not_destroyed_inside_its_own_calls(void)
{
    worlds_run(destroy_inside_body);
}

/* The twin: the loop calls, not the pump. */
static void destroy_from_loop_body(void)
{
    begin_impatient();
    server.on_made = NULL;
    server.on_lost = NULL;
    struct talker *asks = make_talker(&client), *answers = make_talker(&server);
    CU_ASSERT_EQUAL_FATAL(solo_pump_create(reactor, &asks->protocol, &answers->protocol, &destroyed), 0);
    CU_ASSERT_EQUAL(solo_transport_abort_connection(asks->protocol.transport), 0);
    pass();
    tried(1, 0);
    CU_ASSERT_EQUAL(asks->losses + answers->losses, 2);
    worlds_destroy(reactor);
}

static void test_string_transport__a_pump_is_destroyed_from_a_callback_of_the_loop(void)
{
    worlds_run(destroy_from_loop_body);
}

void suite_string_transport(void)
{
    SOLO_SUITE("string_transport");
    SOLO_TEST(test_string_transport__what_a_protocol_writes_is_kept_for_the_test);
    SOLO_TEST(test_string_transport__losing_waits_until_everything_is_taken);
    SOLO_TEST(test_string_transport__each_direction_may_end);
    SOLO_TEST(test_string_transport__a_network_may_fail);
    SOLO_TEST(test_string_transport__back_pressure_works_as_on_a_slow_network);
    SOLO_TEST(test_string_transport__nonsense_is_refused);
    SOLO_TEST(test_string_transport__a_pump_plays_a_conversation_in_chunks_of_any_size);
    SOLO_TEST(test_string_transport__a_pump_can_be_stepped_and_brings_resets);
    SOLO_TEST(test_string_transport__a_pump_brings_half_closes);
    SOLO_TEST(test_string_transport__a_pump_gives_up_on_a_conversation_without_end);
    SOLO_TEST(test_string_transport__a_pump_is_not_destroyed_inside_its_own_calls);
    SOLO_TEST(test_string_transport__a_pump_is_destroyed_from_a_callback_of_the_loop);
}
