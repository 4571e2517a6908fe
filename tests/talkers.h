/*
 * talkers.h - a server and its clients in one reactor, over the loopback interface or the simulated network, for tests
 * of connections: protocols that note what happens to them, and factories that say what they do.
 */
#ifndef SOLO_TESTS_TALKERS_H
#define SOLO_TESTS_TALKERS_H

#include "worlds.h"

/* ---- A protocol that notes what happens to it ---- */

struct talker {
    struct solo_protocol protocol;
    char name;  /* noted with M (made), L (lost) */
    int reason; /* of connection_lost */
    unsigned losses;
    size_t received;
    char text[4096]; /* the first bytes received */
    struct side *side;
};

/* A factory that makes one kind of talker, and what its talkers do. */
struct side {
    struct solo_factory factory;
    char name;
    struct talker *last;
    unsigned built, open, lost, stopped, failed;
    int failure;
    bool unwanted; /* build_protocol returns NULL */
    void (*on_made)(struct talker *talker);
    void (*on_data)(struct talker *talker, const char *data, size_t size);
    void (*on_lost)(struct talker *talker);
};

static struct solo_reactor *reactor;
static struct side server, client;
static struct talker talkers[256];
static unsigned talker_count;
static struct solo_port *port;
static uint16_t port_number;

static inline void stop_now(void)
{
    CU_ASSERT_EQUAL(solo_reactor_stop(reactor), 0);
}

static inline void made(struct solo_protocol *protocol)
{
    struct talker *talker = (struct talker *)protocol;
    CU_ASSERT_EQUAL(talker->losses, 0);
    talker->side->open++;
    if (talker->side->on_made != NULL) {
        talker->side->on_made(talker);
    }
}

static inline void received(struct solo_protocol *protocol, const void *data, size_t size)
{
    struct talker *talker = (struct talker *)protocol;
    CU_ASSERT_EQUAL(talker->losses, 0); /* connection_lost is the last call */
    CU_ASSERT_TRUE(size > 0);
    for (size_t i = 0; i < size && talker->received + i < sizeof talker->text - 1; i++) {
        talker->text[talker->received + i] = ((const char *)data)[i];
    }
    talker->received += size;
    if (talker->side->on_data != NULL) {
        talker->side->on_data(talker, data, size);
    }
}

static inline void lost(struct solo_protocol *protocol, int reason)
{
    struct talker *talker = (struct talker *)protocol;
    talker->losses++;
    talker->reason = reason;
    CU_ASSERT_EQUAL(talker->losses, 1);
    talker->side->open--;
    talker->side->lost++;
    if (talker->side->on_lost != NULL) {
        talker->side->on_lost(talker);
    }
}

static const struct solo_protocol_ops talker_ops = {made, received, lost};

static inline struct solo_protocol *build(struct solo_factory *factory)
{
    struct side *side = (struct side *)factory;
    if (side->unwanted) {
        note('N');
        return NULL;
    }
    CU_ASSERT_TRUE_FATAL(talker_count < 256);
    struct talker *talker = &talkers[talker_count++];
    memset(talker, 0, sizeof *talker);
    talker->protocol.ops = &talker_ops;
    talker->side = side;
    talker->name = side->name;
    side->last = talker;
    side->built++;
    return &talker->protocol;
}

static inline void connection_failed(struct solo_factory *factory, int reason)
{
    struct side *side = (struct side *)factory;
    note('F');
    side->failed++;
    side->failure = reason;
}

static inline void stopped(struct solo_factory *factory)
{
    struct side *side = (struct side *)factory;
    note(side->name == 's' ? 'S' : 'C');
    side->stopped++;
}

static inline void begin(void)
{
    reactor = worlds_reactor();
    memset(&server, 0, sizeof server);
    memset(&client, 0, sizeof client);
    server.name = 's';
    client.name = 'c';
    server.factory = client.factory = (struct solo_factory){build, connection_failed, stopped};
    talker_count = 0;
    port = NULL;
    CU_ASSERT_EQUAL(solo_reactor_listen_tcp(reactor, 0, &server.factory, &port), 0);
    CU_ASSERT_EQUAL(solo_port_get_number(port, &port_number), 0);
    CU_ASSERT_TRUE(port_number > 0);
}

static inline struct solo_connector *connect_client(void)
{
    struct solo_connector *connector = NULL;
    CU_ASSERT_EQUAL(solo_reactor_connect_tcp(reactor, "127.0.0.1", port_number, &client.factory, &connector), 0);
    return connector;
}

static inline void run_and_end(void)
{
    CU_ASSERT_EQUAL(solo_reactor_run(reactor), 0);
    worlds_destroy(reactor);
    CU_ASSERT_EQUAL(server.open, 0); /* every connection that was made was lost */
    CU_ASSERT_EQUAL(client.open, 0);
    CU_ASSERT_EQUAL(server.stopped, 1);
}

static inline void say(struct talker *talker, const char *text)
{
    CU_ASSERT_EQUAL(solo_transport_write(talker->protocol.transport, text, strlen(text)), 0);
}

static inline void lose(struct talker *talker)
{
    CU_ASSERT_EQUAL(solo_transport_lose_connection(talker->protocol.transport), 0);
}

static inline void heard(const struct talker *talker, const char *text)
{
    CU_ASSERT_STRING_EQUAL(talker->text, text);
}

/* Stops once both sides have lost their connection. */
static inline void stop_when_both_lost(struct talker *talker)
{
    (void)talker;
    if (server.built > 0 && server.open == 0 && client.open == 0 && client.built > 0) {
        stop_now();
    }
}

#endif
