/*
 * test_torture.c - connections, Deferreds and descriptors while each request for memory in turn is refused: what was
 * accepted is still ended once, and everything is given back.
 *
 * The same for calls, triggers, jobs and workers is in the suites shutdown, pool and worker.
 */
#include "refusing_world.h"

static struct solo_reactor *reactor;

/* Whether it was accepted; if not, it was for want of memory. */
static bool took(int status)
{
    CU_ASSERT_TRUE(status == 0 || status == -ENOMEM);
    return status == 0;
}

static bool begin(void)
{
    struct solo_reactor_options options = {.pool_max = 2};
    reactor = NULL;
    bool made = took(solo_reactor_create(&options, &reactor));
    CU_ASSERT_EQUAL(made, reactor != NULL);
    return made;
}

static void run_and_end(bool something_stops_it)
{
    if (something_stops_it) {
        CU_ASSERT_EQUAL(solo_reactor_run(reactor), 0);
    }
    worlds_destroy(reactor);
}

/* ---- Connections ---- */

enum { CLIENTS = 2, TALKERS_MAX = 2 * CLIENTS };
static const size_t block_sizes[] = {100, 5000, 80000, 300000}; /* more than world sim's network holds */
enum { BLOCKS = sizeof block_sizes / sizeof block_sizes[0], BLOCK_MAX = 300000, OS_DIVISOR = 10 };

/* One end of a connection. */
struct talker {
    struct solo_protocol protocol;
    bool serves;
    unsigned made, lost;
    int reason;             /* of connection_lost */
    size_t sent, received;  /* bytes that write accepted, bytes that came */
    struct talker *partner; /* of a server: who said the first byte */
    bool answered;
};

struct side {
    struct solo_factory factory;
    bool serves;
    unsigned failed, stopped;
};

static struct {
    struct side server, client;
    struct talker talkers[TALKERS_MAX];
    unsigned built;
    unsigned connecting; /* attempts that were accepted */
} tcp;

/* Byte 0 says which talker it comes from. */
static char byte_at(const struct talker *talker, size_t position)
{
    return position == 0 ? (char)(talker - tcp.talkers) : (char)(position * 131 + position / 509);
}

/* Writes more and more, so that what waits to be sent outgrows its memory several times. */
static void write_all(struct talker *talker)
{
    static char block[BLOCK_MAX];
    for (int i = 0; i < BLOCKS; i++) {
        size_t size = worlds.sim != NULL ? block_sizes[i] : block_sizes[i] / OS_DIVISOR;
        for (size_t at = 0; at < size; at++) {
            block[at] = byte_at(talker, talker->sent + at);
        }
        int status = solo_transport_write(talker->protocol.transport, block, size);
        if (status == SOLO_ECLOSING) { /* a server that was refused its memory has closed, and a write has met it */
            CU_ASSERT_TRUE(refusing_has_refused());
            return;
        }
        if (took(status)) {
            talker->sent += size;
        }
    }
    if (talker->sent == 0) { /* the server would wait for ever */
        CU_ASSERT_EQUAL(solo_transport_lose_connection(talker->protocol.transport), 0);
    }
}

/* Thanks for everything that the client wrote, and hangs up. */
static void answer(struct talker *talker)
{
    struct solo_transport *transport = talker->protocol.transport;
    talker->answered = took(solo_transport_write(transport, "thanks", 6));
    if (talker->answered) {
        CU_ASSERT_EQUAL(solo_transport_lose_connection(transport), 0);
    } else {
        CU_ASSERT_EQUAL(solo_transport_abort_connection(transport), 0);
    }
}

static void made(struct solo_protocol *protocol)
{
    struct talker *talker = (struct talker *)protocol;
    CU_ASSERT_EQUAL(talker->made++, 0);
    if (!talker->serves) {
        write_all(talker);
    }
}

static void check_bytes(struct talker *talker, const char *data, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        if (data[i] != byte_at(talker->partner, talker->received + i)) {
            CU_FAIL("a byte is wrong, missing or twice");
            return;
        }
    }
}

