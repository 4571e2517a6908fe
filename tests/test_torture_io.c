/*
 * test_torture_io.c - datagrams, pumps, clients that come back, half-closed and limited connections while each request
 * for memory in turn is refused, and what the network needs as well: what was accepted ends once, and nothing leaks.
 */
#include "refusing_world.h"
#include "talkers.h"

/* 0, or refused for want of memory: nothing else. */
static bool took(int status)
{
    CU_ASSERT_TRUE(status == 0 || status == -ENOMEM);
    return status == 0;
}

static bool begin_reactor(void)
{
    reactor = NULL;
    talker_count = 0;
    memset(&server, 0, sizeof server);
    memset(&client, 0, sizeof client);
    server.name = 's';
    client.name = 'c';
    server.factory = client.factory = (struct solo_factory){build, connection_failed, stopped};
    return took(solo_reactor_create(NULL, &reactor));
}

static void turn(unsigned passes)
{
    for (unsigned i = 0; i < passes; i++) {
        CU_ASSERT_EQUAL(solo_reactor_iterate(reactor, 0), 0);
    }
}

/* ---- Datagrams ---- */

static unsigned datagrams_stopped;

static void datagram_stopped(struct solo_datagram_protocol *protocol)
{
    (void)protocol;
    datagrams_stopped++;
}

static void datagram_body(void)
{
    static const struct solo_datagram_ops ops = {.stopped = datagram_stopped};
    struct solo_datagram_protocol one = {&ops, NULL}, two = {&ops, NULL};
    struct solo_address at = {0};
    unsigned opened = 0;
    datagrams_stopped = 0;
    if (!begin_reactor()) {
        return;
    }
    if (took(solo_reactor_listen_udp(reactor, 0, &one, NULL))) {
        opened++;
        CU_ASSERT_EQUAL(solo_datagram_get_address(one.port, &at), 0);
        if (took(solo_reactor_listen_udp(reactor, 0, &two, NULL))) {
            opened++;
            CU_ASSERT_EQUAL(solo_datagram_write(two.port, "x", 1, &at), 0);
            turn(3);
            CU_ASSERT_EQUAL(solo_datagram_stop_listening(two.port), 0);
        }
    }
    turn(2);
    worlds_destroy(reactor);
    CU_ASSERT_EQUAL(datagrams_stopped, opened);
}

static void test_torture_io__a_datagram_port_that_was_opened_is_stopped_once(void)
{
    CU_ASSERT_TRUE(refusing_run(datagram_body, REFUSE_NETWORK | REFUSE_FOR_GOOD) >= 5);
}

/* ---- In memory ---- */

static void write_if_possible(struct talker *talker)
{
    if (took(solo_transport_write(talker->protocol.transport, "question", 8))) {
        talker->reason = 1;
    }
}

static void answer_if_possible(struct talker *talker, const char *data, size_t size)
{
    (void)took(solo_transport_write(talker->protocol.transport, data, size));
}

static void pump_body(void)
{
    struct solo_pump *pump = NULL;
    if (!begin_reactor()) {
        return;
    }
    client.on_made = write_if_possible;
    server.on_data = answer_if_possible;
    (void)build(&client.factory);
    (void)build(&server.factory);
    if (took(solo_pump_create(reactor, &client.last->protocol, &server.last->protocol, &pump))) {
        CU_ASSERT_EQUAL(client.open + server.open, 2);
        bool was_written = client.last->reason == 1;
        CU_ASSERT_EQUAL(solo_pump_flush(pump, 3), 0);
        CU_ASSERT_EQUAL(server.last->received, was_written ? 8 : 0);
        CU_ASSERT_EQUAL(solo_transport_lose_connection(client.last->protocol.transport), 0);
        CU_ASSERT_EQUAL(solo_pump_flush(pump, 3), 0);
        turn(1);
        CU_ASSERT_EQUAL(client.lost + server.lost, 2);
        CU_ASSERT_EQUAL(solo_pump_destroy(pump), 0);
    } else {
        CU_ASSERT_EQUAL(client.open + server.open, 0);
    }
    worlds_destroy(reactor);
}

static void test_torture_io__a_pump_connects_both_or_none(void)
{
    CU_ASSERT_TRUE(refusing_run(pump_body, REFUSE_FOR_GOOD) >= 5);
}

/* ---- Coming back ---- */

