/*
 * test_transport_write.c - how many system calls writing costs: what is written in one callback, or in one step of a
 * pass, leaves as one. A table of this file in front of the world's own counts them, in both worlds.
 */
#include "talkers.h"

static const struct solo_network_table *real;
static struct solo_network_table counting;
static unsigned reads, writes;
static size_t largest; /* bytes of one write */

static ptrdiff_t count_read(struct solo_world *world, int fd, void *buffer, size_t size, struct solo_address *ret_from)
{
    reads++;
    return real->read(world, fd, buffer, size, ret_from);
}

static ptrdiff_t count_write(struct solo_world *world, int fd, const void *data, size_t size,
                             const struct solo_address *to)
{
    writes++;
    largest = size > largest ? size : largest;
    return real->write(world, fd, data, size, to);
}

static void begin_counting(void)
{
    struct solo_world *world = solo_world_current();
    begin();
    real = world->network;
    counting = *real;
    counting.read = count_read;
    counting.write = count_write;
    world->network = &counting;
    reads = writes = 0;
    largest = 0;
}

static void end_counting(void)
{
    solo_world_current()->network = real;
}

/* ---- In a callback of its own ---- */

static void answer_in_pieces(struct talker *talker, const char *data, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        CU_ASSERT_EQUAL(solo_transport_write(talker->protocol.transport, &data[i], 1), 0);
    }
    CU_ASSERT_EQUAL(writes, 1); /* only the question has left so far */
}

static void ask(struct talker *talker)
{
    say(talker, "wh");
    say(talker, "o?");
    CU_ASSERT_EQUAL(writes, 0);
}

static void lose_at_4(struct talker *talker, const char *data, size_t size)
{
    (void)data;
    (void)size;
    if (talker->received == 4) {
        lose(talker);
    }
}

static void coalesce_body(void)
{
    begin_counting();
    client.on_made = ask;
    client.on_data = lose_at_4;
    server.on_data = answer_in_pieces;
    server.on_lost = client.on_lost = stop_when_both_lost;
    (void)connect_client();
    run_and_end();
    heard(client.last, "who?");
    CU_ASSERT_EQUAL(writes, 2); /* a question and an answer */
    CU_ASSERT_EQUAL(largest, 4);
    end_counting();
}

/* Plain reads only: the torture build splits every message, and in random schedules one arrives in pieces. */
static void test_transport_write__writes_of_one_callback_leave_as_one(void)
{
#ifndef SOLO_TORTURE
    worlds_run_os(coalesce_body);
#endif
    worlds_simulate(coalesce_body, SOLO_CARRIER_FIBER, false, 1);
    worlds_simulate(coalesce_body, SOLO_CARRIER_TOKEN, false, 1);
}

static void request_again(struct talker *talker, const char *data, size_t size)
{
    (void)data;
    (void)size;
    if (talker->received == 100 * 4) {
        stop_now();
    } else {
        say(talker, "ping");
    }
}

static void ask_once(struct talker *talker)
{
    say(talker, "ping");
}

static void echo(struct talker *talker, const char *data, size_t size)
{
    CU_ASSERT_EQUAL(solo_transport_write(talker->protocol.transport, data, size), 0);
}

static void ping_body(void)
{
    begin_counting();
    client.on_made = ask_once;
    client.on_data = request_again;
    server.on_data = echo;
    (void)connect_client();
    run_and_end();
    CU_ASSERT_EQUAL(reads, 200); /* at each end one for each message, and not one that finds nothing */
    CU_ASSERT_EQUAL(writes, 200);
    end_counting();
}

static void test_transport_write__a_request_costs_one_read_and_one_write(void)
{
    worlds_run_os(ping_body);
    worlds_simulate(ping_body, SOLO_CARRIER_FIBER, false, 1);
}

/* ---- Elsewhere ---- */

static void write_one(void *arg)
{
    (void)arg;
    say(client.last, "x");
    say(client.last, "y");
}

static void queue_writes(struct talker *talker)
{
    (void)talker;
    for (int i = 0; i < 3; i++) {
        CU_ASSERT_EQUAL(solo_reactor_call_from_thread(reactor, write_one, NULL, NULL), 0);
    }
}

static void stop_at_6(struct talker *talker, const char *data, size_t size)
{
    (void)data;
    (void)size;
    if (talker->received == 6) {
        stop_now();
    }
}

static void thread_calls_body(void)
{
    begin_counting();
    client.on_made = queue_writes;
    server.on_data = stop_at_6;
    (void)connect_client();
    run_and_end();
    heard(server.last, "xyxyxy");
    CU_ASSERT_EQUAL(writes, 1);
    end_counting();
}

static void test_transport_write__writes_of_all_thread_calls_of_a_pass_leave_as_one(void)
{
    worlds_run_os(thread_calls_body);
    worlds_run_sim(thread_calls_body, WORLDS_SEEDS);
}

/* A chat: what one client says goes to every other one. */
enum { GUESTS = 5 };

