/* test_datagram.c - UDP in both worlds. */
#include "worlds.h"

/* One end, and what it hears. */
struct ear {
    struct solo_datagram_protocol protocol;
    struct solo_address at, last_from;
    unsigned heard, refused, stopped;
    char text[64];
    bool echoes;
    unsigned stops_at; /* 0: never */
};

static struct solo_reactor *reactor;
static struct ear one, two;

static void received(struct solo_datagram_protocol *protocol, const void *data, size_t size,
                     const struct solo_address *from)
{
    struct ear *ear = (struct ear *)protocol;
    CU_ASSERT_EQUAL(ear->stopped, 0);
    (void)snprintf(ear->text + strlen(ear->text), sizeof ear->text - strlen(ear->text), "%.*s|", (int)size,
                   (const char *)data);
    ear->last_from = *from;
    ear->heard++;
    if (ear->echoes) {
        CU_ASSERT_EQUAL(solo_datagram_write(protocol->port, data, size, from), 0);
    }
    if (ear->heard == ear->stops_at) {
        CU_ASSERT_EQUAL(solo_reactor_stop(reactor), 0);
    }
}

static void refused(struct solo_datagram_protocol *protocol)
{
    struct ear *ear = (struct ear *)protocol;
    ear->refused++;
    CU_ASSERT_EQUAL(solo_reactor_stop(reactor), 0);
}

static void stopped(struct solo_datagram_protocol *protocol)
{
    struct ear *ear = (struct ear *)protocol;
    ear->stopped++;
}

static const struct solo_datagram_ops ops = {received, refused, stopped};

static void open_ear(struct ear *ear, const struct solo_address *remote)
{
    const struct solo_address local = {.family = SOLO_INET, .host = SOLO_LOOPBACK};
    memset(ear, 0, sizeof *ear);
    ear->protocol.ops = &ops;
    CU_ASSERT_EQUAL_FATAL(solo_reactor_listen_datagram(reactor, &local, remote, &ear->protocol, NULL), 0);
    CU_ASSERT_EQUAL(solo_datagram_get_address(ear->protocol.port, &ear->at), 0);
    CU_ASSERT_TRUE(ear->at.port > 0);
}

static void begin(void)
{
    reactor = worlds_reactor();
    open_ear(&one, NULL);
}

static void run_and_end(void)
{
    CU_ASSERT_EQUAL(solo_reactor_run(reactor), 0);
    worlds_destroy(reactor);
    CU_ASSERT_EQUAL(one.stopped, 1);
    CU_ASSERT_EQUAL(two.stopped, 1);
}

static bool open_six(struct ear *ear, const struct solo_address *remote)
{
    struct solo_address local;
    CU_ASSERT_EQUAL(solo_address_inet6("::1", 0, &local), 0);
    memset(ear, 0, sizeof *ear);
    ear->protocol.ops = &ops;
    int error = solo_reactor_listen_datagram(reactor, &local, remote, &ear->protocol, NULL);
    if (error == -EADDRNOTAVAIL || error == -EAFNOSUPPORT) {
        CU_PASS("this machine has no IPv6");
        return false;
    }
    CU_ASSERT_EQUAL_FATAL(error, 0);
    CU_ASSERT_EQUAL(solo_datagram_get_address(ear->protocol.port, &ear->at), 0);
    CU_ASSERT_EQUAL(ear->at.family, SOLO_INET6);
    return true;
}

static void six_body(void)
{
    const struct solo_address four = {.family = SOLO_INET, .port = 9, .host = SOLO_LOOPBACK};
    reactor = worlds_reactor();
    if (!open_six(&one, NULL) || !open_six(&two, &one.at)) {
        worlds_destroy(reactor);
        return;
    }
    one.echoes = true;
    two.stops_at = 1;
    CU_ASSERT_EQUAL(solo_datagram_write(two.protocol.port, "six", 3, NULL), 0);
    CU_ASSERT_NOT_EQUAL(solo_datagram_write(one.protocol.port, "four", 4, &four), 0); /* it never speaks IPv4 */
    run_and_end();
    CU_ASSERT_STRING_EQUAL(one.text, "six|");
    CU_ASSERT_STRING_EQUAL(two.text, "six|");
    CU_ASSERT_EQUAL(one.last_from.family, SOLO_INET6);
    CU_ASSERT_EQUAL(one.last_from.port, two.at.port);
}

