/* test_producer.c - push and pull producers, and reading that is paused, in both worlds. */
#include "talkers.h"

enum { CHUNK = 8 * 1024, TOTAL = 2 * 1024 * 1024 };

/* A producer of TOTAL bytes. */
struct source {
    struct solo_producer producer;
    struct talker *talker;
    size_t sent, most_unsent;
    unsigned pauses, resumes, stops;
    bool paused, loses, loses_first;
};

static struct source source;

static char byte_at(size_t i)
{
    return (char)(i * 31 + i / 1021);
}

static void produce(size_t size)
{
    static char block[CHUNK];
    size_t unsent = 0;
    for (size_t i = 0; i < size; i++) {
        block[i] = byte_at(source.sent + i);
    }
    source.sent += size; /* the write may pause or stop us */
    CU_ASSERT_EQUAL_FATAL(solo_transport_write(source.talker->protocol.transport, block, size), 0);
    CU_ASSERT_EQUAL(solo_transport_get_unsent(source.talker->protocol.transport, &unsent), 0);
    source.most_unsent = unsent > source.most_unsent ? unsent : source.most_unsent;
}

static void finish(void)
{
    struct solo_transport *transport = source.talker->protocol.transport;
    if (source.loses && !source.loses_first) {
        CU_ASSERT_EQUAL(solo_transport_lose_connection(transport), 0);
    }
    CU_ASSERT_EQUAL(solo_transport_unregister_producer(transport), 0);
    CU_ASSERT_EQUAL(solo_transport_unregister_producer(transport), -ENOENT);
}

static void push_until_paused(void)
{
    while (!source.paused && source.sent < TOTAL) {
        produce(CHUNK);
    }
    if (source.sent >= TOTAL) {
        finish();
    }
}

static void pause(struct solo_producer *producer)
{
    CU_ASSERT_PTR_EQUAL(producer, &source.producer);
    CU_ASSERT_FALSE(source.paused);
    source.paused = true;
    source.pauses++;
}

static void push_on(struct solo_producer *producer)
{
    CU_ASSERT_PTR_EQUAL(producer, &source.producer);
    CU_ASSERT_TRUE(source.paused);
    source.paused = false;
    source.resumes++;
    if (source.sent < TOTAL) {
        push_until_paused();
    } else {
        finish();
    }
}

static void stop_producing(struct solo_producer *producer)
{
    CU_ASSERT_PTR_EQUAL(producer, &source.producer);
    CU_ASSERT_EQUAL(source.talker->losses, 0); /* before connection_lost */
    source.stops++;
    note('!');
}

static const struct solo_producer_ops push_ops = {pause, push_on, stop_producing};

static void begin_source(const struct solo_producer_ops *ops)
{
    begin();
    source = (struct source){.producer = {ops}, .loses = true};
    server.on_lost = client.on_lost = stop_when_both_lost;
}

static void check_bytes(struct talker *talker, const char *data, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        if (data[i] != byte_at(talker->received - size + i)) {
            CU_FAIL_FATAL("a byte is wrong, missing or twice");
        }
    }
}

/* ---- Push ---- */

static void push(struct talker *talker)
{
    struct solo_transport *transport = talker->protocol.transport;
    source.talker = talker;
    CU_ASSERT_EQUAL(solo_transport_register_producer(transport, &source.producer, SOLO_PUSH), 0);
    CU_ASSERT_EQUAL(solo_transport_register_producer(transport, &source.producer, SOLO_PUSH), -EEXIST);
    push_until_paused();
}

static void push_body(void)
{
    begin_source(&push_ops);
    client.on_made = push;
    server.on_data = check_bytes;
    (void)connect_client();
    run_and_end();
    CU_ASSERT_EQUAL(server.last->received, TOTAL);
    CU_ASSERT_TRUE(source.most_unsent <= SOLO_HIGH_WATER_DEFAULT + CHUNK);
    CU_ASSERT_TRUE(source.pauses >= 1 && source.resumes == source.pauses);
    CU_ASSERT_EQUAL(source.stops, 0);
    CU_ASSERT_EQUAL(client.last->reason, SOLO_ECONNDONE);
}

