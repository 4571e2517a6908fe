/*
 * test_transport.c - TCP in both worlds with the same code: a server and its clients in one reactor, over the loopback
 * interface or the simulated network.
 */
#include "talkers.h"
#include <stdlib.h>

/* ---- A conversation ---- */

static void greet(struct talker *talker)
{
    say(talker, "hello, ");
    say(talker, "world");
}

static void echo(struct talker *talker, const char *data, size_t size)
{
    CU_ASSERT_EQUAL(solo_transport_write(talker->protocol.transport, data, size), 0);
}

static void lose_at_12(struct talker *talker, const char *data, size_t size)
{
    (void)data;
    (void)size;
    if (talker->received == 12) {
        lose(talker);
    }
}

static void conversation_body(void)
{
    begin();
    server.on_data = echo;
    client.on_made = greet;
    client.on_data = lose_at_12;
    server.on_lost = client.on_lost = stop_when_both_lost;
    (void)connect_client();
    CU_ASSERT_EQUAL(client.built, 0); /* never inside the call */
    run_and_end();
    heard(server.last, "hello, world");
    heard(client.last, "hello, world");
    CU_ASSERT_EQUAL(server.last->reason, SOLO_ECONNDONE);
    CU_ASSERT_EQUAL(client.last->reason, SOLO_ECONNDONE);
    CU_ASSERT_EQUAL(client.stopped, 1);
    CU_ASSERT_EQUAL(client.failed, 0);
}

static void test_transport__bytes_go_both_ways_and_each_side_hears_the_end_once(void)
{
    worlds_run(conversation_body);
}

static void server_loses_body(void)
{
    begin();
    server.on_data = lose_at_12;
    client.on_made = greet;
    server.on_lost = client.on_lost = stop_when_both_lost;
    (void)connect_client();
    run_and_end();
    heard(server.last, "hello, world");
    CU_ASSERT_EQUAL(client.last->reason, SOLO_ECONNDONE);
}

static void test_transport__lost_by_the_server_it_ends_for_the_client(void)
{
    worlds_run(server_loses_body);
}

/* ---- Order and completeness ---- */

enum { FLOOD = 3 * 1024 * 1024 };

static size_t flood_sent;

static char flood_byte(size_t i)
{
    return (char)(i * 131 + i / 509);
}

static void flood(struct talker *talker)
{
    static char block[10007];
    for (flood_sent = 0; flood_sent < FLOOD;) {
        size_t size = 1 + (flood_sent * 7) % sizeof block;
        size = size < FLOOD - flood_sent ? size : FLOOD - flood_sent;
        for (size_t i = 0; i < size; i++) {
            block[i] = flood_byte(flood_sent + i);
        }
        CU_ASSERT_EQUAL_FATAL(solo_transport_write(talker->protocol.transport, block, size), 0);
        flood_sent += size;
    }
    lose(talker);
    CU_ASSERT_EQUAL(solo_transport_write(talker->protocol.transport, "x", 1), SOLO_ECLOSING);
}

static void check_flood(struct talker *talker, const char *data, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        if (data[i] != flood_byte(talker->received - size + i)) {
            CU_FAIL_FATAL("a byte is wrong, missing or twice");
        }
    }
}

static void flood_body(void)
{
    begin();
    server.on_data = check_flood;
    client.on_made = flood;
    server.on_lost = client.on_lost = stop_when_both_lost;
    (void)connect_client();
    run_and_end();
    CU_ASSERT_EQUAL(server.last->received, FLOOD);
    CU_ASSERT_EQUAL(server.last->reason, SOLO_ECONNDONE);
    CU_ASSERT_EQUAL(client.last->reason, SOLO_ECONNDONE);
}

static void test_transport__every_byte_of_every_accepted_write_arrives_once_and_in_order(void)
{
    worlds_run_os(flood_body);
    worlds_run_sim(flood_body, 3);
}

static void farewell(struct talker *talker)
{
    say(talker, "bye");
    lose(talker);
    lose(talker); /* again is fine */
}

static void chatter(struct talker *talker)
{
    say(talker, "are you there?");
}

static void farewell_body(void)
{
    begin();
    server.on_made = farewell;
    client.on_made = chatter;
    server.on_lost = client.on_lost = stop_when_both_lost;
    (void)connect_client();
    run_and_end();
    heard(client.last, "bye");
    CU_ASSERT_EQUAL(server.last->reason, SOLO_ECONNDONE);
}

static void test_transport__what_was_written_before_losing_is_sent(void)
{
    worlds_run(farewell_body);
}

