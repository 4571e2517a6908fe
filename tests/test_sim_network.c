/*
 * test_sim_network.c - what the simulated network and poll promise beyond the world's conformance suite
 * (test_world.c): numbers, limits, the backlog, what may be chosen, faults, and peers that come before their server.
 */
#include "runner.h"
#include "self.h"
#include <solo/sim.h>
#include <solo/thread.h>
#include <string.h>

enum { LOOPBACK = 0x7f000001, PORT = 8007, PIPE = 64 * 1024 };

/* ---- A simulation whose chooser is scripted ---- */

/* Takes option `take` of every choice of `kind`, option 0 of the others, and counts both. */
struct script {
    enum solo_choice_kind kind;
    size_t take;
    unsigned asked[SOLO_CHOICE_KINDS];
    uint32_t tags[64]; /* of the options of the last choice of that kind */
    size_t count;
};

static int script_begin(void *state, uint64_t seed)
{
    (void)state;
    (void)seed;
    return 0;
}

static size_t script_choose(void *state, const struct solo_choice *choice)
{
    struct script *script = state;
    script->asked[choice->kind]++;
    if (choice->kind != script->kind) {
        return 0;
    }
    script->count = choice->count;
    for (size_t i = 0; i < choice->count && i < 64; i++) {
        script->tags[i] = choice->options[i]->tag;
    }
    return script->take < choice->count ? script->take : choice->count - 1;
}

static struct script script;
static struct solo_world *world;
static const struct solo_network_table *network;

static void (*the_body)(void);

static void enter_body(void *arg)
{
    (void)arg;
    world = solo_world_current();
    network = world->network;
    the_body();
}

static int simulate_with(void (*body)(void), uint32_t faults_max)
{
    static const struct solo_strategy strategy = {.name = "script", .begin = script_begin, .choose = script_choose};
    struct solo_sim_options options = {.strategy = &strategy, .strategy_state = &script, .faults_max = faults_max};
    struct solo_sim *sim = NULL;
    CU_ASSERT_EQUAL_FATAL(solo_sim_create(&options, &sim), 0);
    memset(script.asked, 0, sizeof script.asked);
    the_body = body;
    int ending = solo_sim_run(sim, 1, enter_body, NULL);
    solo_sim_destroy(sim);
    return ending;
}

static void simulate(void (*body)(void))
{
    script.kind = SOLO_CHOICE_KINDS;
    CU_ASSERT_EQUAL(simulate_with(body, 0), SOLO_ENDING_RETURNED);
}

/* ---- Helpers inside ---- */

/* The calls as they are made most. */
static int open_listener(struct solo_world *in, uint32_t host, uint16_t port, int *ret_fd)
{
    const struct solo_address local = {.family = SOLO_INET, .port = port, .host = host};
    return in->network->open(in, SOLO_OPEN_LISTENER, &local, NULL, ret_fd);
}

static int open_stream(struct solo_world *in, uint32_t host, uint16_t port, int *ret_fd)
{
    const struct solo_address remote = {.family = SOLO_INET, .port = port, .host = host};
    return in->network->open(in, SOLO_OPEN_STREAM, NULL, &remote, ret_fd);
}

static uint16_t port_of(struct solo_world *in, int fd)
{
    struct solo_address local = {.family = SOLO_FAMILY_NONE};
    CU_ASSERT_EQUAL(in->network->query(in, fd, SOLO_QUERY_LOCAL, &local), 0);
    CU_ASSERT_EQUAL(local.family, SOLO_INET);
    return local.port;
}

static int listen_on(uint16_t port)
{
    int fd = -1;
    CU_ASSERT_EQUAL(open_listener(world, LOOPBACK, port, &fd), 0);
    return fd;
}

static int connect_to(uint16_t port)
{
    int fd = -1;
    CU_ASSERT_EQUAL(open_stream(world, LOOPBACK, port, &fd), 0);
    return fd;
}

static int accept_from(int listener)
{
    int fd = -1;
    CU_ASSERT_EQUAL(network->accept(world, listener, NULL, &fd), 0);
    return fd;
}

static int connected(int fd)
{
    return network->query(world, fd, SOLO_QUERY_CONNECTED, NULL);
}

static void pair(int fds[2])
{
    CU_ASSERT_EQUAL(network->pair(world, fds), 0);
}

/* As a pair, but over TCP, which has resets. */
static void tcp_pair(int fds[2])
{
    int listener = listen_on(PORT);
    fds[0] = connect_to(PORT);
    fds[1] = accept_from(listener);
    CU_ASSERT_EQUAL(network->close(world, listener, SOLO_CLOSE_WHOLE), 0);
}

static void put(int fd, const char *text)
{
    CU_ASSERT_EQUAL(network->write(world, fd, text, strlen(text), NULL), (ptrdiff_t)strlen(text));
}

/* Reads what one read gives and compares it. */
static void got(int fd, const char *text)
{
    char buffer[64] = "";
    CU_ASSERT_EQUAL(network->read(world, fd, buffer, sizeof buffer - 1, NULL), (ptrdiff_t)strlen(text));
    CU_ASSERT_STRING_EQUAL(buffer, text);
}