static void pass_on(struct talker *talker, const char *data, size_t size)
{
    for (unsigned i = 0; i < talker_count; i++) {
        if (talkers[i].side == &server && &talkers[i] != talker && talkers[i].losses == 0) {
            CU_ASSERT_EQUAL(solo_transport_write(talkers[i].protocol.transport, data, size), 0);
        }
    }
}

static void speak_when_all_are_there(struct talker *talker)
{
    (void)talker;
    if (server.built == GUESTS && client.built == GUESTS) {
        writes = 0;
        for (unsigned i = 0; i < talker_count; i++) {
            if (talkers[i].side == &client) {
                say(&talkers[i], "all");
                return;
            }
        }
    }
}

static void stop_when_all_have_heard(struct talker *talker, const char *data, size_t size)
{
    unsigned heard_it = 0;
    (void)talker;
    (void)data;
    (void)size;
    for (unsigned i = 0; i < talker_count; i++) {
        heard_it += talkers[i].side == &client && talkers[i].received == 3;
    }
    if (heard_it == GUESTS - 1) {
        CU_ASSERT_EQUAL(writes, 1 + GUESTS - 1);
        stop_now();
    }
}

static void chat_body(void)
{
    begin_counting();
    server.on_data = pass_on;
    server.on_made = client.on_made = speak_when_all_are_there;
    client.on_data = stop_when_all_have_heard;
    for (int i = 0; i < GUESTS; i++) {
        (void)connect_client();
    }
    run_and_end();
    end_counting();
}

static void test_transport_write__what_is_written_to_others_leaves_in_the_same_pass(void)
{
    worlds_run_os(chat_body);
    worlds_simulate(chat_body, SOLO_CARRIER_FIBER, false, 1);
}

/* ---- Much at once ---- */

static void write_much(struct talker *talker)
{
    static char block[40 * 1024];
    size_t unsent = 1;
    say(talker, "head");
    CU_ASSERT_EQUAL(solo_transport_get_unsent(talker->protocol.transport, &unsent), 0);
    CU_ASSERT_EQUAL(unsent, 4);
    CU_ASSERT_EQUAL(solo_transport_write(talker->protocol.transport, block, sizeof block), 0);
    CU_ASSERT_EQUAL(writes, 1); /* with what waited before it */
    CU_ASSERT_EQUAL(solo_transport_get_unsent(talker->protocol.transport, NULL), -EINVAL);
    lose(talker);
}

static void much_body(void)
{
    begin_counting();
    client.on_made = write_much;
    server.on_lost = client.on_lost = stop_when_both_lost;
    (void)connect_client();
    run_and_end();
    CU_ASSERT_EQUAL(server.last->received, 4 + 40 * 1024);
    end_counting();
}

static void test_transport_write__much_leaves_at_once(void)
{
    worlds_run_os(much_body);
    worlds_run_sim(much_body, 5);
}

static size_t used_before;

static size_t in_use(void)
{
    struct solo_sim_memory memory = {0};
    CU_ASSERT_EQUAL(solo_sim_get_memory(solo_sim_current(), &memory), 0);
    return memory.in_use;
}

static void write_a_page(struct talker *talker)
{
    static char page[20 * 1024];
    used_before = in_use();
    CU_ASSERT_EQUAL(solo_transport_write(talker->protocol.transport, page, sizeof page), 0);
    CU_ASSERT_TRUE(in_use() > used_before + sizeof page);
}

static void answer_the_page(struct talker *talker, const char *data, size_t size)
{
    (void)data;
    (void)size;
    if (talker->received == 20 * 1024) {
        say(talker, "thanks");
    }
}

static void compare_and_lose(struct talker *talker, const char *data, size_t size)
{
    (void)data;
    (void)size;
    if (talker->received == 6) {
        CU_ASSERT_TRUE(in_use() < used_before + 4096);
        lose(talker);
    }
}

static void page_body(void)
{
    begin();
    client.on_made = write_a_page;
    server.on_data = answer_the_page;
    client.on_data = compare_and_lose;
    server.on_lost = client.on_lost = stop_when_both_lost;
    (void)connect_client();
    run_and_end();
}

static void test_transport_write__who_has_sent_much_keeps_little(void)
{
    worlds_run_sim(page_body, 5);
}

/* ---- The end of the reactor ---- */

static void write_and_stop(struct talker *talker)
{
    say(talker, "last words");
    stop_now();
}

static void last_words_body(void)
{
    begin();
    client.on_made = write_and_stop;
    (void)connect_client();
    run_and_end();
    CU_ASSERT_EQUAL(client.last->reason, SOLO_ECONNLOST);
}

static void test_transport_write__what_is_written_before_a_stop_is_still_tried(void)
{
    worlds_run(last_words_body);
}

/* Reads all that arrives at a bare descriptor of the world, up to the end of the stream. */
static void read_to_end(struct solo_world *world, int fd, char *text, size_t size)
{
    struct solo_poller *poller = NULL;
    struct solo_ready ready;
    size_t received = 0;
    ptrdiff_t got = 1;
    bool woken;
    CU_ASSERT_EQUAL_FATAL(world->poll->open(world, &poller), 0);
    CU_ASSERT_EQUAL(world->poll->watch(world, poller, fd, SOLO_READABLE, 1), 0);
    while (got > 0) {
        CU_ASSERT_EQUAL(world->poll->wait(world, poller, SOLO_NEVER, &ready, 1, &woken), 1);
        got = world->network->read(world, fd, text + received, size - 1 - received, NULL);
        received += got > 0 ? (size_t)got : 0;
    }
    CU_ASSERT_EQUAL(got, 0); /* in order, no reset */
    text[received] = '\0';
    world->poll->close(world, poller);
}