static void chatter_on(struct talker *talker)
{
    int error = 0;
    for (int i = 0; i < 3 && error == 0; i++) { /* the server has closed: some of these cannot arrive */
        error = solo_transport_write(talker->protocol.transport, "still there?", 12);
    }
    CU_ASSERT_TRUE(error == 0 || error == SOLO_ECLOSING);
}

static void broken_body(void)
{
    begin();
    server.on_made = farewell;
    client.on_made = chatter_on;
    server.on_lost = client.on_lost = stop_when_both_lost;
    (void)connect_client();
    run_and_end();
    heard(client.last, "bye");
    CU_ASSERT_EQUAL(client.lost, 1);
}

static void test_transport__what_arrived_is_delivered_although_sending_fails(void)
{
    worlds_run(broken_body);
}

static void limit(struct talker *talker)
{
    struct solo_transport *transport = talker->protocol.transport;
    static char block[1 << 20];
    int error = 0;
    unsigned accepted = 0;
    CU_ASSERT_EQUAL(solo_transport_write(transport, block, SOLO_WRITE_BUFFER_MAX + (size_t)1), SOLO_ELIMIT);
    while (error == 0 && accepted < 1000) {
        error = solo_transport_write(transport, block, sizeof block);
        accepted += error == 0;
    }
    CU_ASSERT_EQUAL(error, SOLO_ELIMIT);
    CU_ASSERT_TRUE(accepted >= 64 && accepted < 1000); /* all that the buffer holds, and what the network took */
    stop_now();
}

static void limit_body(void)
{
    begin();
    client.on_made = limit;
    (void)connect_client();
    run_and_end();
}

static void test_transport__a_full_write_buffer_refuses_the_whole_write(void)
{
    worlds_run_os(limit_body);
}

/* ---- Losing ---- */

static void lose_and_look(struct talker *talker)
{
    enum solo_transport_state state;
    lose(talker);
    CU_ASSERT_EQUAL(talker->losses, 0); /* never inside the call */
    CU_ASSERT_EQUAL(solo_transport_get_state(talker->protocol.transport, &state), 0);
    CU_ASSERT_EQUAL(state, SOLO_TRANSPORT_CLOSING);
    CU_ASSERT_EQUAL(solo_transport_write(talker->protocol.transport, "x", 1), SOLO_ECLOSING);
}

static void later_body(void)
{
    begin();
    client.on_made = lose_and_look;
    server.on_lost = client.on_lost = stop_when_both_lost;
    (void)connect_client();
    run_and_end();
    CU_ASSERT_EQUAL(client.lost, 1);
}

static void test_transport__connection_lost_comes_in_a_later_pass(void)
{
    worlds_run(later_body);
}

static void abort_it(struct talker *talker)
{
    say(talker, "never mind");
    CU_ASSERT_EQUAL(solo_transport_abort_connection(talker->protocol.transport), 0);
    CU_ASSERT_EQUAL(solo_transport_abort_connection(talker->protocol.transport), 0);
    CU_ASSERT_EQUAL(talker->losses, 0);
}

static void abort_body(void)
{
    begin();
    client.on_made = abort_it;
    server.on_lost = client.on_lost = stop_when_both_lost;
    (void)connect_client();
    run_and_end();
    CU_ASSERT_EQUAL(client.last->reason, SOLO_ECONNLOST);
    CU_ASSERT_EQUAL(server.last->reason, SOLO_ECONNLOST);
}

static void test_transport__an_abort_is_a_reset_for_the_other_side(void)
{
    worlds_run(abort_body);
}

static struct solo_transport *kept;

static void keep(struct talker *talker)
{
    kept = talker->protocol.transport;
    CU_ASSERT_EQUAL(solo_transport_ref(kept), 0);
    lose(talker);
}

static void use_lost(struct talker *talker)
{
    enum solo_transport_state state;
    CU_ASSERT_EQUAL(solo_transport_write(kept, "x", 1), SOLO_ECLOSED);
    CU_ASSERT_EQUAL(solo_transport_lose_connection(kept), SOLO_ECLOSED);
    CU_ASSERT_EQUAL(solo_transport_abort_connection(kept), SOLO_ECLOSED);
    worlds_expect(SOLO012_TRANSPORT_AFTER_LOST, 3);
    CU_ASSERT_EQUAL(solo_transport_get_state(kept, &state), 0);
    CU_ASSERT_EQUAL(state, SOLO_TRANSPORT_LOST);
    stop_when_both_lost(talker);
}