static ptrdiff_t read_byte(int fd)
{
    char byte;
    return network->read(world, fd, &byte, 1, NULL);
}

/* ---- Numbers ---- */

static void numbers_body(void)
{
    int fds[2];
    pair(fds);
    CU_ASSERT_EQUAL(fds[0], 3);
    CU_ASSERT_EQUAL(fds[1], 4);
    (void)network->close(world, 3, SOLO_CLOSE_WHOLE);
    (void)network->close(world, 4, SOLO_CLOSE_WHOLE);
    pair(fds);
    CU_ASSERT_EQUAL(fds[0], 5); /* never somebody else's */
    CU_ASSERT_EQUAL(read_byte(3), -EBADF);
    CU_ASSERT_EQUAL(network->write(world, 3, "x", 1, NULL), -EBADF);
    CU_ASSERT_EQUAL(connected(4), -EBADF);
    (void)network->close(world, 4, SOLO_CLOSE_WHOLE); /* closed already: nothing */
    CU_ASSERT_EQUAL(read_byte(-1), -EBADF);
    CU_ASSERT_EQUAL(read_byte(0), -EBADF);
    CU_ASSERT_EQUAL(read_byte(1000000), -EBADF);
}

static void test_sim_network__descriptors_start_at_3_and_are_never_given_twice(void)
{
    simulate(numbers_body);
    simulate(numbers_body); /* and start over in the next schedule */
}

static void many_numbers_body(void)
{
    int first[2], fds[2] = {-1, -1}, last = 0;
    pair(first);
    for (int i = 0; i < 40000; i++) { /* more than there are places, one of which stays taken */
        pair(fds);
        CU_ASSERT_FATAL(fds[0] > last && fds[1] > fds[0]);
        last = fds[1];
        CU_ASSERT_EQUAL(read_byte(fds[0] - 2), i > 0 ? -EBADF : -EAGAIN);
        (void)network->close(world, fds[0], SOLO_CLOSE_WHOLE);
        (void)network->close(world, fds[1], SOLO_CLOSE_WHOLE);
    }
    put(first[0], "hi");
    got(first[1], "hi");
}

static void test_sim_network__a_number_is_never_given_twice_however_many_there_were(void)
{
    simulate(many_numbers_body);
}

/* What a poller, asked without waiting, says of one descriptor. */
static uint32_t ready_now(struct solo_poller *poller)
{
    struct solo_ready ready = {0, 0};
    bool woken;
    return world->poll->wait(world, poller, 0, &ready, 1, &woken) == 1 ? ready.events : 0;
}

static void becomes_ready_body(void)
{
    int listener = listen_on(PORT), client = connect_to(PORT), server = accept_from(listener);
    static char block[PIPE];
    struct solo_poller *poller = NULL;
    CU_ASSERT_EQUAL_FATAL(world->poll->open(world, &poller), 0);
    CU_ASSERT_EQUAL(network->write(world, client, block, PIPE, NULL), PIPE);
    CU_ASSERT_EQUAL(world->poll->watch(world, poller, client, SOLO_WRITABLE, 1), 0);
    CU_ASSERT_EQUAL(ready_now(poller), 0);
    CU_ASSERT_EQUAL(network->close(world, client, SOLO_CLOSE_WRITING), 0);
    CU_ASSERT_EQUAL(ready_now(poller), SOLO_WRITABLE); /* to a full pipe that takes no more anyway */
    CU_ASSERT_EQUAL(ready_now(poller), SOLO_WRITABLE);
    CU_ASSERT_EQUAL(world->poll->watch(world, poller, client, SOLO_READABLE, 1), 0);
    CU_ASSERT_EQUAL(ready_now(poller), 0);
    put(server, "x");
    CU_ASSERT_EQUAL(ready_now(poller), SOLO_READABLE);
    CU_ASSERT_EQUAL(read_byte(client), 1);
    CU_ASSERT_EQUAL(ready_now(poller), 0);
    CU_ASSERT_EQUAL(network->close(world, server, SOLO_CLOSE_ABORT), 0);
    CU_ASSERT_EQUAL(ready_now(poller), SOLO_READABLE | SOLO_HANGUP);
    (void)network->close(world, client, SOLO_CLOSE_WHOLE);
    CU_ASSERT_EQUAL(ready_now(poller), 0);
    world->poll->close(world, poller);
}

static void test_sim_network__a_poll_sees_whatever_became_ready_and_nothing_else(void)
{
    simulate(becomes_ready_body);
}

static void own_reset_body(void)
{
    int listener = listen_on(PORT), client = connect_to(PORT);
    struct solo_poller *poller = NULL;
    (void)accept_from(listener);
    CU_ASSERT_EQUAL_FATAL(world->poll->open(world, &poller), 0);
    CU_ASSERT_EQUAL(world->poll->watch(world, poller, client, SOLO_READABLE, 1), 0);
    CU_ASSERT_EQUAL(ready_now(poller), 0);
    script.take = 1;
    CU_ASSERT_EQUAL(network->write(world, client, "x", 1, NULL), -ECONNRESET); /* the chooser says so */
    CU_ASSERT_EQUAL(ready_now(poller), SOLO_READABLE | SOLO_HANGUP);
    world->poll->close(world, poller);
}