static void stop_from_here(struct solo_factory *factory)
{
    stopped(factory);
    stop_now();
}

static void reconnector_body(void)
{
    const struct solo_reconnect_options options = {
        .delay_ns = WORLDS_MS, .failures_max = 3, .timeout_ns = SOLO_NEVER / 2};
    struct solo_address nobody = {.family = SOLO_INET, .host = SOLO_LOOPBACK, .port = 1};
    if (!begin_reactor()) {
        return;
    }
    client.factory.stopped = stop_from_here;
    bool accepted = took(solo_reactor_connect_retrying(reactor, &nobody, &options, &client.factory, NULL));
    if (accepted) {
        CU_ASSERT_EQUAL(solo_reactor_run(reactor), 0);
    }
    worlds_destroy(reactor);
    CU_ASSERT_EQUAL(client.stopped, accepted ? 1 : 0);
    CU_ASSERT_TRUE(!accepted || (client.failed >= 1 && client.failed <= 3));
    CU_ASSERT_TRUE(!accepted || client.failure == -ECONNREFUSED || client.failure == -ENOMEM);
}

static void test_torture_io__a_client_that_cannot_come_back_says_so_and_ends(void)
{
    CU_ASSERT_TRUE(refusing_run(reconnector_body, REFUSE_NETWORK | REFUSE_FOR_GOOD) >= 10);
}

/* ---- Halves, producers and limits ---- */

static void pause_or_stop(struct solo_producer *producer)
{
    (void)producer;
}

static const struct solo_producer_ops idle = {pause_or_stop, pause_or_stop, pause_or_stop};
static struct solo_producer producers[2];

static void pause_and_write(struct talker *talker)
{
    struct solo_transport *transport = talker->protocol.transport;
    producers[0].ops = &idle;
    CU_ASSERT_EQUAL(solo_transport_pause_producing(transport), 0);
    CU_ASSERT_EQUAL(solo_transport_register_producer(transport, &producers[0], SOLO_PUSH), 0);
    (void)took(solo_transport_write(transport, "some words", 10));
    CU_ASSERT_EQUAL(solo_transport_unregister_producer(transport), 0);
    CU_ASSERT_EQUAL(solo_transport_lose_write_connection(transport), 0);
    if (!took(solo_transport_resume_producing(transport))) {
        CU_ASSERT_EQUAL(solo_transport_abort_connection(transport), 0);
    }
}

static void lose_when_heard(struct talker *talker, const char *data, size_t size)
{
    (void)data;
    (void)size;
    lose(talker);
}

static void limited_body(void)
{
    const struct solo_connect_options options = {.timeout_ns = SOLO_NEVER / 2};
    struct solo_address at = {0};
    bool listening = false, connecting = false;
    if (!begin_reactor()) {
        return;
    }
    client.on_made = pause_and_write;
    server.on_data = lose_when_heard;
    listening = took(solo_reactor_listen_tcp(reactor, 0, &server.factory, &port));
    if (listening) {
        CU_ASSERT_EQUAL(solo_port_get_address(port, &at), 0);
        connecting = took(solo_reactor_connect(reactor, &at, &options, &client.factory, NULL));
    }
    for (int i = 0; i < 1000 && connecting && client.stopped == 0; i++) {
        turn(1);
    }
    worlds_destroy(reactor);
    CU_ASSERT_EQUAL(client.stopped, connecting ? 1 : 0);
    CU_ASSERT_EQUAL(server.stopped, listening ? 1 : 0);
    CU_ASSERT_EQUAL(client.open + server.open, 0);
    CU_ASSERT_EQUAL(client.lost, client.built);
    CU_ASSERT_EQUAL(server.lost, server.built);
}

static void test_torture_io__whatever_is_refused_every_connection_ends_once(void)
{
    CU_ASSERT_TRUE(refusing_run(limited_body, REFUSE_NETWORK | REFUSE_FOR_GOOD) >= 8);
}

void suite_torture_io(void)
{
    SOLO_SUITE("torture_io");
    SOLO_TEST(test_torture_io__a_datagram_port_that_was_opened_is_stopped_once);
    SOLO_TEST(test_torture_io__a_pump_connects_both_or_none);
    SOLO_TEST(test_torture_io__a_client_that_cannot_come_back_says_so_and_ends);
    SOLO_TEST(test_torture_io__whatever_is_refused_every_connection_ends_once);
}