static void after_lost_body(void)
{
    begin();
    client.on_made = keep;
    client.on_lost = use_lost;
    server.on_lost = stop_when_both_lost;
    (void)connect_client();
    CU_ASSERT_EQUAL(solo_reactor_run(reactor), 0);
    CU_ASSERT_EQUAL(solo_transport_unref(kept), 0); /* the last reference */
    CU_ASSERT_EQUAL(solo_transport_write(kept, "x", 1), SOLO_ECLOSED);
    CU_ASSERT_EQUAL(solo_transport_unref(kept), SOLO_ECLOSED);
    worlds_expect(SOLO012_TRANSPORT_AFTER_LOST, 5);
    worlds.expected = worlds.found;
    worlds_destroy(reactor);
}

static void test_transport__use_after_connection_lost_is_refused_and_found(void)
{
    worlds_run(after_lost_body);
}

static void outlive_body(void)
{
    enum solo_transport_state state;
    struct solo_reactor *of = NULL;
    begin();
    client.on_made = keep;
    server.on_lost = client.on_lost = stop_when_both_lost;
    (void)connect_client();
    run_and_end();
    CU_ASSERT_EQUAL(solo_transport_get_reactor(kept, &of), 0);
    CU_ASSERT_PTR_EQUAL(of, reactor);
    CU_ASSERT_EQUAL(solo_transport_get_state(kept, &state), SOLO_ECLOSED); /* of the reactor */
    CU_ASSERT_EQUAL(solo_transport_unref(kept), 0);
}

static void test_transport__a_reference_may_outlive_the_reactor(void)
{
    worlds_run(outlive_body);
}

static void free_in_lost(struct solo_protocol *protocol, int reason)
{
    CU_ASSERT_EQUAL(reason, SOLO_ECONNDONE);
    note('f');
    free(protocol);
    if (strcmp(worlds.notes, "ff") == 0) {
        stop_now();
    }
}

static void hang_up_at_once(struct solo_protocol *protocol)
{
    CU_ASSERT_EQUAL(solo_transport_lose_connection(protocol->transport), 0);
}

static struct solo_protocol *build_on_heap(struct solo_factory *factory)
{
    static const struct solo_protocol_ops short_lived = {hang_up_at_once, NULL, free_in_lost};
    struct solo_protocol *protocol = calloc(1, sizeof *protocol);
    (void)factory;
    CU_ASSERT_PTR_NOT_NULL_FATAL(protocol);
    protocol->ops = &short_lived;
    return protocol;
}

static void free_body(void)
{
    struct solo_factory factory = {build_on_heap, NULL, NULL};
    uint16_t number = 0;
    reactor = worlds_reactor();
    CU_ASSERT_EQUAL(solo_reactor_listen_tcp(reactor, 0, &factory, &port), 0);
    CU_ASSERT_EQUAL(solo_port_get_number(port, &number), 0);
    CU_ASSERT_EQUAL(solo_reactor_connect_tcp(reactor, "127.0.0.1", number, &factory, NULL), 0);
    CU_ASSERT_EQUAL(solo_reactor_run(reactor), 0);
    worlds_destroy(reactor);
    noted("ff");
}

static void test_transport__a_protocol_may_be_freed_in_its_last_call(void)
{
    worlds_run(free_body);
}

static void stop_when_client_is_made(struct talker *talker)
{
    (void)talker;
    if (server.open == 1 && client.open == 1) {
        stop_now();
    }
}

static void reactor_stop_body(void)
{
    begin();
    client.on_made = server.on_made = stop_when_client_is_made;
    (void)connect_client();
    run_and_end();
    CU_ASSERT_EQUAL(client.last->reason, SOLO_ECONNLOST);
    CU_ASSERT_EQUAL(server.last->reason, SOLO_ECONNLOST);
    CU_ASSERT_EQUAL(client.stopped, 1);
}

static void test_transport__stopping_the_reactor_loses_all_connections(void)
{
    worlds_run(reactor_stop_body);
}

static void destroy_body(void)
{
    begin();
    (void)connect_client();
    for (int i = 0; i < 1000 && (server.open == 0 || client.open == 0); i++) {
        CU_ASSERT_EQUAL(solo_reactor_iterate(reactor, WORLDS_MS), 0);
    }
    CU_ASSERT_EQUAL(server.open, 1);
    worlds_destroy(reactor);
    CU_ASSERT_EQUAL(server.lost, 1);
    CU_ASSERT_EQUAL(client.lost, 1);
    CU_ASSERT_EQUAL(server.stopped, 1);
    CU_ASSERT_EQUAL(client.stopped, 1);
}

static void test_transport__destroying_the_reactor_loses_them_too(void)
{
    worlds_run(destroy_body);
}