static void slow_reader(struct talker *talker)
{
    CU_ASSERT_EQUAL(solo_transport_pause_producing(talker->protocol.transport), 0);
}

static void read_on(void *arg)
{
    struct talker *talker = arg;
    if (talker->losses == 0) {
        CU_ASSERT_EQUAL(solo_transport_resume_producing(talker->protocol.transport), 0);
    }
}

/* The server reads nothing for a while: the bytes pile up at the client, up to the mark and no more. */
static void pause_then_read(struct talker *talker)
{
    slow_reader(talker);
    CU_ASSERT_EQUAL(solo_reactor_call_later(reactor, WORLDS_MS, read_on, talker, NULL, NULL), 0);
}

static void push_to_slow_body(void)
{
    begin_source(&push_ops);
    client.on_made = push;
    server.on_made = pause_then_read;
    server.on_data = check_bytes;
    (void)connect_client();
    run_and_end();
    CU_ASSERT_EQUAL(server.last->received, TOTAL);
    CU_ASSERT_TRUE(source.most_unsent <= SOLO_HIGH_WATER_DEFAULT + CHUNK);
}

static void test_producer__a_push_producer_is_paused_above_the_mark_and_loses_nothing(void)
{
    worlds_run_os(push_to_slow_body);
    worlds_run_sim(push_to_slow_body, 3);
    worlds_run_sim(push_body, 3);
}

static void low_mark(struct talker *talker)
{
    struct solo_transport *transport = talker->protocol.transport;
    source.talker = talker;
    CU_ASSERT_EQUAL(solo_transport_set_high_water(transport, 10), 0);
    say(talker, "0123456789a");
    CU_ASSERT_EQUAL(solo_transport_register_producer(transport, &source.producer, SOLO_PUSH), 0);
    CU_ASSERT_EQUAL(source.pauses, 1); /* at once: too much waits already */
}

static void resumed(struct solo_producer *producer)
{
    (void)producer;
    source.paused = false;
    source.resumes++;
    say(source.talker, "0123456789"); /* just the mark */
    CU_ASSERT_EQUAL(source.pauses, 1);
    finish();
}

static void low_mark_body(void)
{
    static const struct solo_producer_ops low_ops = {pause, resumed, stop_producing};
    begin_source(&low_ops);
    client.on_made = low_mark;
    (void)connect_client();
    run_and_end();
    CU_ASSERT_EQUAL(server.last->received, 21);
    CU_ASSERT_EQUAL(source.resumes, 1);
}

static void test_producer__the_mark_can_be_set_and_holds_at_registration(void)
{
    worlds_run(low_mark_body);
}

/* ---- Pull ---- */

static void pulled(struct solo_producer *producer)
{
    CU_ASSERT_PTR_EQUAL(producer, &source.producer);
    source.resumes++;
    if (source.sent < TOTAL / 16) {
        produce(CHUNK);
    } else {
        finish();
    }
}

static const struct solo_producer_ops pull_ops = {NULL, pulled, stop_producing};

static void pull(struct talker *talker)
{
    source.talker = talker;
    CU_ASSERT_EQUAL(solo_transport_register_producer(talker->protocol.transport, &source.producer, SOLO_PULL), 0);
    CU_ASSERT_EQUAL(source.resumes, 1); /* inside the call, as in Twisted */
    if (source.loses_first) {
        lose(talker); /* waits for the producer, which may go on */
    }
}

static void pull_body(void)
{
    begin_source(&pull_ops);
    client.on_made = pull;
    server.on_data = check_bytes;
    (void)connect_client();
    run_and_end();
    CU_ASSERT_EQUAL(server.last->received, TOTAL / 16);
    CU_ASSERT_EQUAL(source.resumes, TOTAL / 16 / CHUNK + 1);
    CU_ASSERT_TRUE(source.most_unsent <= CHUNK);
}

static void test_producer__a_pull_producer_is_asked_again_when_all_has_left(void)
{
    worlds_run_os(pull_body);
    worlds_run_sim(pull_body, 5);
}