static void received(struct solo_protocol *protocol, const void *data, size_t size)
{
    struct talker *talker = (struct talker *)protocol;
    CU_ASSERT_TRUE_FATAL(size > 0 && talker->made == 1 && talker->lost == 0);
    if (talker->serves && talker->received == 0) {
        CU_ASSERT_TRUE_FATAL(*(const unsigned char *)data < tcp.built);
        talker->partner = &tcp.talkers[*(const unsigned char *)data];
    }
    if (talker->serves) {
        check_bytes(talker, data, size);
    }
    talker->received += size;
    if (talker->serves && talker->received == talker->partner->sent) {
        answer(talker);
    }
}

static void lost(struct solo_protocol *protocol, int reason)
{
    struct talker *talker = (struct talker *)protocol;
    CU_ASSERT_EQUAL(talker->made, 1);
    CU_ASSERT_EQUAL(talker->lost++, 0);
    talker->reason = reason;
}

static struct solo_protocol *build(struct solo_factory *factory)
{
    static const struct solo_protocol_ops ops = {made, received, lost};
    CU_ASSERT_TRUE_FATAL(tcp.built < TALKERS_MAX);
    struct talker *talker = &tcp.talkers[tcp.built++];
    talker->protocol.ops = &ops;
    talker->serves = ((struct side *)factory)->serves;
    return &talker->protocol;
}

static void connection_failed(struct solo_factory *factory, int reason)
{
    CU_ASSERT_TRUE(reason == -ENOMEM || reason == -ECONNRESET); /* the client's memory, or the server's */
    CU_ASSERT_TRUE(refusing_has_refused());
    ((struct side *)factory)->failed++;
}

static void stopped(struct solo_factory *factory)
{
    struct side *side = (struct side *)factory;
    side->stopped++;
    if (!side->serves && side->stopped == tcp.connecting) {
        CU_ASSERT_EQUAL(solo_reactor_stop(reactor), 0); /* takes no memory */
    }
}

/* The accepted attempts that a client's side heard of, in either way. */
static unsigned clients_ended(void)
{
    unsigned ended = tcp.client.failed;
    for (unsigned i = 0; i < tcp.built; i++) {
        ended += !tcp.talkers[i].serves && tcp.talkers[i].lost == 1;
    }
    return ended;
}

static void check_talkers(void)
{
    unsigned answered = 0;
    for (unsigned i = 0; i < tcp.built; i++) {
        const struct talker *talker = &tcp.talkers[i];
        CU_ASSERT_EQUAL(talker->made, 1);
        CU_ASSERT_EQUAL(talker->lost, 1);
        answered += talker->answered;
        if (talker->answered) { /* nothing that was accepted between these two is lost */
            CU_ASSERT_EQUAL(talker->reason, SOLO_ECONNDONE);
            CU_ASSERT_EQUAL(talker->partner->received, 6);
            CU_ASSERT_EQUAL(talker->partner->reason, SOLO_ECONNDONE);
        }
    }
    CU_ASSERT_TRUE(answered == CLIENTS || refusing_has_refused());
}

static void tcp_body(void)
{
    struct solo_port *port = NULL;
    uint16_t number = 0;
    memset(&tcp, 0, sizeof tcp);
    tcp.server.factory = tcp.client.factory = (struct solo_factory){build, connection_failed, stopped};
    tcp.server.serves = true;
    if (!begin()) {
        return;
    }
    bool listens = took(solo_reactor_listen_tcp(reactor, 0, &tcp.server.factory, &port));
    CU_ASSERT_EQUAL(listens, port != NULL);
    if (listens) {
        CU_ASSERT_EQUAL(solo_port_get_number(port, &number), 0);
    }
    for (int i = 0; i < CLIENTS && listens; i++) {
        struct solo_connector *connector = NULL;
        bool connects = took(solo_reactor_connect_tcp(reactor, "127.0.0.1", number, &tcp.client.factory, &connector));
        CU_ASSERT_EQUAL(connects, connector != NULL);
        tcp.connecting += connects;
    }
    run_and_end(tcp.connecting > 0);
    CU_ASSERT_EQUAL(tcp.server.stopped, listens);
    CU_ASSERT_EQUAL(tcp.client.stopped, tcp.connecting);
    CU_ASSERT_EQUAL(clients_ended(), tcp.connecting);
    check_talkers();
}