static void say_and_stop(struct talker *talker)
{
    say(talker, "last words");
    lose(talker);
    stop_now();
}

static void stop_after_lose_body(void)
{
    begin();
    client.on_made = say_and_stop;
    (void)connect_client();
    run_and_end();
    CU_ASSERT_EQUAL(client.last->reason, SOLO_ECONNDONE); /* the loss was on its way already */
}

static void test_transport__a_loss_on_its_way_comes_before_the_reactor_ends(void)
{
    worlds_run(stop_after_lose_body);
}

/* ---- Connecting ---- */

static void stop_in_stopped(struct solo_factory *factory)
{
    stopped(factory);
    stop_now();
}

static void refused_body(void)
{
    begin();
    CU_ASSERT_EQUAL(solo_port_stop_listening(port), 0);
    client.factory.stopped = stop_in_stopped;
    (void)connect_client();
    CU_ASSERT_EQUAL(client.failed, 0); /* never inside the call */
    run_and_end();
    noted("SFC");
    CU_ASSERT_EQUAL(client.failure, -ECONNREFUSED);
    CU_ASSERT_EQUAL(client.built, 0);
    CU_ASSERT_EQUAL(client.stopped, 1);
}

static void test_connector__a_refusal_is_reported_in_a_later_pass(void)
{
    worlds_run(refused_body);
}

static void give_up_body(void)
{
    begin();
    client.factory.stopped = stop_in_stopped;
    struct solo_connector *connector = connect_client();
    CU_ASSERT_EQUAL(solo_connector_disconnect(connector), 0);
    CU_ASSERT_EQUAL(solo_connector_disconnect(connector), 0);
    CU_ASSERT_EQUAL(client.failed, 0);
    run_and_end();
    noted("FCS");
    CU_ASSERT_EQUAL(client.failure, SOLO_ECANCELLED);
}

static void test_connector__disconnected_while_connecting_it_fails_as_cancelled(void)
{
    worlds_run(give_up_body);
}

static struct solo_connector *the_connector;

static void disconnect(struct talker *talker)
{
    (void)talker;
    CU_ASSERT_EQUAL(solo_connector_disconnect(the_connector), 0);
}

static void disconnect_body(void)
{
    begin();
    client.on_made = disconnect;
    server.on_lost = client.on_lost = stop_when_both_lost;
    the_connector = connect_client();
    run_and_end();
    CU_ASSERT_EQUAL(client.last->reason, SOLO_ECONNDONE);
    CU_ASSERT_EQUAL(client.failed, 0);
    if (worlds.sim != NULL) { /* world os forgets ended objects in the end */
        CU_ASSERT_EQUAL(solo_connector_disconnect(the_connector), SOLO_ECLOSED);
        worlds_expect(SOLO006_USE_AFTER_END, 1);
    }
}

static void test_connector__disconnecting_loses_the_connection_it_made(void)
{
    worlds_run(disconnect_body);
}

static void unwanted_client_body(void)
{
    begin();
    client.unwanted = true;
    client.factory.stopped = stop_in_stopped;
    (void)connect_client();
    run_and_end();
    CU_ASSERT_EQUAL(client.stopped, 1);
    CU_ASSERT_EQUAL(client.failed, 0);
    CU_ASSERT_EQUAL(client.built, 0);
}

static void test_connector__without_a_protocol_the_connection_is_dropped(void)
{
    worlds_run(unwanted_client_body);
}

static void connecting_at_stop_body(void)
{
    begin();
    (void)connect_client();
    worlds_destroy(reactor); /* it never ran */
    CU_ASSERT_EQUAL(client.failed, 1);
    CU_ASSERT_EQUAL(client.failure, SOLO_ECONNLOST);
    CU_ASSERT_EQUAL(client.stopped, 1);
    CU_ASSERT_EQUAL(server.stopped, 1);
}

static void test_connector__the_reactors_end_is_a_failure(void)
{
    worlds_run(connecting_at_stop_body);
}

static void literals_body(void)
{
    begin();
    CU_ASSERT_EQUAL(solo_reactor_connect_tcp(reactor, "", 80, &client.factory, NULL), -EINVAL);
    CU_ASSERT_EQUAL(solo_reactor_connect_tcp(reactor, NULL, 80, &client.factory, NULL), -EINVAL);
    CU_ASSERT_EQUAL(solo_reactor_connect_tcp(reactor, "127.0.0.1", 0, &client.factory, NULL), -EINVAL);
    CU_ASSERT_EQUAL(solo_reactor_connect_tcp(reactor, "127.0.0.1", 80, NULL, NULL), -EINVAL);
    CU_ASSERT_EQUAL(solo_reactor_connect_tcp(NULL, "127.0.0.1", 80, &client.factory, NULL), -EINVAL);
    worlds_destroy(reactor);
}