static void lose_first_body(void)
{
    begin_source(&pull_ops);
    source.loses_first = true;
    client.on_made = pull;
    server.on_data = check_bytes;
    (void)connect_client();
    run_and_end();
    CU_ASSERT_EQUAL(server.last->received, TOTAL / 16);
    CU_ASSERT_EQUAL(client.last->reason, SOLO_ECONNDONE);
}

static void test_producer__losing_the_connection_waits_for_the_producer(void)
{
    worlds_run_os(lose_first_body);
    worlds_run_sim(lose_first_body, 5);
}

/* A pull producer that is always ready must not starve the rest of the loop. */
static void count_passes(void *arg)
{
    unsigned *count = arg;
    if (++*count < 5) {
        CU_ASSERT_EQUAL(solo_reactor_call_later(reactor, 0, count_passes, count, NULL, NULL), 0);
    } else {
        source.loses = true;
        finish();
    }
}

static void pulled_for_ever(struct solo_producer *producer)
{
    (void)producer;
    say(source.talker, "more");
}

static void pull_for_ever(struct talker *talker)
{
    static unsigned count;
    count = 0;
    source.talker = talker;
    CU_ASSERT_EQUAL(solo_transport_register_producer(talker->protocol.transport, &source.producer, SOLO_PULL), 0);
    CU_ASSERT_EQUAL(solo_reactor_call_later(reactor, 0, count_passes, &count, NULL, NULL), 0);
}

static void starve_body(void)
{
    static const struct solo_producer_ops eager = {NULL, pulled_for_ever, stop_producing};
    begin_source(&eager);
    client.on_made = pull_for_ever;
    (void)connect_client();
    run_and_end();
    CU_ASSERT_TRUE(server.last->received > 0);
}

static void test_producer__one_that_is_always_ready_starves_nobody(void)
{
    worlds_run(starve_body);
}

/* ---- The end of a connection ---- */

static void abort_with_producer(struct talker *talker)
{
    struct solo_transport *transport = talker->protocol.transport;
    source.talker = talker;
    CU_ASSERT_EQUAL(solo_transport_register_producer(transport, &source.producer, SOLO_PUSH), 0);
    CU_ASSERT_EQUAL(solo_transport_abort_connection(transport), 0);
    CU_ASSERT_EQUAL(source.stops, 0);
}

static void register_when_lost(struct talker *talker)
{
    static struct solo_producer late = {&push_ops};
    if (talker == source.talker) {
        CU_ASSERT_EQUAL(source.stops, 1);
        talker->losses = 0; /* for what stop_producing expects of the next one */
        source.producer.ops = &push_ops;
        CU_ASSERT_EQUAL(solo_transport_register_producer(talker->protocol.transport, &source.producer, SOLO_PUSH),
                        SOLO_ECLOSED);
        CU_ASSERT_EQUAL(source.stops, 2); /* told at once, and not kept */
        CU_ASSERT_EQUAL(solo_transport_unregister_producer(talker->protocol.transport), -ENOENT);
        CU_ASSERT_EQUAL(solo_transport_register_producer(talker->protocol.transport, NULL, SOLO_PUSH), -EINVAL);
        CU_ASSERT_EQUAL(solo_transport_register_producer(talker->protocol.transport, &late, (enum solo_producer_kind)7),
                        -EINVAL);
        talker->losses = 1;
    }
    stop_when_both_lost(talker);
}

static void abort_body(void)
{
    begin_source(&push_ops);
    client.on_made = abort_with_producer;
    client.on_lost = register_when_lost;
    (void)connect_client();
    run_and_end();
    CU_ASSERT_EQUAL(source.stops, 2);
    CU_ASSERT_EQUAL(client.last->reason, SOLO_ECONNLOST);
}

static void test_producer__when_the_connection_is_lost_it_is_stopped_first(void)
{
    worlds_run(abort_body);
}

static void hang_up(struct talker *talker)
{
    lose(talker);
}