static void test_sim_network__an_end_that_was_reset_in_its_own_call_is_ready(void)
{
    script.kind = SOLO_CHOICE_FAULT;
    script.take = 0;
    CU_ASSERT_EQUAL(simulate_with(own_reset_body, 1), SOLO_ENDING_RETURNED);
}

static void full_table_body(void)
{
    int fds[2], one = -1, listener = listen_on(PORT);
    for (int i = 0; i < 2047; i++) {
        pair(fds);
    }
    int client = connect_to(PORT); /* the 4096th */
    CU_ASSERT_EQUAL(network->accept(world, listener, NULL, &one), -EMFILE);
    CU_ASSERT_EQUAL(network->pair(world, fds), -EMFILE);
    CU_ASSERT_EQUAL(open_stream(world, LOOPBACK, PORT, &one), -EMFILE);
    CU_ASSERT_EQUAL(open_listener(world, LOOPBACK, 0, &one), -EMFILE);
    CU_ASSERT_EQUAL(one, -1);
    (void)network->close(world, fds[0], SOLO_CLOSE_WHOLE);
    one = accept_from(listener); /* the connection has waited */
    put(client, "hi");
    got(one, "hi");
}

static void test_sim_network__at_most_4096_descriptors_are_open(void)
{
    simulate(full_table_body);
}

/* ---- Listening and connecting ---- */

static void refused_body(void)
{
    int fd = connect_to(PORT);
    CU_ASSERT_EQUAL(connected(fd), -ECONNREFUSED);
    CU_ASSERT_EQUAL(read_byte(fd), -ECONNREFUSED);
    CU_ASSERT_EQUAL(network->write(world, fd, "x", 1, NULL), -ECONNREFUSED);
    int elsewhere = -1;
    (void)listen_on(PORT);
    CU_ASSERT_EQUAL(open_stream(world, 0x08080808, PORT, &elsewhere), 0);
    CU_ASSERT_EQUAL(connected(elsewhere), -ECONNREFUSED);
    CU_ASSERT_EQUAL(open_listener(world, 0x08080808, PORT, &elsewhere), -EADDRNOTAVAIL);
}

static void test_sim_network__there_is_only_the_loopback_interface(void)
{
    simulate(refused_body);
}

static void ports_body(void)
{
    int fd = -1;
    int a = listen_on(0), b = listen_on(0), c = listen_on(PORT);
    int port_a = port_of(world, a), port_b = port_of(world, b);
    CU_ASSERT_TRUE(port_a >= 49152 && port_b >= 49152);
    CU_ASSERT_NOT_EQUAL(port_a, port_b);
    CU_ASSERT_EQUAL(port_of(world, c), PORT);
    CU_ASSERT_EQUAL(open_listener(world, LOOPBACK, PORT, &fd), -EADDRINUSE);
    CU_ASSERT_EQUAL(open_listener(world, 0, PORT, &fd), -EADDRINUSE);
    int client = connect_to(PORT);
    int server = accept_from(c);
    CU_ASSERT_EQUAL(port_of(world, server), PORT);
    CU_ASSERT_TRUE(port_of(world, client) >= 49152);
    CU_ASSERT_EQUAL(network->query(world, c, SOLO_QUERY_CONNECTED, NULL), -ENOTCONN);
    CU_ASSERT_EQUAL(network->accept(world, client, NULL, &fd), -EINVAL);
    CU_ASSERT_EQUAL(read_byte(c), -ENOTCONN);
}

static void test_sim_network__a_port_has_one_listener_and_port_0_is_a_free_one(void)
{
    simulate(ports_body);
}

static void before_accept_body(void)
{
    int listener = listen_on(PORT);
    int client = connect_to(PORT);
    CU_ASSERT_EQUAL(connected(client), 0); /* at once */
    put(client, "early");
    (void)network->close(world, client, SOLO_CLOSE_WHOLE);
    int server = accept_from(listener);
    got(server, "early");
    CU_ASSERT_EQUAL(read_byte(server), 0);
}

static void test_sim_network__bytes_sent_before_the_accept_arrive(void)
{
    simulate(before_accept_body);
}

static void backlog_body(void)
{
    int listener = listen_on(PORT);
    int clients[130];
    for (int i = 0; i < 130; i++) {
        clients[i] = connect_to(PORT);
        CU_ASSERT_EQUAL(connected(clients[i]), i < 128 ? 0 : -EINPROGRESS);
    }
    CU_ASSERT_EQUAL(network->write(world, clients[129], "x", 1, NULL), -EAGAIN);
    (void)network->close(world, clients[128], SOLO_CLOSE_WHOLE); /* gives up */
    (void)accept_from(listener);
    CU_ASSERT_EQUAL(connected(clients[129]), 0);
    for (int i = 1; i < 128; i++) {
        (void)accept_from(listener);
    }
    put(clients[129], "last");
    got(accept_from(listener), "last");
    int none;
    CU_ASSERT_EQUAL(network->accept(world, listener, NULL, &none), -EAGAIN);
}

static void test_sim_network__past_the_backlog_a_connect_waits_for_an_accept(void)
{
    simulate(backlog_body);
}