static void test_connector__wants_a_host_and_a_port(void)
{
    worlds_run(literals_body);
}

/* ---- Listening ---- */

static void in_use_body(void)
{
    begin();
    CU_ASSERT_EQUAL(solo_reactor_listen_tcp(reactor, port_number, &server.factory, NULL), -EADDRINUSE);
    CU_ASSERT_EQUAL(solo_reactor_listen_tcp(reactor, 0, NULL, NULL), -EINVAL);
    CU_ASSERT_EQUAL(solo_reactor_listen_tcp(NULL, 0, &server.factory, NULL), -EINVAL);
    CU_ASSERT_EQUAL(solo_port_get_number(port, NULL), -EINVAL);
    CU_ASSERT_EQUAL(solo_port_get_number(NULL, &port_number), -EINVAL);
    CU_ASSERT_EQUAL(solo_port_stop_listening(NULL), -EINVAL);
    worlds_destroy(reactor);
    CU_ASSERT_EQUAL(server.stopped, 1); /* once, for the port that was */
}

static void test_port__a_port_in_use_is_refused(void)
{
    worlds_run(in_use_body);
}

static void stop_listening_body(void)
{
    begin();
    CU_ASSERT_EQUAL(solo_port_stop_listening(port), 0);
    noted(""); /* stopped comes in a later pass */
    CU_ASSERT_EQUAL(solo_port_stop_listening(port), SOLO_ECLOSED);
    CU_ASSERT_EQUAL(solo_reactor_iterate(reactor, 0), 0);
    noted("S");
    struct solo_port *again = NULL;
    CU_ASSERT_EQUAL(solo_reactor_listen_tcp(reactor, port_number, &server.factory, &again), 0); /* free again */
    CU_ASSERT_EQUAL(solo_port_stop_listening(port), SOLO_ECLOSED);
    worlds_expect(SOLO006_USE_AFTER_END, 1);
    worlds_destroy(reactor);
    noted("SS");
}

static void test_port__stopped_comes_once_and_later(void)
{
    worlds_run(stop_listening_body);
}

static void stop_port_and_talk(struct talker *talker)
{
    (void)talker;
    CU_ASSERT_EQUAL(solo_port_stop_listening(port), 0);
}

static void connections_live_on_body(void)
{
    begin();
    server.on_made = stop_port_and_talk;
    server.on_data = echo;
    client.on_made = greet;
    client.on_data = lose_at_12;
    server.on_lost = client.on_lost = stop_when_both_lost;
    (void)connect_client();
    run_and_end();
    heard(client.last, "hello, world");
}

static void test_port__connections_live_on_when_it_stops(void)
{
    worlds_run(connections_live_on_body);
}

static void unwanted_body(void)
{
    begin();
    server.unwanted = true;
    client.factory.stopped = stop_in_stopped;
    (void)connect_client();
    run_and_end();
    CU_ASSERT_EQUAL(client.lost, 1);
    CU_ASSERT_EQUAL(client.last->reason, SOLO_ECONNDONE);
    CU_ASSERT_EQUAL(server.built, 0);
    noted("NCS");
}

static void test_port__without_a_protocol_the_client_is_dropped(void)
{
    worlds_run(unwanted_body);
}

enum { CROWD = 40 };

static void lose_in_crowd(struct talker *talker, const char *data, size_t size)
{
    (void)data;
    (void)size;
    if (talker->received == 5) {
        heard(talker, "hello");
        lose(talker);
    }
}

static void greet_in_crowd(struct talker *talker)
{
    say(talker, "hello");
}

static void stop_when_crowd_is_gone(struct talker *talker)
{
    (void)talker;
    if (server.lost == CROWD && client.lost == CROWD) {
        stop_now();
    }
}

static void crowd_body(void)
{
    begin();
    server.on_made = greet_in_crowd;
    client.on_data = lose_in_crowd;
    server.on_lost = client.on_lost = stop_when_crowd_is_gone;
    for (int i = 0; i < CROWD; i++) {
        (void)connect_client();
    }
    run_and_end();
    CU_ASSERT_EQUAL(server.built, CROWD);
    CU_ASSERT_EQUAL(client.built, CROWD);
    CU_ASSERT_EQUAL(client.stopped, CROWD);
}

static void test_port__a_crowd_is_served_over_several_passes(void)
{
    worlds_run(crowd_body);
}

static int hoard[2048][2];
static int hoarded;