static void test_torture__whichever_allocation_is_refused_every_connection_is_lost_once(void)
{
    unsigned requests = refusing_run(tcp_body, REFUSE_FOR_GOOD);
    CU_ASSERT_TRUE(requests >= 2 + 1 + CLIENTS * (2 + 1 + BLOCKS + 1)); /* each thing, and its memory for writing */
}

static void test_torture__whatever_the_network_refuses_every_connection_is_lost_once(void)
{
    CU_ASSERT_TRUE(refusing_run(tcp_body, REFUSE_NETWORK | REFUSE_PAIRS) > 20);
}

/* ---- Descriptors ---- */

static struct {
    int ends[2];
    bool reads;
    unsigned reads_seen, writes_seen;
} descriptor;

static void stop_if_seen(void)
{
    if (descriptor.writes_seen > 0 && (!descriptor.reads || descriptor.reads_seen > 0)) {
        CU_ASSERT_EQUAL(solo_reactor_stop(reactor), 0);
    }
}

static void read_byte(int fd, void *arg)
{
    char byte = 0;
    (void)arg;
    CU_ASSERT_EQUAL(solo_stream_read(fd, &byte, 1), 1);
    CU_ASSERT_EQUAL(byte, 'x');
    CU_ASSERT_EQUAL(solo_reactor_remove_reader(reactor, fd), 0);
    descriptor.reads_seen++;
    stop_if_seen();
}

static void write_byte(int fd, void *arg)
{
    (void)arg;
    CU_ASSERT_EQUAL(solo_stream_write(fd, "x", 1), 1);
    CU_ASSERT_EQUAL(solo_reactor_remove_writer(reactor, fd), 0);
    descriptor.writes_seen++;
    stop_if_seen();
}

static void descriptor_body(void)
{
    memset(&descriptor, 0, sizeof descriptor);
    if (!begin()) {
        return;
    }
    CU_ASSERT_EQUAL(solo_stream_pair(descriptor.ends), 0);
    descriptor.reads = took(solo_reactor_add_reader(reactor, descriptor.ends[0], read_byte, NULL));
    bool writes = took(solo_reactor_add_writer(reactor, descriptor.ends[1], write_byte, NULL));
    if (!descriptor.reads) {
        CU_ASSERT_EQUAL(solo_reactor_remove_reader(reactor, descriptor.ends[0]), -ENOENT);
    }
    run_and_end(writes);
    CU_ASSERT_EQUAL(descriptor.writes_seen, writes);
    CU_ASSERT_EQUAL(descriptor.reads_seen, writes && descriptor.reads);
    CU_ASSERT_EQUAL(solo_stream_close(descriptor.ends[0]), 0);
    CU_ASSERT_EQUAL(solo_stream_close(descriptor.ends[1]), 0);
}

static void test_torture__whichever_allocation_is_refused_a_descriptor_is_watched_or_not(void)
{
    CU_ASSERT_TRUE(refusing_run(descriptor_body, REFUSE_NETWORK | REFUSE_FOR_GOOD | REFUSE_PAIRS) >= 7);
}

/* ---- Deferreds ---- */

static unsigned pairs_added, pairs_called; /* callbacks that were accepted, and those that had their turn */
static struct solo_deferred *inner_to_fire;

static struct solo_deferred *make(void)
{
    struct solo_deferred *deferred = NULL;
    CU_ASSERT_EQUAL(took(solo_deferred_create(reactor, NULL, NULL, &deferred)), deferred != NULL);
    return deferred;
}