static void close_listener_body(void)
{
    int listener = listen_on(PORT);
    int clients[129];
    for (int i = 0; i < 129; i++) {
        clients[i] = connect_to(PORT);
    }
    (void)network->close(world, listener, SOLO_CLOSE_WHOLE);
    CU_ASSERT_EQUAL(read_byte(clients[0]), -ECONNRESET);
    CU_ASSERT_EQUAL(connected(clients[128]), -ECONNREFUSED);
    (void)listen_on(PORT); /* free again */
}

static void test_sim_network__closing_a_listener_resets_whom_it_did_not_accept(void)
{
    simulate(close_listener_body);
}

/* ---- Ends of streams ---- */

static void half_data_body(void)
{
    int fds[2];
    pair(fds);
    put(fds[0], "half");
    (void)network->close(world, fds[0], SOLO_CLOSE_WHOLE);
    got(fds[1], "half");
    CU_ASSERT_EQUAL(read_byte(fds[1]), 0);
    CU_ASSERT_EQUAL(read_byte(fds[1]), 0);
    CU_ASSERT_EQUAL(network->write(world, fds[1], "x", 1, NULL), -EPIPE);
}

static void test_sim_network__what_was_sent_comes_before_the_end(void)
{
    simulate(half_data_body);
}

static void reset_body(void)
{
    int fds[2];
    tcp_pair(fds);
    put(fds[0], "half");
    (void)network->close(world, fds[0], SOLO_CLOSE_ABORT);
    got(fds[1], "half");
    CU_ASSERT_EQUAL(read_byte(fds[1]), -ECONNRESET);
    CU_ASSERT_EQUAL(network->write(world, fds[1], "x", 1, NULL), -ECONNRESET);
}

static void test_sim_network__what_was_sent_comes_before_a_reset(void)
{
    simulate(reset_body);
}

static void told_body(void)
{
    int listener = listen_on(PORT);
    int client = connect_to(PORT);
    int server = accept_from(listener);
    put(server, "bye");
    (void)network->close(world, server, SOLO_CLOSE_WHOLE);
    put(client, "into the void"); /* TCP cannot know yet */
    CU_ASSERT_EQUAL(network->write(world, client, "x", 1, NULL), -EPIPE);
    got(client, "bye");
    CU_ASSERT_EQUAL(read_byte(client), 0);
}

static void test_sim_network__the_second_write_to_a_closed_other_side_fails(void)
{
    simulate(told_body);
}

static void unread_body(void)
{
    int fds[2];
    pair(fds);
    put(fds[0], "nobody reads this");
    put(fds[1], "bye");
    (void)network->close(world, fds[1], SOLO_CLOSE_WHOLE);
    got(fds[0], "bye");
    CU_ASSERT_EQUAL(read_byte(fds[0]), -ECONNRESET);
}

static void test_sim_network__closing_with_bytes_unread_is_a_reset(void)
{
    simulate(unread_body);
}

static void zero_size_body(void)
{
    int fds[2];
    pair(fds);
    CU_ASSERT_EQUAL(network->write(world, fds[0], "", 0, NULL), 0);
    CU_ASSERT_EQUAL(network->read(world, fds[1], NULL, 0, NULL), 0);
    CU_ASSERT_EQUAL(read_byte(fds[1]), -EAGAIN);
}

static void test_sim_network__nothing_moves_nothing(void)
{
    simulate(zero_size_body);
}

static char byte_at(size_t i)
{
    return (char)(i * 7 + i / 253);
}

static void full_pipe_body(void)
{
    static char block[PIPE], back[PIPE];
    size_t sent = 0, received = 0;
    int fds[2];
    pair(fds);
    for (int round = 0; round < 5; round++) {
        ptrdiff_t n;
        do {
            for (size_t i = 0; i < 7001; i++) {
                block[i] = byte_at(sent + i);
            }
            n = network->write(world, fds[0], block, 7001, NULL);
            sent += n > 0 ? (size_t)n : 0;
        } while (n > 0);
        CU_ASSERT_EQUAL(n, -EAGAIN);
        CU_ASSERT_EQUAL(sent - received, PIPE);
        for (size_t part = 0; part < 30000; part += (size_t)n) { /* a part only, so that the ring goes round */
            n = network->read(world, fds[1], back, 997, NULL);
            CU_ASSERT_EQUAL_FATAL(n > 0, 1);
            for (ptrdiff_t i = 0; i < n; i++) {
                CU_ASSERT_EQUAL_FATAL(back[i], byte_at(received + (size_t)i));
            }
            received += (size_t)n;
        }
    }
}

static void test_sim_network__a_direction_holds_64_kib_and_keeps_them_in_order(void)
{
    simulate(full_pipe_body);
}

/* ---- Choices ---- */

static void chunk_body(void)
{
    int fds[2];
    pair(fds);
    put(fds[0], "abcdefgh");
    got(fds[1], "a");
    got(fds[1], "b");
    got(fds[1], "c");
    got(fds[1], "d");
    got(fds[1], "efgh"); /* asked four times in each direction, and no more */
    put(fds[1], "x");
    got(fds[0], "x"); /* one byte: nothing to ask */
}