static struct solo_deferred *say_goodbye(void *arg)
{
    enum solo_transport_state state = SOLO_TRANSPORT_LOST;
    (void)arg;
    note('d');
    CU_ASSERT_EQUAL(solo_transport_get_state(client.last->protocol.transport, &state), 0);
    CU_ASSERT_EQUAL(state, SOLO_TRANSPORT_OPEN);
    say(client.last, "goodbye");
    return NULL;
}

static struct solo_deferred *note_after(void *arg)
{
    (void)arg;
    note('a');
    return NULL;
}

static void note_loss(struct talker *talker)
{
    (void)talker;
    note('l');
}

static void stop_when_made(struct talker *talker)
{
    (void)talker;
    stop_now();
}

static void goodbye_body(void)
{
    struct solo_world *world = solo_world_current();
    const struct solo_address any = {.family = SOLO_INET, .host = SOLO_LOOPBACK};
    struct solo_address at;
    char text[64] = "";
    int listener = -1, fd = -1;
    begin();
    CU_ASSERT_EQUAL_FATAL(world->network->open(world, SOLO_OPEN_LISTENER, &any, NULL, &listener), 0);
    CU_ASSERT_EQUAL(world->network->query(world, listener, SOLO_QUERY_LOCAL, &at), 0);
    client.on_made = stop_when_made;
    client.on_lost = note_loss;
    CU_ASSERT_EQUAL(solo_reactor_add_trigger(reactor, SOLO_AFTER, SOLO_SHUTDOWN, note_after, NULL, NULL, NULL), 0);
    CU_ASSERT_EQUAL(solo_reactor_add_trigger(reactor, SOLO_DURING, SOLO_SHUTDOWN, say_goodbye, NULL, NULL, NULL), 0);
    CU_ASSERT_EQUAL(solo_reactor_connect(reactor, &at, NULL, &client.factory, NULL), 0);
    CU_ASSERT_EQUAL(solo_reactor_run(reactor), 0);
    worlds_destroy(reactor);
    CU_ASSERT_NOT_EQUAL(strstr(worlds.notes, "dl"), NULL);
    CU_ASSERT_NOT_EQUAL(strchr(strchr(worlds.notes, 'l'), 'a'), NULL);
    CU_ASSERT_EQUAL_FATAL(world->network->accept(world, listener, NULL, &fd), 0);
    read_to_end(world, fd, text, sizeof text);
    CU_ASSERT_STRING_EQUAL(text, "goodbye");
    (void)world->network->close(world, fd, SOLO_CLOSE_WHOLE);
    (void)world->network->close(world, listener, SOLO_CLOSE_WHOLE);
}

static void test_transport_write__during_triggers_may_say_goodbye_before_connections_are_lost(void)
{
    worlds_run(goodbye_body);
}

static void write_outside_body(void)
{
    begin_counting();
    (void)connect_client();
    while (client.built == 0 || server.built == 0) {
        CU_ASSERT_EQUAL_FATAL(solo_reactor_iterate(reactor, SOLO_NEVER), 0);
    }
    say(client.last, "between ");
    say(client.last, "passes");
    CU_ASSERT_EQUAL(writes, 0);
    CU_ASSERT_EQUAL(solo_reactor_iterate(reactor, 0), 0);
    CU_ASSERT_EQUAL(writes, 1);
    while (server.last->received < 14) {
        CU_ASSERT_EQUAL_FATAL(solo_reactor_iterate(reactor, SOLO_NEVER), 0);
    }
    heard(server.last, "between passes");
    worlds_destroy(reactor);
    end_counting();
}

static void test_transport_write__what_is_written_outside_the_loop_leaves_in_the_next_pass(void)
{
    worlds_run_os(write_outside_body);
    worlds_run_sim(write_outside_body, 5);
}

void suite_transport_write(void)
{
    SOLO_SUITE("transport_write");
    SOLO_TEST(test_transport_write__writes_of_one_callback_leave_as_one);
    SOLO_TEST(test_transport_write__a_request_costs_one_read_and_one_write);
    SOLO_TEST(test_transport_write__writes_of_all_thread_calls_of_a_pass_leave_as_one);
    SOLO_TEST(test_transport_write__what_is_written_to_others_leaves_in_the_same_pass);
    SOLO_TEST(test_transport_write__much_leaves_at_once);
    SOLO_TEST(test_transport_write__who_has_sent_much_keeps_little);
    SOLO_TEST(test_transport_write__what_is_written_before_a_stop_is_still_tried);
    SOLO_TEST(test_transport_write__during_triggers_may_say_goodbye_before_connections_are_lost);
    SOLO_TEST(test_transport_write__what_is_written_outside_the_loop_leaves_in_the_next_pass);
}