static void test_datagram__goes_over_ipv6(void)
{
    worlds_run(six_body);
}

static void talk_body(void)
{
    begin();
    open_ear(&two, NULL);
    one.echoes = true;
    two.stops_at = 3;
    CU_ASSERT_EQUAL(solo_datagram_write(two.protocol.port, "a", 1, &one.at), 0);
    CU_ASSERT_EQUAL(solo_datagram_write(two.protocol.port, "", 0, &one.at), 0);
    CU_ASSERT_EQUAL(solo_datagram_write(two.protocol.port, "bc", 2, &one.at), 0);
    run_and_end();
    CU_ASSERT_STRING_EQUAL(one.text, "a||bc|");
    CU_ASSERT_STRING_EQUAL(two.text, "a||bc|");
    CU_ASSERT_EQUAL(one.last_from.port, two.at.port);
    CU_ASSERT_EQUAL(two.last_from.port, one.at.port);
}

static void test_datagram__each_arrives_whole_and_says_from_whom(void)
{
    worlds_run(talk_body);
}

static void connected_body(void)
{
    struct ear stranger;
    begin();
    open_ear(&two, &one.at);
    open_ear(&stranger, NULL);
    one.echoes = true;
    two.stops_at = 1;
    CU_ASSERT_EQUAL(solo_datagram_write(stranger.protocol.port, "psst", 4, &two.at), 0);
    CU_ASSERT_EQUAL(solo_datagram_write(stranger.protocol.port, "lost", 4, NULL), -EDESTADDRREQ);
    CU_ASSERT_EQUAL(solo_datagram_write(two.protocol.port, "hi", 2, NULL), 0);
    run_and_end();
    CU_ASSERT_STRING_EQUAL(two.text, "hi|");
    CU_ASSERT_EQUAL(stranger.stopped, 1);
}

static void test_datagram__a_connected_port_hears_only_its_partner(void)
{
    worlds_run(connected_body);
}

static void refused_body(void)
{
    begin();
    open_ear(&two, &one.at);
    CU_ASSERT_EQUAL(solo_datagram_stop_listening(one.protocol.port), 0);
    CU_ASSERT_EQUAL(one.stopped, 0); /* in a later pass */
    CU_ASSERT_EQUAL(solo_datagram_stop_listening(one.protocol.port), SOLO_ECLOSED);
    CU_ASSERT_EQUAL(solo_datagram_write(one.protocol.port, "x", 1, &two.at), SOLO_ECLOSED);
    CU_ASSERT_EQUAL(solo_datagram_write(two.protocol.port, "anybody?", 8, NULL), 0);
    run_and_end();
    CU_ASSERT_EQUAL(two.refused, 1);
}

static void test_datagram__a_connected_port_hears_that_nobody_is_there(void)
{
    worlds_run(refused_body);
}