static void test_sim_network__a_read_may_get_one_byte_and_is_asked_four_times(void)
{
    script = (struct script){.kind = SOLO_CHOICE_CHUNK, .take = 1};
    CU_ASSERT_EQUAL(simulate_with(chunk_body, 0), SOLO_ENDING_RETURNED);
    CU_ASSERT_EQUAL(script.asked[SOLO_CHOICE_CHUNK], 4);
}

static void half_chunk_body(void)
{
    int fds[2];
    pair(fds);
    put(fds[0], "abcdefgh");
    got(fds[1], "abcd");
    CU_ASSERT_EQUAL(script.count, 3);
    CU_ASSERT_EQUAL(script.tags[0], 8);
    CU_ASSERT_EQUAL(script.tags[1], 1);
    CU_ASSERT_EQUAL(script.tags[2], 4);
    got(fds[1], "ef");
    got(fds[1], "g");
    CU_ASSERT_EQUAL(script.count, 2); /* of two bytes: both, or one */
    got(fds[1], "h");
}

static void test_sim_network__a_read_may_get_half_and_by_default_gets_all(void)
{
    script = (struct script){.kind = SOLO_CHOICE_CHUNK, .take = 2};
    CU_ASSERT_EQUAL(simulate_with(half_chunk_body, 0), SOLO_ENDING_RETURNED);
}

static void ready_body(void)
{
    struct solo_poller *poller = NULL;
    struct solo_ready ready[4];
    bool woken = true;
    int a[2], b[2], c[2];
    pair(a);
    pair(b);
    pair(c);
    CU_ASSERT_EQUAL(world->poll->open(world, &poller), 0);
    CU_ASSERT_EQUAL(world->poll->watch(world, poller, c[1], SOLO_READABLE, 3), 0);
    CU_ASSERT_EQUAL(world->poll->watch(world, poller, a[1], SOLO_READABLE, 1), 0);
    CU_ASSERT_EQUAL(world->poll->watch(world, poller, b[1], SOLO_READABLE, 2), 0);
    put(b[0], "x");
    CU_ASSERT_EQUAL(world->poll->wait(world, poller, 0, ready, 4, &woken), 1);
    CU_ASSERT_EQUAL(script.asked[SOLO_CHOICE_READY], 0); /* one is no choice */
    put(a[0], "x");
    put(c[0], "x");
    CU_ASSERT_EQUAL(world->poll->wait(world, poller, 0, ready, 4, &woken), 3);
    CU_ASSERT_FALSE(woken);
    uint64_t last_first[] = {3, 2, 1}, lowest_first[] = {1, 2, 3};
    for (int i = 0; i < 3; i++) {
        CU_ASSERT_EQUAL(ready[i].key, script.take > 0 ? last_first[i] : lowest_first[i]);
    }
    CU_ASSERT_EQUAL(script.asked[SOLO_CHOICE_READY], 2);
    CU_ASSERT_EQUAL(world->poll->wait(world, poller, 0, ready, 2, &woken), 2); /* no more than there is room for */
    world->poll->close(world, poller);
}

static void test_sim_poll__ready_descriptors_come_lowest_first_or_as_chosen(void)
{
    for (size_t take = 0; take < 3; take += 2) {
        script = (struct script){.kind = SOLO_CHOICE_READY, .take = take};
        CU_ASSERT_EQUAL(simulate_with(ready_body, 0), SOLO_ENDING_RETURNED);
    }
}

static void forget_body(void)
{
    struct solo_poller *poller = NULL;
    struct solo_ready ready;
    bool woken;
    int a[2], b[2];
    pair(a);
    pair(b);
    CU_ASSERT_EQUAL(world->poll->open(world, &poller), 0);
    CU_ASSERT_EQUAL(world->poll->watch(world, poller, a[1], SOLO_READABLE, 1), 0);
    CU_ASSERT_EQUAL(world->poll->watch(world, poller, b[1], SOLO_READABLE, 2), 0);
    put(a[0], "x");
    put(b[0], "x");
    CU_ASSERT_EQUAL(world->poll->watch(world, poller, a[1], 0, 0), 0);
    (void)network->close(world, b[1], SOLO_CLOSE_WHOLE);
    CU_ASSERT_EQUAL(world->poll->wait(world, poller, 0, &ready, 1, &woken), 0);
    CU_ASSERT_EQUAL(world->poll->watch(world, poller, b[1], SOLO_READABLE, 2), -EBADF);
    CU_ASSERT_EQUAL(world->poll->watch(world, poller, a[1], SOLO_READABLE | SOLO_WRITABLE, 9), 0);
    CU_ASSERT_EQUAL(world->poll->wait(world, poller, 0, &ready, 1, &woken), 1);
    CU_ASSERT_EQUAL(ready.key, 9);
    CU_ASSERT_EQUAL(ready.events, SOLO_READABLE | SOLO_WRITABLE);
    world->poll->close(world, poller);
    put(a[0], "y"); /* nobody watches any more */
    (void)network->close(world, a[0], SOLO_CLOSE_ABORT);
}

static void test_sim_poll__what_is_forgotten_or_closed_is_not_reported(void)
{
    simulate(forget_body);
}