static bool add(struct solo_deferred *deferred, solo_callback_fn fn)
{
    bool added = took(solo_deferred_add(deferred, fn, fn, NULL));
    pairs_added += added;
    return added;
}

static struct solo_result pass_on(struct solo_result result, void *arg)
{
    (void)arg;
    pairs_called++;
    return result;
}

static struct solo_result handle(struct solo_result result, void *arg)
{
    (void)arg;
    pairs_called++;
    CU_ASSERT_TRUE(took(result.status) || result.value == NULL);
    return solo_value(NULL);
}

/* Goes on with the result of another one, which has it already. */
static struct solo_result wait_for_fired(struct solo_result result, void *arg)
{
    (void)arg;
    pairs_called++;
    struct solo_deferred *inner = result.status < 0 ? NULL : make();
    if (inner == NULL) {
        return result.status < 0 ? result : solo_failure(-ENOMEM);
    }
    (void)add(inner, pass_on);
    CU_ASSERT_EQUAL(solo_deferred_fire(inner, result), 0);
    (void)add(inner, pass_on);
    return solo_wait_for(inner);
}

/* Goes on with the result of another one, which will have it later. */
static struct solo_result wait_for_unfired(struct solo_result result, void *arg)
{
    (void)arg;
    pairs_called++;
    inner_to_fire = result.status < 0 ? NULL : make();
    if (inner_to_fire == NULL) {
        return result.status < 0 ? result : solo_failure(-ENOMEM);
    }
    (void)add(inner_to_fire, pass_on);
    return solo_wait_for(inner_to_fire);
}

static void fire(struct solo_deferred *deferred)
{
    CU_ASSERT_EQUAL(solo_deferred_fire(deferred, solo_value("v")), 0);
}

enum { ROOM = 10 };

static void deferred_body(void)
{
    bool ended = false;
    pairs_added = pairs_called = 0;
    inner_to_fire = NULL;
    if (!begin()) {
        return;
    }
    struct solo_deferred *outer = make();
    if (outer != NULL) {
        for (int i = 0; i < ROOM - 2; i++) { /* it comes with room for these, and two more */
            CU_ASSERT_EQUAL(solo_deferred_add(outer, NULL, NULL, NULL), 0);
        }
        (void)add(outer, wait_for_fired);
        (void)add(outer, wait_for_unfired);
        if (add(outer, handle)) {
            fire(outer);
        } else { /* a failure would have nobody to handle it */
            CU_ASSERT_EQUAL(solo_deferred_cancel(outer), 0);
        }
        if (inner_to_fire != NULL) {
            fire(inner_to_fire);
        }
        CU_ASSERT_EQUAL(solo_deferred_has_result(outer, &ended, NULL), 0);
        CU_ASSERT_TRUE(ended);
        CU_ASSERT_EQUAL(solo_deferred_release(outer), 0);
    }
    run_and_end(false);
    CU_ASSERT_EQUAL(pairs_called, pairs_added);
}

static void test_torture__whichever_allocation_is_refused_each_callback_has_its_turn_once(void)
{
    CU_ASSERT_EQUAL(refusing_run(deferred_body, REFUSE_FOR_GOOD | REFUSE_PAIRS), 2 + 1 + 1 + 1 + 1);
}

/* ---- Deferred to a thread ---- */

enum { JOBS = 3 };
static unsigned jobs_accepted, jobs_unfinished;
static unsigned jobs_run; /* atomic */

static struct solo_result work(void *arg)
{
    __atomic_add_fetch(&jobs_run, 1, __ATOMIC_RELAXED);
    return solo_value(arg);
}

static struct solo_deferred *defer(void)
{
    struct solo_deferred *deferred = NULL;
    bool accepted = took(solo_defer_to_thread(reactor, work, NULL, &deferred));
    CU_ASSERT_EQUAL(accepted, deferred != NULL);
    jobs_accepted += accepted;
    return deferred;
}