/* Takes every descriptor there is; the client's connection waits in the backlog. */
static void fill_up(void)
{
    while (hoarded < 2048 && solo_stream_pair(hoard[hoarded]) == 0) {
        hoarded++;
    }
}

static void free_some(void *arg)
{
    (void)arg;
    CU_ASSERT_EQUAL(server.built, 0);
    while (hoarded > 0) {
        hoarded--;
        (void)solo_stream_close(hoard[hoarded][0]);
        (void)solo_stream_close(hoard[hoarded][1]);
    }
}

static void shortage_body(void)
{
    begin();
    client.on_made = greet;
    server.on_data = echo;
    client.on_data = lose_at_12;
    server.on_lost = client.on_lost = stop_when_both_lost;
    (void)connect_client();
    fill_up();
    CU_ASSERT_EQUAL(solo_reactor_call_later(reactor, 250 * WORLDS_MS, free_some, NULL, NULL, NULL), 0);
    run_and_end();
    heard(client.last, "hello, world");
}

static void test_port__survives_without_descriptors_and_accepts_when_there_are_some(void)
{
    worlds_run_sim(shortage_body, 5);
}

static void after_stop_body(void)
{
    begin();
    worlds_run_to_end(reactor);
    CU_ASSERT_EQUAL(server.stopped, 1);
    CU_ASSERT_EQUAL(solo_reactor_listen_tcp(reactor, 0, &server.factory, NULL), SOLO_ECLOSING);
    CU_ASSERT_EQUAL(solo_reactor_connect_tcp(reactor, "127.0.0.1", 80, &client.factory, NULL), SOLO_ECLOSING);
    worlds_destroy(reactor);
}

static void test_port__a_stopped_reactor_takes_no_new_ones(void)
{
    worlds_run(after_stop_body);
}

/* ---- Threads ---- */

static void misuse(void *arg)
{
    struct solo_transport *transport = arg;
    enum solo_transport_state state;
    struct solo_reactor *of = NULL;
    CU_ASSERT_EQUAL(solo_transport_write(transport, "bad", 3), SOLO_EWRONGTHREAD);
    CU_ASSERT_EQUAL(solo_transport_lose_connection(transport), SOLO_EWRONGTHREAD);
    CU_ASSERT_EQUAL(solo_transport_abort_connection(transport), SOLO_EWRONGTHREAD);
    CU_ASSERT_EQUAL(solo_transport_get_state(transport, &state), SOLO_EWRONGTHREAD);
    CU_ASSERT_EQUAL(solo_port_stop_listening(port), SOLO_EWRONGTHREAD);
    CU_ASSERT_EQUAL(solo_reactor_listen_tcp(reactor, 0, &server.factory, NULL), SOLO_EWRONGTHREAD);
    CU_ASSERT_EQUAL(solo_reactor_connect_tcp(reactor, "127.0.0.1", 80, &client.factory, NULL), SOLO_EWRONGTHREAD);
    CU_ASSERT_EQUAL(solo_transport_get_reactor(transport, &of), 0);
    CU_ASSERT_PTR_EQUAL(of, reactor);
    CU_ASSERT_EQUAL(solo_transport_unref(transport), 0);
}

static void misused(int status, void *arg)
{
    CU_ASSERT_EQUAL(status, 0);
    (void)arg;
    say(client.last, "good");
    lose(client.last);
}

static void misuse_in_pool(struct talker *talker)
{
    CU_ASSERT_EQUAL(solo_transport_ref(talker->protocol.transport), 0);
    CU_ASSERT_EQUAL(solo_reactor_call_in_thread(reactor, misuse, talker->protocol.transport, misused), 0);
}

static void wrong_thread_body(void)
{
    begin();
    client.on_made = misuse_in_pool;
    server.on_lost = client.on_lost = stop_when_both_lost;
    (void)connect_client();
    run_and_end();
    heard(server.last, "good"); /* refused calls had no effect */
    worlds_expect(SOLO001_WRONG_THREAD, 7);
    const struct solo_violation *violation = worlds_finding(SOLO001_WRONG_THREAD);
    CU_ASSERT_STRING_EQUAL(violation->function, "solo_transport_write");
    CU_ASSERT_EQUAL(strncmp(violation->object, "transport#", 10), 0);
    CU_ASSERT_STRING_EQUAL(violation->owner, "main");
    CU_ASSERT_EQUAL(strncmp(violation->thread, "pool#", 5), 0);
}

static void test_transport__a_worker_is_refused_and_has_no_effect(void)
{
    worlds_run(wrong_thread_body);
}

static void write_for_worker(void *arg)
{
    CU_ASSERT_EQUAL(solo_transport_write(arg, "from the pool", 13), 0);
}