static void hangup_body(void)
{
    struct solo_poller *poller = NULL;
    struct solo_ready ready;
    bool woken;
    int fds[2];
    tcp_pair(fds);
    CU_ASSERT_EQUAL(world->poll->open(world, &poller), 0);
    CU_ASSERT_EQUAL(world->poll->watch(world, poller, fds[1], SOLO_READABLE, 1), 0);
    (void)network->close(world, fds[0], SOLO_CLOSE_ABORT);
    CU_ASSERT_EQUAL(world->poll->wait(world, poller, 0, &ready, 1, &woken), 1);
    CU_ASSERT_EQUAL(ready.events, SOLO_READABLE | SOLO_HANGUP);
    world->poll->close(world, poller);
}

static void test_sim_poll__a_reset_is_a_hangup_whatever_is_watched(void)
{
    simulate(hangup_body);
}

/* ---- Faults ---- */

static void no_fault_body(void)
{
    int fds[2];
    pair(fds);
    put(fds[0], "x");
    got(fds[1], "x");
}

static void test_sim_network__without_a_budget_no_fault_is_asked_for(void)
{
    script = (struct script){.kind = SOLO_CHOICE_FAULT, .take = 1};
    CU_ASSERT_EQUAL(simulate_with(no_fault_body, 0), SOLO_ENDING_RETURNED);
    CU_ASSERT_EQUAL(script.asked[SOLO_CHOICE_FAULT], 0);
}

static void fault_connect_body(void)
{
    int fd = -1;
    (void)listen_on(PORT);
    CU_ASSERT_EQUAL(open_stream(world, LOOPBACK, PORT, &fd), -ECONNREFUSED);
    CU_ASSERT_EQUAL(fd, -1);
    CU_ASSERT_EQUAL(connected(connect_to(PORT)), 0); /* the budget is spent */
}

static void test_sim_network__a_fault_may_refuse_a_connect(void)
{
    script = (struct script){.kind = SOLO_CHOICE_FAULT, .take = 1};
    CU_ASSERT_EQUAL(simulate_with(fault_connect_body, 1), SOLO_ENDING_RETURNED);
}

static void fault_reset_body(void)
{
    int fds[2];
    pair(fds);
    CU_ASSERT_EQUAL(network->write(world, fds[0], "x", 1, NULL), -ECONNRESET);
    CU_ASSERT_EQUAL(read_byte(fds[1]), -ECONNRESET);
    CU_ASSERT_EQUAL(read_byte(fds[0]), -ECONNRESET);
}

static void test_sim_network__a_fault_may_reset_a_connection_for_both_ends(void)
{
    script = (struct script){.kind = SOLO_CHOICE_FAULT, .take = 1};
    CU_ASSERT_EQUAL(simulate_with(fault_reset_body, 1), SOLO_ENDING_RETURNED);
}

/* ---- Datagrams ---- */

static int datagram_at(uint16_t port)
{
    const struct solo_address local = {.family = SOLO_INET, .port = port, .host = LOOPBACK};
    int fd = -1;
    CU_ASSERT_EQUAL(network->open(world, SOLO_OPEN_DATAGRAM, &local, NULL, &fd), 0);
    return fd;
}

static void send_to(int fd, const char *text, uint16_t port)
{
    const struct solo_address to = {.family = SOLO_INET, .port = port, .host = LOOPBACK};
    CU_ASSERT_EQUAL(network->write(world, fd, text, strlen(text), &to), (ptrdiff_t)strlen(text));
}

/* What has arrived there, each datagram followed by a space. */
static void arrived(int fd, const char *all)
{
    char text[256] = "";
    size_t count = 0;
    ptrdiff_t size;
    struct solo_address from;
    while ((size = network->read(world, fd, text + count, sizeof text - count - 2, &from)) >= 0) {
        count += (size_t)size;
        text[count++] = ' ';
        text[count] = '\0';
    }
    CU_ASSERT_EQUAL(size, -EAGAIN);
    CU_ASSERT_STRING_EQUAL(text, all);
}

static const char *expected_mail;

static void mail_body(void)
{
    int from = datagram_at(0), to = datagram_at(PORT);
    send_to(from, "one", PORT);
    send_to(from, "two", PORT);
    send_to(from, "three", PORT);
    arrived(to, expected_mail);
    CU_ASSERT_EQUAL(network->close(world, to, SOLO_CLOSE_WHOLE), 0);
    to = datagram_at(PORT); /* the port is free again, and what was sent in between is gone */
    arrived(to, "");
}

static void test_sim_network__datagrams_arrive_in_order_without_a_budget(void)
{
    expected_mail = "one two three ";
    script = (struct script){.kind = SOLO_CHOICE_FAULT, .take = 1};
    CU_ASSERT_EQUAL(simulate_with(mail_body, 0), SOLO_ENDING_RETURNED);
    CU_ASSERT_EQUAL(script.asked[SOLO_CHOICE_FAULT], 0);
}

/* The fault with this tag is the one that happens, the first time it is asked for. */
static uint32_t fault_tag;