static void register_only(struct talker *talker)
{
    source.talker = talker;
    CU_ASSERT_EQUAL(solo_transport_register_producer(talker->protocol.transport, &source.producer, SOLO_PUSH), 0);
}

static void other_side_closes_body(void)
{
    begin_source(&push_ops);
    client.on_made = register_only;
    server.on_made = hang_up;
    (void)connect_client();
    run_and_end();
    CU_ASSERT_EQUAL(source.stops, 1);
    CU_ASSERT_EQUAL(client.last->reason, SOLO_ECONNDONE);
}

static void test_producer__it_is_stopped_when_the_other_side_closes(void)
{
    worlds_run(other_side_closes_body);
}

static void stop_the_reactor(struct talker *talker)
{
    register_only(talker);
    stop_now();
}

static void reactor_stops_body(void)
{
    begin_source(&push_ops);
    client.on_made = stop_the_reactor;
    server.on_lost = client.on_lost = NULL;
    (void)connect_client();
    run_and_end();
    CU_ASSERT_EQUAL(source.stops, 1);
}

static void test_producer__it_is_stopped_when_the_reactor_ends(void)
{
    worlds_run(reactor_stops_body);
}

/* ---- Reading ---- */

static void speak_and_go(struct talker *talker)
{
    say(talker, "words");
    lose(talker);
}

static void check_silence(void *arg)
{
    struct talker *talker = arg;
    CU_ASSERT_EQUAL(talker->received, 0);
    CU_ASSERT_EQUAL(talker->losses, 0); /* the end is not noticed either */
    CU_ASSERT_EQUAL(solo_transport_resume_producing(talker->protocol.transport), 0);
    CU_ASSERT_EQUAL(solo_transport_resume_producing(talker->protocol.transport), 0);
}

static void pause_reading(struct talker *talker)
{
    CU_ASSERT_EQUAL(solo_transport_pause_producing(talker->protocol.transport), 0);
    CU_ASSERT_EQUAL(solo_transport_pause_producing(talker->protocol.transport), 0);
    CU_ASSERT_EQUAL(solo_reactor_call_later(reactor, WORLDS_MS, check_silence, talker, NULL, NULL), 0);
}

static void pause_body(void)
{
    begin_source(&push_ops);
    server.on_made = pause_reading;
    client.on_made = speak_and_go;
    (void)connect_client();
    run_and_end();
    heard(server.last, "words");
    CU_ASSERT_EQUAL(server.last->reason, SOLO_ECONNDONE);
}

static void test_producer__a_transport_that_is_paused_reads_nothing(void)
{
    worlds_run(pause_body);
}

static void lose_while_paused(struct talker *talker)
{
    slow_reader(talker);
    say(talker, "bye");
    lose(talker);
}

static void lose_paused_body(void)
{
    begin_source(&push_ops);
    server.on_made = lose_while_paused;
    (void)connect_client();
    run_and_end();
    heard(client.last, "bye");
    CU_ASSERT_EQUAL(server.last->reason, SOLO_ECONNDONE);
}

static void test_producer__a_transport_that_is_paused_can_be_lost(void)
{
    worlds_run(lose_paused_body);
}

void suite_producer(void)
{
    SOLO_SUITE("producer");
    SOLO_TEST(test_producer__a_push_producer_is_paused_above_the_mark_and_loses_nothing);
    SOLO_TEST(test_producer__the_mark_can_be_set_and_holds_at_registration);
    SOLO_TEST(test_producer__a_pull_producer_is_asked_again_when_all_has_left);
    SOLO_TEST(test_producer__losing_the_connection_waits_for_the_producer);
    SOLO_TEST(test_producer__one_that_is_always_ready_starves_nobody);
    SOLO_TEST(test_producer__when_the_connection_is_lost_it_is_stopped_first);
    SOLO_TEST(test_producer__it_is_stopped_when_the_other_side_closes);
    SOLO_TEST(test_producer__it_is_stopped_when_the_reactor_ends);
    SOLO_TEST(test_producer__a_transport_that_is_paused_reads_nothing);
    SOLO_TEST(test_producer__a_transport_that_is_paused_can_be_lost);
}