static void nonsense_body(void)
{
    const struct solo_address nowhere = {.family = SOLO_INET, .host = SOLO_LOOPBACK}, none = {0};
    const struct solo_address name = {.family = SOLO_UNIX, .path = "/tmp/x"};
    static char large[SOLO_DATAGRAM_MAX + 1];
    struct solo_datagram_port *port = NULL;
    begin();
    two.stopped = 1;
    CU_ASSERT_EQUAL(solo_reactor_listen_udp(reactor, one.at.port, &two.protocol, &port), -EADDRINUSE);
    CU_ASSERT_EQUAL(solo_reactor_listen_udp(reactor, 0, NULL, &port), -EINVAL);
    CU_ASSERT_EQUAL(solo_reactor_listen_datagram(reactor, NULL, NULL, &two.protocol, &port), -EINVAL);
    CU_ASSERT_EQUAL(solo_reactor_listen_datagram(reactor, &name, NULL, &two.protocol, &port), -EINVAL);
    CU_ASSERT_EQUAL(solo_reactor_listen_datagram(reactor, &none, NULL, &two.protocol, &port), -EINVAL);
    CU_ASSERT_PTR_NULL(port);
    CU_ASSERT_EQUAL(solo_datagram_write(one.protocol.port, NULL, 1, &one.at), -EINVAL);
    CU_ASSERT_EQUAL(solo_datagram_write(one.protocol.port, "x", 1, &nowhere), -EINVAL);
    CU_ASSERT_EQUAL(solo_datagram_write(one.protocol.port, "x", 1, &name), -EINVAL);
    CU_ASSERT_EQUAL(solo_datagram_write(one.protocol.port, large, sizeof large, &one.at), -EMSGSIZE);
    CU_ASSERT_EQUAL(solo_datagram_write(one.protocol.port, large, SOLO_DATAGRAM_MAX, &one.at), 0);
    CU_ASSERT_EQUAL(solo_datagram_get_address(one.protocol.port, NULL), -EINVAL);
    CU_ASSERT_EQUAL(solo_datagram_set_broadcast(one.protocol.port, true), 0);
    worlds_destroy(reactor);
}

static void test_datagram__nonsense_is_refused(void)
{
    worlds_run(nonsense_body);
}

static void stop_inside(struct solo_datagram_protocol *protocol, const void *data, size_t size,
                        const struct solo_address *from)
{
    received(protocol, data, size, from);
    CU_ASSERT_EQUAL(solo_datagram_stop_listening(protocol->port), 0);
}

static void stop_the_reactor(struct solo_datagram_protocol *protocol)
{
    stopped(protocol);
    CU_ASSERT_EQUAL(solo_reactor_stop(reactor), 0);
}

static void stop_inside_body(void)
{
    static const struct solo_datagram_ops stopping = {stop_inside, refused, stop_the_reactor};
    begin();
    open_ear(&two, NULL);
    one.protocol.ops = &stopping;
    CU_ASSERT_EQUAL(solo_datagram_write(two.protocol.port, "a", 1, &one.at), 0);
    CU_ASSERT_EQUAL(solo_datagram_write(two.protocol.port, "b", 1, &one.at), 0);
    run_and_end();
    CU_ASSERT_STRING_EQUAL(one.text, "a|"); /* none after it */
}

static void test_datagram__after_stop_listening_none_is_received(void)
{
    worlds_run(stop_inside_body);
}

static void silent_body(void)
{
    static const struct solo_datagram_ops deaf = {NULL, NULL, NULL};
    begin();
    open_ear(&two, NULL);
    one.protocol.ops = &deaf;
    two.stops_at = 1;
    CU_ASSERT_EQUAL(solo_datagram_write(two.protocol.port, "a", 1, &one.at), 0);
    CU_ASSERT_EQUAL(solo_datagram_write(one.protocol.port, "b", 1, &two.at), 0);
    CU_ASSERT_EQUAL(solo_reactor_run(reactor), 0);
    worlds_destroy(reactor);
    CU_ASSERT_STRING_EQUAL(two.text, "b|");
}

static void test_datagram__every_callback_is_optional(void)
{
    worlds_run(silent_body);
}

void suite_datagram(void)
{
    SOLO_SUITE("datagram");
    SOLO_TEST(test_datagram__goes_over_ipv6);
    SOLO_TEST(test_datagram__each_arrives_whole_and_says_from_whom);
    SOLO_TEST(test_datagram__a_connected_port_hears_only_its_partner);
    SOLO_TEST(test_datagram__a_connected_port_hears_that_nobody_is_there);
    SOLO_TEST(test_datagram__nonsense_is_refused);
    SOLO_TEST(test_datagram__after_stop_listening_none_is_received);
    SOLO_TEST(test_datagram__every_callback_is_optional);
}