static size_t choose_fault(void *state, const struct solo_choice *choice)
{
    (void)state;
    return choice->kind == SOLO_CHOICE_FAULT && choice->options[1]->tag == fault_tag;
}

static void mail_with(uint32_t tag, uint32_t faults_max, const char *expected)
{
    static const struct solo_strategy strategy = {.name = "fault", .begin = script_begin, .choose = choose_fault};
    struct solo_sim_options options = {.strategy = &strategy, .strategy_state = &script, .faults_max = faults_max};
    struct solo_sim *sim = NULL;
    fault_tag = tag;
    expected_mail = expected;
    the_body = mail_body;
    CU_ASSERT_EQUAL_FATAL(solo_sim_create(&options, &sim), 0);
    CU_ASSERT_EQUAL(solo_sim_run(sim, 1, enter_body, NULL), SOLO_ENDING_RETURNED);
    solo_sim_destroy(sim);
}

static void test_sim_network__a_fault_may_lose_repeat_or_reorder_datagrams(void)
{
    mail_with(0x6c6f7374, 1, "two three ");
    mail_with(0x6c6f7374, 2, "three ");
    mail_with(0x6c6f7374, 9, "");
    mail_with(0x74776963, 1, "one one two three ");
    mail_with(0x6f766572, 1, "one two three "); /* the first one has nobody to overtake */
    mail_with(0x6f766572, 2, "two one three ");
}

static void full_mail_body(void)
{
    int from = datagram_at(0), to = datagram_at(PORT);
    char text[8];
    unsigned count = 0;
    for (int i = 0; i < 200; i++) {
        send_to(from, "x", PORT);
    }
    while (network->read(world, to, text, sizeof text, NULL) == 1) {
        count++;
    }
    CU_ASSERT_EQUAL(count, 128);
    send_to(from, "y", PORT);
    arrived(to, "y ");
}

static void test_sim_network__what_a_full_receiver_cannot_hold_is_lost(void)
{
    simulate(full_mail_body);
}

static void backlog_of_name_body(void)
{
    const struct solo_address name = {.family = SOLO_UNIX, .path = "/run/chat"};
    int listener = -1, fd = -1;
    CU_ASSERT_EQUAL(network->open(world, SOLO_OPEN_LISTENER, &name, NULL, &listener), 0);
    for (int i = 0; i < 128; i++) {
        CU_ASSERT_EQUAL(network->open(world, SOLO_OPEN_STREAM, NULL, &name, &fd), 0);
    }
    CU_ASSERT_EQUAL(network->open(world, SOLO_OPEN_STREAM, NULL, &name, &fd), -EAGAIN);
    (void)accept_from(listener);
    CU_ASSERT_EQUAL(network->open(world, SOLO_OPEN_STREAM, NULL, &name, &fd), 0);
}

static void test_sim_network__a_unix_name_with_a_full_backlog_says_so_at_once(void)
{
    simulate(backlog_of_name_body);
}

/* ---- Threads ---- */

static int served;

static void be_early(void *arg)
{
    struct solo_poller *poller = NULL;
    struct solo_ready ready;
    bool woken;
    int fd = connect_to(PORT);
    (void)arg;
    CU_ASSERT_EQUAL(connected(fd), -EINPROGRESS);
    CU_ASSERT_EQUAL(world->poll->open(world, &poller), 0);
    CU_ASSERT_EQUAL(world->poll->watch(world, poller, fd, SOLO_WRITABLE, 1), 0);
    CU_ASSERT_EQUAL(world->poll->wait(world, poller, SOLO_NEVER, &ready, 1, &woken), 1);
    CU_ASSERT_EQUAL(connected(fd), 0);
    __atomic_fetch_add(&served, 1, __ATOMIC_RELAXED);
    put(fd, "hello");
    world->poll->close(world, poller);
}

static void peer_first_body(void)
{
    served = 0;
    CU_ASSERT_EQUAL(solo_sim_start_peer(be_early, NULL), 0);
    CU_ASSERT_EQUAL(solo_sleep(1000), 0); /* virtual: the peer comes first */
    CU_ASSERT_EQUAL(__atomic_load_n(&served, __ATOMIC_RELAXED), 0);
    int listener = listen_on(PORT);
    CU_ASSERT_EQUAL(solo_sleep(1000), 0);
    CU_ASSERT_EQUAL(__atomic_load_n(&served, __ATOMIC_RELAXED), 1);
    got(accept_from(listener), "hello");
}

static void test_sim_network__a_peer_waits_until_somebody_listens(void)
{
    simulate(peer_first_body);
}

static void wait_for_ever(void *arg)
{
    (void)arg;
    be_early(NULL);
}

static void quiet_body(void)
{
    CU_ASSERT_EQUAL(solo_sim_start_peer(wait_for_ever, NULL), 0);
    struct solo_poller *poller = NULL;
    struct solo_ready ready;
    bool woken;
    CU_ASSERT_EQUAL(world->poll->open(world, &poller), 0);
    (void)world->poll->wait(world, poller, SOLO_NEVER, &ready, 1, &woken);
    CU_FAIL("the poll returned");
}

static void test_sim_network__a_peer_that_waits_and_a_poll_are_idle(void)
{
    script = (struct script){.kind = SOLO_CHOICE_KINDS};
    CU_ASSERT_EQUAL(simulate_with(quiet_body, 0), SOLO_ENDING_QUIET);
}