static void written(int status, void *arg)
{
    CU_ASSERT_EQUAL(status, 0);
    CU_ASSERT_EQUAL(solo_transport_lose_connection(arg), 0);
    CU_ASSERT_EQUAL(solo_transport_unref(arg), 0);
}

static void ask_reactor(void *arg)
{
    CU_ASSERT_EQUAL(solo_reactor_call_from_thread(reactor, write_for_worker, arg, written), 0);
}

static void use_in_pool(struct talker *talker)
{
    CU_ASSERT_EQUAL(solo_transport_ref(talker->protocol.transport), 0);
    CU_ASSERT_EQUAL(solo_reactor_call_in_thread(reactor, ask_reactor, talker->protocol.transport, NULL), 0);
}

static void right_thread_body(void)
{
    begin();
    client.on_made = use_in_pool;
    server.on_lost = client.on_lost = stop_when_both_lost;
    (void)connect_client();
    run_and_end();
    heard(server.last, "from the pool");
}

static void test_transport__a_worker_writes_by_way_of_the_reactor(void)
{
    worlds_run(right_thread_body);
}

static void bad_arguments(struct talker *talker)
{
    struct solo_transport *transport = talker->protocol.transport;
    CU_ASSERT_EQUAL(solo_transport_write(transport, NULL, 1), -EINVAL);
    CU_ASSERT_EQUAL(solo_transport_write(transport, NULL, 0), 0);
    CU_ASSERT_EQUAL(solo_transport_get_state(transport, NULL), -EINVAL);
    CU_ASSERT_EQUAL(solo_transport_get_reactor(transport, NULL), -EINVAL);
    CU_ASSERT_EQUAL(solo_transport_write((struct solo_transport *)(void *)reactor, "x", 1), -EINVAL);
    CU_ASSERT_EQUAL(solo_transport_write(NULL, "x", 1), -EINVAL);
    CU_ASSERT_EQUAL(solo_transport_lose_connection(NULL), -EINVAL);
    CU_ASSERT_EQUAL(solo_transport_abort_connection(NULL), -EINVAL);
    CU_ASSERT_EQUAL(solo_transport_ref(NULL), -EINVAL);
    CU_ASSERT_EQUAL(solo_transport_unref(NULL), -EINVAL);
    CU_ASSERT_EQUAL(solo_connector_disconnect(NULL), -EINVAL);
    stop_now();
}

static void bad_arguments_body(void)
{
    begin();
    client.on_made = bad_arguments;
    (void)connect_client();
    run_and_end();
    CU_ASSERT_EQUAL(client.built, 1);
}

static void test_transport__null_and_other_objects_are_refused(void)
{
    worlds_run(bad_arguments_body);
}

/* ---- Every fault once ---- */

static unsigned faults_asked, fault_wanted;

static size_t choose_fault(void *state, const struct solo_choice *choice)
{
    (void)state;
    return choice->kind == SOLO_CHOICE_FAULT && faults_asked++ == fault_wanted;
}

static int begin_faults(void *state, uint64_t seed)
{
    (void)state;
    (void)seed;
    faults_asked = 0;
    return 0;
}

static void try_to_greet(struct talker *talker)
{
    int error = solo_transport_write(talker->protocol.transport, "hello, world", 12);
    CU_ASSERT_TRUE(error == 0 || error == -ENOMEM);
}

static void try_to_echo(struct talker *talker, const char *data, size_t size)
{
    int error = solo_transport_write(talker->protocol.transport, data, size);
    CU_ASSERT_TRUE(error == 0 || error == -ENOMEM || error == SOLO_ECLOSING);
}

static void stop_if_running(void *arg)
{
    (void)solo_reactor_stop(arg);
}

/* A conversation in which any one thing may fail. Whatever it is, what began has its end. */
static void fragile_body(void *arg)
{
    int listening = -1, connecting = -1;
    uint16_t number = 0;
    (void)arg;
    memset(&server, 0, sizeof server);
    memset(&client, 0, sizeof client);
    server.factory = client.factory = (struct solo_factory){build, connection_failed, stopped};
    server.on_data = try_to_echo;
    client.on_made = try_to_greet;
    client.on_data = lose_at_12;
    talker_count = 0;
    if (solo_reactor_create(NULL, &reactor) < 0) {
        return;
    }
    listening = solo_reactor_listen_tcp(reactor, 0, &server.factory, &port);
    if (listening == 0) {
        CU_ASSERT_EQUAL(solo_port_get_number(port, &number), 0);
        connecting = solo_reactor_connect_tcp(reactor, "127.0.0.1", number, &client.factory, NULL);
    }
    if (solo_reactor_call_later(reactor, 1000 * WORLDS_MS, stop_if_running, reactor, NULL, NULL) == 0) {
        CU_ASSERT_EQUAL(solo_reactor_run(reactor), 0);
    }
    worlds_destroy(reactor);
    CU_ASSERT_EQUAL(server.built, server.lost);
    CU_ASSERT_EQUAL(client.built, client.lost);
    CU_ASSERT_EQUAL(server.stopped, listening == 0);
    CU_ASSERT_EQUAL(client.stopped, connecting == 0);
    CU_ASSERT_EQUAL(client.built + client.failed, connecting == 0);
}