/* Goes on with the result of another job. */
static struct solo_result wait_for_another(struct solo_result result, void *arg)
{
    (void)arg;
    pairs_called++;
    struct solo_deferred *another = result.status < 0 ? NULL : defer();
    if (another == NULL) {
        return result.status < 0 ? result : solo_failure(-ENOMEM);
    }
    (void)add(another, pass_on);
    return solo_wait_for(another);
}

static struct solo_result finish(struct solo_result result, void *arg)
{
    if (--jobs_unfinished == 0) {
        CU_ASSERT_EQUAL(solo_reactor_stop(reactor), 0); /* takes no memory */
    }
    return handle(result, arg);
}

/* A job, and a callback that hears of its end; without that one nobody wants its result. */
static void begin_job(void)
{
    struct solo_deferred *deferred = defer();
    if (deferred == NULL) {
        return;
    }
    (void)add(deferred, wait_for_another);
    if (add(deferred, finish)) {
        jobs_unfinished++;
    } else {
        CU_ASSERT_EQUAL(solo_deferred_cancel(deferred), 0);
    }
    CU_ASSERT_EQUAL(solo_deferred_release(deferred), 0);
}

static void defer_body(void)
{
    pairs_added = pairs_called = jobs_accepted = jobs_unfinished = jobs_run = 0;
    if (!begin()) {
        return;
    }
    for (int i = 0; i < JOBS; i++) {
        begin_job();
    }
    run_and_end(jobs_unfinished > 0);
    CU_ASSERT_EQUAL(jobs_unfinished, 0);
    CU_ASSERT_EQUAL(pairs_called, pairs_added);
    CU_ASSERT_TRUE(jobs_run <= jobs_accepted);
}

static void test_torture__whichever_allocation_is_refused_each_deferred_job_ends_once(void)
{
    unsigned requests = refusing_run(defer_body, REFUSE_FOR_GOOD | REFUSE_PAIRS);
    CU_ASSERT_TRUE(requests >= 2 + 1 + JOBS * (2 + 2)); /* jobs and their Deferreds; and a worker */
}

/* ---- The refusing world itself ---- */

static unsigned runs;

/* Three requests, of which the last one is made only if the first two are granted. */
static void three_requests(void)
{
    struct solo_world *world = solo_world_current();
    void *first = world->memory->allocate(world, 8), *second = world->memory->allocate(world, 8), *third = NULL;
    if (first != NULL && second != NULL) {
        third = world->memory->allocate(world, 8);
    }
    unsigned refused = (first == NULL) + (second == NULL) + (first != NULL && second != NULL && third == NULL);
    CU_ASSERT_TRUE(refused <= 1 || refusing.for_good || refusing.second != 0);
    world->memory->release(world, third);
    world->memory->release(world, second);
    world->memory->release(world, first);
    runs += refused > 0;
}

static void test_torture__each_request_is_refused_in_its_turn_and_no_table_is_left_replaced(void)
{
    const struct solo_world before = *solo_world_os();
    runs = 0;
    CU_ASSERT_EQUAL(refusing_run(three_requests, REFUSE_NETWORK), 3);
    CU_ASSERT_EQUAL(runs, 3 * (1 + 1 + REFUSING_SEEDS + 1)); /* in os, in sim, on the token carrier */
    CU_ASSERT_EQUAL(memcmp(&before, solo_world_os(), sizeof before), 0);
}

void suite_torture(void);
void suite_torture(void)
{
    SOLO_SUITE("torture");
    SOLO_TEST(test_torture__whichever_allocation_is_refused_every_connection_is_lost_once);
    SOLO_TEST(test_torture__whatever_the_network_refuses_every_connection_is_lost_once);
    SOLO_TEST(test_torture__whichever_allocation_is_refused_a_descriptor_is_watched_or_not);
    SOLO_TEST(test_torture__whichever_allocation_is_refused_each_callback_has_its_turn_once);
    SOLO_TEST(test_torture__whichever_allocation_is_refused_each_deferred_job_ends_once);
    SOLO_TEST(test_torture__each_request_is_refused_in_its_turn_and_no_table_is_left_replaced);
}