static struct solo_event events[64];
static unsigned event_count;

static void keep_event(const struct solo_event *event, void *arg)
{
    (void)arg;
    if (event->kind >= SOLO_PROBE_LISTEN && event->kind <= SOLO_PROBE_CLOSE && event_count < 64) {
        events[event_count++] = *event;
    }
}

static void announced_body(void)
{
    int listener = listen_on(PORT);
    int client = connect_to(PORT);
    int server = accept_from(listener);
    put(client, "abc");
    got(server, "abc");
    (void)network->close(world, server, SOLO_CLOSE_ABORT);
}

static void test_sim_network__every_operation_is_announced_on_its_stream(void)
{
    static const uint8_t kinds[] = {SOLO_PROBE_LISTEN, SOLO_PROBE_CONNECT, SOLO_PROBE_ACCEPT,
                                    SOLO_PROBE_WRITE,  SOLO_PROBE_READ,    SOLO_PROBE_CLOSE};
    event_count = 0;
    CU_ASSERT_EQUAL(solo_probe_subscribe(keep_event, NULL), 0);
    simulate(announced_body);
    CU_ASSERT_EQUAL(solo_probe_unsubscribe(keep_event, NULL), 0);
    CU_ASSERT_EQUAL_FATAL(event_count, 6);
    for (int i = 0; i < 6; i++) {
        CU_ASSERT_EQUAL(events[i].kind, kinds[i]);
        CU_ASSERT_EQUAL(events[i].access, SOLO_ACCESS_WRITE);
        CU_ASSERT_EQUAL(events[i].object, events[i < 3 ? 0 : 3].object); /* the port's, then the connection's */
    }
    CU_ASSERT_NOT_EQUAL(events[0].object, events[3].object);
    CU_ASSERT_EQUAL(events[0].value, PORT);
    CU_ASSERT_EQUAL(events[3].value, 3);
    CU_ASSERT_EQUAL(events[5].value, 1);
}

void suite_sim_network(void)
{
    SOLO_SUITE("sim_network");
    SOLO_TEST(test_sim_network__descriptors_start_at_3_and_are_never_given_twice);
    SOLO_TEST(test_sim_network__a_number_is_never_given_twice_however_many_there_were);
    SOLO_TEST(test_sim_network__a_poll_sees_whatever_became_ready_and_nothing_else);
    SOLO_TEST(test_sim_network__an_end_that_was_reset_in_its_own_call_is_ready);
    SOLO_TEST(test_sim_network__at_most_4096_descriptors_are_open);
    SOLO_TEST(test_sim_network__there_is_only_the_loopback_interface);
    SOLO_TEST(test_sim_network__a_port_has_one_listener_and_port_0_is_a_free_one);
    SOLO_TEST(test_sim_network__bytes_sent_before_the_accept_arrive);
    SOLO_TEST(test_sim_network__past_the_backlog_a_connect_waits_for_an_accept);
    SOLO_TEST(test_sim_network__closing_a_listener_resets_whom_it_did_not_accept);
    SOLO_TEST(test_sim_network__what_was_sent_comes_before_the_end);
    SOLO_TEST(test_sim_network__what_was_sent_comes_before_a_reset);
    SOLO_TEST(test_sim_network__the_second_write_to_a_closed_other_side_fails);
    SOLO_TEST(test_sim_network__closing_with_bytes_unread_is_a_reset);
    SOLO_TEST(test_sim_network__nothing_moves_nothing);
    SOLO_TEST(test_sim_network__a_direction_holds_64_kib_and_keeps_them_in_order);
    SOLO_TEST(test_sim_network__a_read_may_get_one_byte_and_is_asked_four_times);
    SOLO_TEST(test_sim_network__a_read_may_get_half_and_by_default_gets_all);
    SOLO_TEST(test_sim_poll__ready_descriptors_come_lowest_first_or_as_chosen);
    SOLO_TEST(test_sim_poll__what_is_forgotten_or_closed_is_not_reported);
    SOLO_TEST(test_sim_poll__a_reset_is_a_hangup_whatever_is_watched);
    SOLO_TEST(test_sim_network__without_a_budget_no_fault_is_asked_for);
    SOLO_TEST(test_sim_network__a_fault_may_refuse_a_connect);
    SOLO_TEST(test_sim_network__a_fault_may_reset_a_connection_for_both_ends);
    SOLO_TEST(test_sim_network__datagrams_arrive_in_order_without_a_budget);
    SOLO_TEST(test_sim_network__a_fault_may_lose_repeat_or_reorder_datagrams);
    SOLO_TEST(test_sim_network__what_a_full_receiver_cannot_hold_is_lost);
    SOLO_TEST(test_sim_network__a_unix_name_with_a_full_backlog_says_so_at_once);
    SOLO_TEST(test_sim_network__a_peer_waits_until_somebody_listens);
    SOLO_TEST(test_sim_network__a_peer_that_waits_and_a_poll_are_idle);
    SOLO_TEST(test_sim_network__every_operation_is_announced_on_its_stream);
}