static void test_transport__whatever_fails_once_each_beginning_has_its_end(void)
{
    static const struct solo_strategy strategy = {.name = "one fault", .begin = begin_faults, .choose = choose_fault};
    struct solo_sim_options options = {.strategy = &strategy, .faults_max = 1};
    struct solo_sim *sim = NULL;
    CU_ASSERT_EQUAL_FATAL(solo_sim_create(&options, &sim), 0);
    solo_violation_set_sink(worlds_catch, NULL);
    worlds.found = 0;
    for (fault_wanted = 0; fault_wanted == 0 || faults_asked >= fault_wanted; fault_wanted++) {
        int ending = solo_sim_run(sim, 1, fragile_body, NULL);
        CU_ASSERT_EQUAL(ending, SOLO_ENDING_RETURNED);
        CU_ASSERT_EQUAL(worlds.found, 0);
        if (ending != SOLO_ENDING_RETURNED || worlds.found > 0) {
            printf("fault %u\n", fault_wanted);
            worlds.found = 0;
        }
    }
    CU_ASSERT_TRUE(fault_wanted > 10);
    solo_sim_destroy(sim);
}

void suite_transport(void)
{
    SOLO_SUITE("transport");
    SOLO_TEST(test_transport__bytes_go_both_ways_and_each_side_hears_the_end_once);
    SOLO_TEST(test_transport__lost_by_the_server_it_ends_for_the_client);
    SOLO_TEST(test_transport__every_byte_of_every_accepted_write_arrives_once_and_in_order);
    SOLO_TEST(test_transport__what_was_written_before_losing_is_sent);
    SOLO_TEST(test_transport__what_arrived_is_delivered_although_sending_fails);
    SOLO_TEST(test_transport__a_full_write_buffer_refuses_the_whole_write);
    SOLO_TEST(test_transport__connection_lost_comes_in_a_later_pass);
    SOLO_TEST(test_transport__an_abort_is_a_reset_for_the_other_side);
    SOLO_TEST(test_transport__use_after_connection_lost_is_refused_and_found);
    SOLO_TEST(test_transport__a_reference_may_outlive_the_reactor);
    SOLO_TEST(test_transport__a_protocol_may_be_freed_in_its_last_call);
    SOLO_TEST(test_transport__stopping_the_reactor_loses_all_connections);
    SOLO_TEST(test_transport__destroying_the_reactor_loses_them_too);
    SOLO_TEST(test_transport__a_loss_on_its_way_comes_before_the_reactor_ends);
    SOLO_TEST(test_connector__a_refusal_is_reported_in_a_later_pass);
    SOLO_TEST(test_connector__disconnected_while_connecting_it_fails_as_cancelled);
    SOLO_TEST(test_connector__disconnecting_loses_the_connection_it_made);
    SOLO_TEST(test_connector__without_a_protocol_the_connection_is_dropped);
    SOLO_TEST(test_connector__the_reactors_end_is_a_failure);
    SOLO_TEST(test_connector__wants_a_host_and_a_port);
    SOLO_TEST(test_port__a_port_in_use_is_refused);
    SOLO_TEST(test_port__stopped_comes_once_and_later);
    SOLO_TEST(test_port__connections_live_on_when_it_stops);
    SOLO_TEST(test_port__without_a_protocol_the_client_is_dropped);
    SOLO_TEST(test_port__a_crowd_is_served_over_several_passes);
    SOLO_TEST(test_port__survives_without_descriptors_and_accepts_when_there_are_some);
    SOLO_TEST(test_port__a_stopped_reactor_takes_no_new_ones);
    SOLO_TEST(test_transport__a_worker_is_refused_and_has_no_effect);
    SOLO_TEST(test_transport__a_worker_writes_by_way_of_the_reactor);
    SOLO_TEST(test_transport__null_and_other_objects_are_refused);
    SOLO_TEST(test_transport__whatever_fails_once_each_beginning_has_its_end);
}
