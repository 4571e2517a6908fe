/* test_connector.c - addresses, UNIX names, options and time limits of connections, in both worlds. */
#include "refusing_world.h"
#include "talkers.h"
#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

static struct solo_address unix_name(const char *name)
{
    struct solo_address address = {.family = SOLO_UNIX};
    (void)snprintf(address.path, sizeof address.path, "/tmp/solo-test-%d-%s", (int)getpid(), name);
    return address;
}

/* ---- Addresses ---- */

static void check_client_addresses(struct talker *talker)
{
    struct solo_transport *transport = talker->protocol.transport;
    struct solo_address host = {0}, peer = {0}, at = {0};
    CU_ASSERT_EQUAL(solo_transport_get_host(transport, &host), 0);
    CU_ASSERT_EQUAL(solo_transport_get_peer(transport, &peer), 0);
    CU_ASSERT_EQUAL(solo_port_get_address(port, &at), 0);
    CU_ASSERT_EQUAL(memcmp(&peer, &at, sizeof peer), 0);
    CU_ASSERT_EQUAL(host.family, SOLO_INET);
    CU_ASSERT_EQUAL(host.host, SOLO_LOOPBACK);
    CU_ASSERT_EQUAL(solo_transport_get_host(transport, NULL), -EINVAL);
    CU_ASSERT_EQUAL(solo_transport_get_peer(transport, NULL), -EINVAL);
    CU_ASSERT_EQUAL(solo_transport_set_no_delay(transport, false), 0);
    CU_ASSERT_EQUAL(solo_transport_set_no_delay(transport, true), 0);
    CU_ASSERT_EQUAL(solo_transport_set_keep_alive(transport, true), 0);
    (void)snprintf(talker->text, sizeof talker->text, "%u", host.port);
}

static void check_server_addresses(struct talker *talker)
{
    struct solo_address peer = {0};
    CU_ASSERT_EQUAL(solo_transport_get_peer(talker->protocol.transport, &peer), 0);
    (void)snprintf(talker->text, sizeof talker->text, "%u", peer.port);
    lose(talker);
}

static void check_lost_addresses(struct talker *talker)
{
    struct solo_address peer = {0};
    CU_ASSERT_EQUAL(solo_transport_get_peer(talker->protocol.transport, &peer), 0);
    CU_ASSERT_EQUAL(peer.family, SOLO_INET);
    CU_ASSERT_EQUAL(solo_transport_get_host(talker->protocol.transport, &peer), SOLO_ECLOSED);
    stop_when_both_lost(talker);
}

static void addresses_body(void)
{
    begin();
    client.on_made = check_client_addresses;
    server.on_made = check_server_addresses;
    server.on_lost = client.on_lost = check_lost_addresses;
    (void)connect_client();
    run_and_end();
    CU_ASSERT_STRING_EQUAL(client.last->text, server.last->text);
}

static void test_connector__both_ends_know_where_the_other_one_is(void)
{
    worlds_run(addresses_body);
}

static void local_body(void)
{
    struct solo_address from = {.family = SOLO_INET, .host = SOLO_LOOPBACK}, at = {0}, peer = {0};
    struct solo_connect_options options = {.local = &from};
    struct solo_world *world = solo_world_current();
    int fd = -1;
    begin();
    CU_ASSERT_EQUAL(world->network->open(world, SOLO_OPEN_LISTENER, &from, NULL, &fd), 0);
    CU_ASSERT_EQUAL(world->network->query(world, fd, SOLO_QUERY_LOCAL, &from), 0);
    CU_ASSERT_EQUAL(world->network->close(world, fd, SOLO_CLOSE_WHOLE), 0);
    CU_ASSERT_EQUAL(solo_port_get_address(port, &at), 0);
    CU_ASSERT_EQUAL(solo_reactor_connect(reactor, &at, &options, &client.factory, NULL), 0);
    while (server.built == 0) {
        CU_ASSERT_EQUAL_FATAL(solo_reactor_iterate(reactor, SOLO_NEVER), 0);
    }
    CU_ASSERT_EQUAL(solo_transport_get_peer(server.last->protocol.transport, &peer), 0);
    CU_ASSERT_EQUAL(peer.port, from.port);
    worlds_destroy(reactor);
}

static void test_connector__a_client_may_say_where_it_comes_from(void)
{
    worlds_run(local_body);
}

/* ---- UNIX names ---- */

static void greet(struct talker *talker)
{
    say(talker, "hello over a name");
    lose(talker);
}

static void unix_body(void)
{
    const struct solo_address name = unix_name("a");
    struct solo_address at = {0};
    struct solo_port *second = NULL;
    uint16_t number = 1;
    begin();
    CU_ASSERT_EQUAL(solo_port_stop_listening(port), 0);
    CU_ASSERT_EQUAL(solo_reactor_listen_unix(reactor, name.path, &server.factory, &port), 0);
    CU_ASSERT_EQUAL(solo_reactor_listen_unix(reactor, name.path, &server.factory, &second), -EADDRINUSE);
    CU_ASSERT_EQUAL(solo_port_get_address(port, &at), 0);
    CU_ASSERT_STRING_EQUAL(at.path, name.path);
    CU_ASSERT_EQUAL(solo_port_get_number(port, &number), 0);
    CU_ASSERT_EQUAL(number, 0);
    CU_ASSERT_EQUAL(solo_reactor_connect_unix(reactor, name.path, &client.factory, NULL), 0);
    CU_ASSERT_EQUAL(client.built, 0); /* never inside the call */
    client.on_made = greet;
    server.on_lost = client.on_lost = stop_when_both_lost;
    CU_ASSERT_EQUAL(solo_reactor_run(reactor), 0);
    worlds_destroy(reactor);
    heard(server.last, "hello over a name");
    CU_ASSERT_EQUAL(server.stopped, 2);
    CU_ASSERT_EQUAL(server.open + client.open, 0);
    CU_ASSERT_EQUAL(access(name.path, F_OK), -1); /* it went with its port */
}

static void test_connector__a_unix_name_works_as_a_port_does(void)
{
    worlds_run(unix_body);
}

static void stop_and_fail(struct solo_factory *factory, int reason)
{
    connection_failed(factory, reason);
    stop_now();
}

static void no_name_body(void)
{
    const struct solo_address name = unix_name("b");
    char path[SOLO_ADDRESS_PATH_MAX + 2];
    memset(path, 'x', sizeof path);
    path[sizeof path - 1] = '\0';
    begin();
    client.factory.connection_failed = stop_and_fail;
    CU_ASSERT_EQUAL(solo_reactor_connect_unix(reactor, path, &client.factory, NULL), -ENAMETOOLONG);
    CU_ASSERT_EQUAL(solo_reactor_listen_unix(reactor, path, &server.factory, NULL), -ENAMETOOLONG);
    CU_ASSERT_EQUAL(solo_reactor_connect_unix(reactor, "", &client.factory, NULL), -EINVAL);
    CU_ASSERT_EQUAL(solo_reactor_connect_unix(reactor, name.path, &client.factory, NULL), 0);
    CU_ASSERT_EQUAL(client.failed, 0);
    run_and_end();
    CU_ASSERT_EQUAL(client.failure, -ENOENT);
    CU_ASSERT_EQUAL(client.stopped, 1);
}

static void test_connector__a_name_where_nobody_listens_fails_by_name(void)
{
    worlds_run(no_name_body);
}

/* ---- Time limits ---- */

/* Nobody accepts there and its queue is full: connecting stays undecided. Returns the listener. */
static int full_listener(struct solo_world *world, struct solo_address *ret_at, int *clients, unsigned count)
{
    const struct solo_address any = {.family = SOLO_INET, .host = SOLO_LOOPBACK};
    int fd = -1;
    CU_ASSERT_EQUAL(world->network->open(world, SOLO_OPEN_LISTENER, &any, NULL, &fd), 0);
    CU_ASSERT_EQUAL(world->network->query(world, fd, SOLO_QUERY_LOCAL, ret_at), 0);
    for (unsigned i = 0; i < count; i++) {
        CU_ASSERT_EQUAL(world->network->open(world, SOLO_OPEN_STREAM, NULL, ret_at, &clients[i]), 0);
    }
    return fd;
}

static void timeout_body(void)
{
    struct solo_world *world = solo_world_current();
    struct solo_connect_options options = {.timeout_ns = 5 * WORLDS_MS};
    struct solo_address at = {0};
    uint64_t before = 0, after = 0;
    int clients[128];
    begin();
    int listener = full_listener(world, &at, clients, 128);
    client.factory.connection_failed = stop_and_fail;
    CU_ASSERT_EQUAL(solo_reactor_now(reactor, &before), 0);
    CU_ASSERT_EQUAL(solo_reactor_connect(reactor, &at, &options, &client.factory, NULL), 0);
    CU_ASSERT_EQUAL(solo_reactor_run(reactor), 0);
    CU_ASSERT_EQUAL(solo_reactor_now(reactor, &after), 0);
    CU_ASSERT_EQUAL(client.failure, -ETIMEDOUT);
    CU_ASSERT_EQUAL(client.stopped, 1);
    CU_ASSERT_TRUE(after - before >= 5 * WORLDS_MS);
    worlds_destroy(reactor);
    for (unsigned i = 0; i < 128; i++) {
        CU_ASSERT_EQUAL(world->network->close(world, clients[i], SOLO_CLOSE_WHOLE), 0);
    }
    CU_ASSERT_EQUAL(world->network->close(world, listener, SOLO_CLOSE_WHOLE), 0);
}

/* Only the simulated backlog has a size that a test may count on. */
static void test_connector__what_is_not_decided_in_time_fails(void)
{
    worlds_run_sim(timeout_body, 5);
}

static void connected_in_time(struct talker *talker)
{
    (void)talker;
    CU_ASSERT_EQUAL(solo_reactor_call_later(reactor, 20 * WORLDS_MS, worlds_stop, reactor, NULL, NULL), 0);
}

static void in_time_body(void)
{
    struct solo_connect_options options = {.timeout_ns = 10 * WORLDS_MS};
    struct solo_address at = {0};
    begin();
    CU_ASSERT_EQUAL(solo_port_get_address(port, &at), 0);
    options.timeout_ns = worlds.sim == NULL ? SOLO_NEVER / 2 : options.timeout_ns; /* a slow machine is no finding */
    CU_ASSERT_EQUAL(solo_reactor_connect(reactor, &at, &options, &client.factory, NULL), 0);
    client.on_made = connected_in_time;
    run_and_end();
    CU_ASSERT_EQUAL(client.failed, 0);
    CU_ASSERT_EQUAL(client.lost, 1); /* with the reactor */
}

static void test_connector__a_limit_ends_with_the_connection(void)
{
    worlds_run_os(in_time_body);
    worlds_simulate(in_time_body, SOLO_CARRIER_FIBER, false, 1);
}

static void give_up_body(void)
{
    struct solo_connect_options options = {.timeout_ns = 1000 * WORLDS_MS};
    struct solo_connector *connector = NULL;
    struct solo_address at = {0};
    begin();
    client.factory.connection_failed = stop_and_fail;
    CU_ASSERT_EQUAL(solo_port_get_address(port, &at), 0);
    CU_ASSERT_EQUAL(solo_reactor_connect(reactor, &at, &options, &client.factory, &connector), 0);
    CU_ASSERT_EQUAL(solo_connector_disconnect(connector), 0);
    run_and_end();
    CU_ASSERT_EQUAL(client.failure, SOLO_ECANCELLED);
    CU_ASSERT_EQUAL(client.failed, 1);
}

static void test_connector__giving_up_ends_the_limit(void)
{
    worlds_run(give_up_body);
}

static void nonsense_body(void)
{
    struct solo_address at = {.family = SOLO_INET, .host = SOLO_LOOPBACK}, none = {0};
    begin();
    CU_ASSERT_EQUAL(solo_reactor_connect(reactor, &at, NULL, &client.factory, NULL), -EINVAL); /* port 0 */
    CU_ASSERT_EQUAL(solo_reactor_connect(reactor, &none, NULL, &client.factory, NULL), -EINVAL);
    CU_ASSERT_EQUAL(solo_reactor_connect(reactor, NULL, NULL, &client.factory, NULL), -EINVAL);
    at.port = port_number;
    CU_ASSERT_EQUAL(solo_reactor_connect(reactor, &at, NULL, NULL, NULL), -EINVAL);
    CU_ASSERT_EQUAL(solo_reactor_listen(reactor, &at, &server.factory, NULL), -EADDRINUSE);
    CU_ASSERT_EQUAL(solo_reactor_listen(reactor, NULL, &server.factory, NULL), -EINVAL);
    CU_ASSERT_EQUAL(solo_reactor_listen(reactor, &none, &server.factory, NULL), -EINVAL);
    CU_ASSERT_EQUAL(solo_reactor_listen(reactor, &at, NULL, NULL), -EINVAL);
    CU_ASSERT_EQUAL(solo_port_get_address(port, NULL), -EINVAL);
    worlds_destroy(reactor);
    CU_ASSERT_EQUAL(server.stopped, 1);
}

static void test_connector__nonsense_is_refused_and_keeps_nothing(void)
{
    worlds_run(nonsense_body);
}

/* ---- Host names ---- */

static void connect_to(const char *host, struct solo_connector **ret_connector)
{
    unsigned failed = client.failed;
    CU_ASSERT_EQUAL(solo_reactor_connect_tcp(reactor, host, port_number, &client.factory, ret_connector), 0);
    CU_ASSERT_EQUAL(client.failed, failed); /* never inside the call */
}

static void lose_it(struct talker *talker)
{
    lose(talker);
}

static void localhost_body(void)
{
    begin();
    client.on_made = lose_it;
    server.on_lost = client.on_lost = stop_when_both_lost;
    connect_to("localhost", NULL);
    run_and_end();
    CU_ASSERT_EQUAL(client.built, 1);
    CU_ASSERT_EQUAL(client.stopped, 1);
}

static void test_connector__a_host_that_is_known_is_connected_to(void)
{
    worlds_run(localhost_body);
}

static void give_name(const char *name)
{
    struct solo_addresses addresses = {.count = 2, .addresses = {SOLO_LOOPBACK, 0x0a000001}};
    CU_ASSERT_EQUAL(solo_sim_add_name(name, &addresses, 5 * WORLDS_MS), 0);
}

static void named_body(void)
{
    struct solo_address peer = {0};
    begin();
    give_name("chat.example");
    client.on_made = lose_it;
    server.on_lost = client.on_lost = stop_when_both_lost;
    connect_to("chat.example", NULL);
    run_and_end();
    CU_ASSERT_EQUAL(client.built, 1);
    CU_ASSERT_EQUAL(solo_transport_get_peer(client.last->protocol.transport, &peer), SOLO_ECLOSED);
    worlds_expect(SOLO012_TRANSPORT_AFTER_LOST, 1);
}

static void test_connector__goes_to_the_first_address_of_a_name_that_answers(void)
{
    worlds_run_sim(named_body, WORLDS_SEEDS);
}

/* ---- IPv6, and one address after the other ---- */

/* Listens at [::1] instead; false, and nothing is left, on a machine without IPv6. */
static bool listen_at_six(void)
{
    struct solo_address at;
    struct solo_port *six = NULL;
    CU_ASSERT_EQUAL(solo_address_inet6("::1", 0, &at), 0);
    int error = solo_reactor_listen(reactor, &at, &server.factory, &six);
    if (error == -EADDRNOTAVAIL || error == -EAFNOSUPPORT) {
        CU_PASS("this machine has no IPv6");
        return false;
    }
    CU_ASSERT_EQUAL_FATAL(error, 0);
    CU_ASSERT_EQUAL(solo_port_stop_listening(port), 0);
    port = six;
    CU_ASSERT_EQUAL(solo_port_get_number(port, &port_number), 0);
    return true;
}

static void check_six(struct talker *talker)
{
    struct solo_address host = {0}, peer = {0};
    CU_ASSERT_EQUAL(solo_transport_get_host(talker->protocol.transport, &host), 0);
    CU_ASSERT_EQUAL(solo_transport_get_peer(talker->protocol.transport, &peer), 0);
    CU_ASSERT_EQUAL(host.family, SOLO_INET6);
    CU_ASSERT_EQUAL(peer.family, SOLO_INET6);
    CU_ASSERT_EQUAL(peer.host6[15], 1);
    CU_ASSERT_EQUAL(talker->side == &client ? peer.port : host.port, port_number);
    CU_ASSERT_EQUAL(solo_transport_set_no_delay(talker->protocol.transport, false), 0);
    CU_ASSERT_EQUAL(solo_transport_set_keep_alive(talker->protocol.transport, true), 0);
    if (talker->side == &client) {
        say(talker, "hello, six");
        lose(talker);
    }
}

static void six_body(void)
{
    begin();
    if (!listen_at_six()) {
        worlds_destroy(reactor);
        return;
    }
    client.on_made = server.on_made = check_six;
    server.on_lost = client.on_lost = stop_when_both_lost;
    connect_to("[::1]", NULL);
    CU_ASSERT_EQUAL(solo_reactor_run(reactor), 0);
    worlds_destroy(reactor);
    heard(server.last, "hello, six");
    CU_ASSERT_EQUAL(client.stopped, 1);
}

static void test_connector__an_ipv6_literal_is_connected_to(void)
{
    worlds_run(six_body);
}

static void check_four(struct talker *talker)
{
    struct solo_address peer = {0};
    CU_ASSERT_EQUAL(solo_transport_get_peer(talker->protocol.transport, &peer), 0);
    CU_ASSERT_EQUAL(peer.family, SOLO_INET);
    lose(talker);
}

/* At ::1 nobody listens, or there is no such thing; at 127.0.0.1 somebody does. */
static void next_body(void)
{
    const struct solo_addresses both = {
        .count = 1, .addresses = {SOLO_LOOPBACK}, .count6 = 1, .addresses6 = {{[15] = 1}}};
    begin();
    CU_ASSERT_EQUAL(solo_reactor_set_host(reactor, "both.example", &both), 0);
    client.on_made = check_four;
    server.on_lost = client.on_lost = stop_when_both_lost;
    connect_to("both.example", NULL);
    run_and_end();
    CU_ASSERT_EQUAL(client.built, 1);
    CU_ASSERT_EQUAL(client.failed, 0);
    CU_ASSERT_EQUAL(client.stopped, 1);
}

static void test_connector__tries_the_next_address_when_one_fails(void)
{
    worlds_run(next_body);
}

static void none_body(void)
{
    const struct solo_addresses both = {
        .count = 2, .addresses = {SOLO_LOOPBACK, SOLO_LOOPBACK + 1}, .count6 = 1, .addresses6 = {{[15] = 1}}};
    begin();
    CU_ASSERT_EQUAL(solo_port_stop_listening(port), 0);
    CU_ASSERT_EQUAL(solo_reactor_set_host(reactor, "both.example", &both), 0);
    client.factory.connection_failed = stop_and_fail;
    connect_to("both.example", NULL);
    CU_ASSERT_EQUAL(client.failed, 0); /* never inside the call */
    run_and_end();
    CU_ASSERT_EQUAL(client.failed, 1);
    CU_ASSERT_EQUAL(client.failure, -ECONNREFUSED);
    CU_ASSERT_EQUAL(client.stopped, 1);
}

static void test_connector__fails_once_when_all_addresses_have_failed(void)
{
    worlds_run(none_body);
}

static void connect_to_silent(uint64_t timeout_ns, uint64_t each_ns)
{
    const struct solo_addresses silent = {.count = 2, .addresses = {0xc0000201, SOLO_LOOPBACK}, .count6 = 0};
    const struct solo_connect_options options = {.timeout_ns = timeout_ns, .each_ns = each_ns};
    CU_ASSERT_EQUAL(solo_sim_add_name("silent.example", &silent, 1000 * WORLDS_MS), 0);
    CU_ASSERT_EQUAL(solo_reactor_connect_host(reactor, "silent.example", port_number, &options, &client.factory, NULL),
                    0);
}

static uint64_t begun_ns;

static void check_time_and_lose(struct talker *talker)
{
    uint64_t now_ns = 0;
    CU_ASSERT_EQUAL(solo_reactor_now(reactor, &now_ns), 0);
    CU_ASSERT_TRUE(now_ns - begun_ns >= 6000 * WORLDS_MS); /* the look-up, and five seconds of silence */
    lose(talker);
}

static void silent_body(void)
{
    begin();
    CU_ASSERT_EQUAL(solo_reactor_now(reactor, &begun_ns), 0);
    client.on_made = check_time_and_lose;
    server.on_lost = client.on_lost = stop_when_both_lost;
    connect_to_silent(0, 0);
    run_and_end();
    CU_ASSERT_EQUAL(client.built, 1);
}

static void test_connector__an_address_that_does_not_answer_is_left_after_five_seconds(void)
{
    worlds_run_sim(silent_body, WORLDS_SEEDS);
}

/* A listener of 127.0.0.2 that accepts nobody, with clients enough that the system answers no further one. */
enum { FILLING = 8 };

static int silent_in_os(int clients[FILLING])
{
    const struct sockaddr_in at = {
        .sin_family = AF_INET, .sin_port = htons(port_number), .sin_addr = {htonl(SOLO_LOOPBACK + 1)}};
    int on = 1, fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    CU_ASSERT_TRUE_FATAL(fd >= 0);
    CU_ASSERT_EQUAL(setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on), 0);
    CU_ASSERT_EQUAL_FATAL(bind(fd, (const struct sockaddr *)&at, sizeof at), 0);
    CU_ASSERT_EQUAL(listen(fd, 0), 0);
    for (int i = 0; i < FILLING; i++) {
        clients[i] = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
        (void)connect(clients[i], (const struct sockaddr *)&at, sizeof at);
    }
    return fd;
}

static void check_patience_and_lose(struct talker *talker)
{
    uint64_t now_ns = 0;
    CU_ASSERT_EQUAL(solo_reactor_now(reactor, &now_ns), 0);
    CU_ASSERT_TRUE(now_ns - begun_ns >= 20 * WORLDS_MS);
    check_four(talker);
}

static void silent_os_body(void)
{
    const struct solo_addresses both = {.count = 2, .addresses = {SOLO_LOOPBACK + 1, SOLO_LOOPBACK}};
    const struct solo_connect_options options = {.each_ns = 20 * WORLDS_MS};
    int clients[FILLING];
    begin();
    int silent = silent_in_os(clients);
    CU_ASSERT_EQUAL(solo_reactor_now(reactor, &begun_ns), 0);
    CU_ASSERT_EQUAL(solo_reactor_set_host(reactor, "silent.example", &both), 0);
    client.on_made = check_patience_and_lose;
    server.on_lost = client.on_lost = stop_when_both_lost;
    CU_ASSERT_EQUAL(solo_reactor_connect_host(reactor, "silent.example", port_number, &options, &client.factory, NULL),
                    0);
    run_and_end();
    CU_ASSERT_EQUAL(client.built, 1);
    CU_ASSERT_EQUAL(server.built, 1);
    for (int i = 0; i < FILLING; i++) {
        (void)close(clients[i]);
    }
    (void)close(silent);
}

static void test_connector__a_real_address_that_does_not_answer_is_left_too(void)
{
    worlds_run_os(silent_os_body);
}

static void whole_body(void)
{
    begin();
    CU_ASSERT_EQUAL(solo_reactor_now(reactor, &begun_ns), 0);
    client.factory.connection_failed = stop_and_fail;
    connect_to_silent(1500 * WORLDS_MS, 700 * WORLDS_MS);
    CU_ASSERT_EQUAL(solo_port_stop_listening(port), 0);
    run_and_end();
    CU_ASSERT_EQUAL(client.failed, 1);
    CU_ASSERT_EQUAL(client.failure, -ETIMEDOUT);
    CU_ASSERT_EQUAL(client.stopped, 1);
}

static void test_connector__the_limit_holds_for_look_up_and_addresses_together(void)
{
    worlds_run_sim(whole_body, WORLDS_SEEDS);
}

static void short_limit_body(void)
{
    begin();
    client.factory.connection_failed = stop_and_fail;
    connect_to_silent(500 * WORLDS_MS, 0);
    run_and_end();
    CU_ASSERT_EQUAL(client.failed, 1);
    CU_ASSERT_EQUAL(client.failure, -ETIMEDOUT);
    CU_ASSERT_EQUAL(client.stopped, 1);
}

static void test_connector__the_limit_may_end_the_look_up(void)
{
    worlds_run_sim(short_limit_body, WORLDS_SEEDS);
}

static int never_resolve(struct solo_resolver *resolver, struct solo_reactor *of, const char *name,
                         struct solo_addresses *addresses, struct solo_deferred **ret_deferred)
{
    (void)resolver;
    (void)name;
    (void)addresses;
    return solo_deferred_create(of, NULL, NULL, ret_deferred);
}

static void never_resolved_body(void)
{
    static struct solo_resolver never = {never_resolve};
    const struct solo_connect_options options = {.timeout_ns = 5 * WORLDS_MS};
    begin();
    CU_ASSERT_EQUAL(solo_reactor_install_resolver(reactor, &never, NULL), 0);
    client.factory.connection_failed = stop_and_fail;
    CU_ASSERT_EQUAL(solo_reactor_connect_host(reactor, "a.name", 80, &options, &client.factory, NULL), 0);
    CU_ASSERT_EQUAL(solo_reactor_connect_host(reactor, "", 80, &options, &client.factory, NULL), -EINVAL);
    CU_ASSERT_EQUAL(solo_reactor_connect_host(reactor, "a.name", 0, NULL, &client.factory, NULL), -EINVAL);
    CU_ASSERT_EQUAL(solo_reactor_connect_host(reactor, "a.name", 80, NULL, NULL, NULL), -EINVAL);
    run_and_end();
    CU_ASSERT_EQUAL(client.failed, 1);
    CU_ASSERT_EQUAL(client.failure, -ETIMEDOUT);
    CU_ASSERT_EQUAL(client.stopped, 1);
}

static void test_connector__the_limit_holds_for_a_name_that_is_never_found(void)
{
    worlds_run(never_resolved_body);
}

static void give_up_silent_body(void)
{
    struct solo_connector *connector = NULL;
    const struct solo_addresses silent = {.count = 2, .addresses = {0xc0000201, SOLO_LOOPBACK}};
    begin();
    CU_ASSERT_EQUAL(solo_reactor_set_host(reactor, "silent.example", &silent), 0);
    client.factory.connection_failed = stop_and_fail;
    connect_to("silent.example", &connector);
    CU_ASSERT_EQUAL(solo_connector_disconnect(connector), 0);
    run_and_end();
    CU_ASSERT_EQUAL(client.failure, SOLO_ECANCELLED);
    CU_ASSERT_EQUAL(client.built, 0); /* the next address is not tried */
}

static void test_connector__giving_up_leaves_the_other_addresses_untried(void)
{
    worlds_run_sim(give_up_silent_body, WORLDS_SEEDS);
}

static void stop_factory(struct solo_factory *factory)
{
    stopped(factory);
    stop_now();
}

/* The system knows without asking anybody that this has a number too many; a simulation knows no names at all. */
static void unknown_body(void)
{
    begin();
    client.factory.stopped = stop_factory;
    connect_to("1.2.3.4.5", NULL);
    run_and_end();
    CU_ASSERT_EQUAL(client.failure, SOLO_ENAME);
    CU_ASSERT_EQUAL(client.failed, 1);
    noted("FCS");
}

static void test_connector__to_no_name_fails_as_any_attempt_does(void)
{
    worlds_run(unknown_body);
}

static void give_up_name_body(void)
{
    struct solo_connector *connector = NULL;
    begin();
    client.factory.stopped = stop_factory;
    connect_to("1.2.3.4.5", &connector);
    CU_ASSERT_EQUAL(solo_connector_disconnect(connector), 0);
    CU_ASSERT_EQUAL(client.failed, 0);
    CU_ASSERT_EQUAL(solo_connector_disconnect(connector), 0); /* it ends already */
    run_and_end();
    CU_ASSERT_EQUAL(client.failure, SOLO_ECANCELLED);
    noted("FCS");
}

static void test_connector__a_look_up_can_be_given_up(void)
{
    worlds_run(give_up_name_body);
}

static void end_name_body(void)
{
    begin();
    connect_to("1.2.3.4.5", NULL);
    worlds_destroy(reactor);
    CU_ASSERT_EQUAL(client.failed, 1);
    CU_ASSERT_EQUAL(client.stopped, 1);
}

static void test_connector__the_end_of_the_reactor_ends_a_look_up(void)
{
    worlds_run(end_name_body);
}

static void name_memory_body(void)
{
    memset(&client, 0, sizeof client);
    client.factory = (struct solo_factory){build, connection_failed, stopped};
    if (solo_reactor_create(NULL, &reactor) < 0) {
        return;
    }
    int status = solo_reactor_connect_tcp(reactor, "1.2.3.4.5", 80, &client.factory, NULL);
    CU_ASSERT_TRUE(status == 0 || status == -ENOMEM);
    worlds_destroy(reactor);
    CU_ASSERT_EQUAL(client.failed, status == 0);
    CU_ASSERT_EQUAL(client.stopped, status == 0);
}

static void test_connector__refused_memory_looks_up_nothing(void)
{
    CU_ASSERT_TRUE(refusing_run(name_memory_body, REFUSE_FOR_GOOD) >= 2 + 2 + 3);
}

/* Two addresses where nobody listens, a limit for each and one for both. */
static void addresses_memory_body(void)
{
    const struct solo_addresses both = {.count = 2, .addresses = {SOLO_LOOPBACK, SOLO_LOOPBACK + 1}};
    const struct solo_connect_options options = {.timeout_ns = 60000 * WORLDS_MS, .each_ns = 30000 * WORLDS_MS};
    memset(&client, 0, sizeof client);
    client.factory = (struct solo_factory){build, stop_and_fail, stopped};
    if (solo_reactor_create(NULL, &reactor) < 0) {
        return;
    }
    int status = solo_reactor_set_host(reactor, "both.example", &both);
    if (status == 0) {
        status = solo_reactor_connect_host(reactor, "both.example", 1, &options, &client.factory, NULL);
    }
    if (status == 0) {
        CU_ASSERT_EQUAL(solo_reactor_run(reactor), 0);
    }
    worlds_destroy(reactor);
    CU_ASSERT_TRUE(status == 0 || status == -ENOMEM);
    CU_ASSERT_TRUE(client.failure == 0 || client.failure == -ECONNREFUSED || client.failure == -ENOMEM);
    CU_ASSERT_EQUAL(client.failed, status == 0);
    CU_ASSERT_EQUAL(client.stopped, status == 0);
}

static void test_connector__whatever_is_refused_it_fails_once(void)
{
    CU_ASSERT_TRUE(refusing_run(addresses_memory_body, REFUSE_NETWORK | REFUSE_FOR_GOOD) >= 8);
}

/* ---- Callbacks that end what calls them ---- */

static struct solo_connector *given_up;

static struct solo_protocol *build_and_give_up(struct solo_factory *factory)
{
    CU_ASSERT_EQUAL(solo_connector_disconnect(given_up), 0);
    return build(factory);
}

static void give_up_while_building_body(void)
{
    begin();
    client.factory.build_protocol = build_and_give_up;
    client.on_lost = server.on_lost = stop_when_both_lost;
    given_up = connect_client();
    run_and_end();
    CU_ASSERT_EQUAL(client.built, 1);
    CU_ASSERT_EQUAL(client.lost, 1);
    CU_ASSERT_EQUAL(client.last->reason, SOLO_ECONNDONE);
    CU_ASSERT_EQUAL(client.stopped, 1);
}

static void test_connector__may_be_given_up_while_its_protocol_is_built(void)
{
    worlds_run(give_up_while_building_body);
}

static struct solo_protocol *build_none_and_give_up(struct solo_factory *factory)
{
    CU_ASSERT_EQUAL(solo_connector_disconnect(given_up), 0);
    (void)factory;
    return NULL;
}

static void give_up_without_protocol_body(void)
{
    begin();
    client.factory.build_protocol = build_none_and_give_up;
    client.factory.stopped = stop_factory;
    given_up = connect_client();
    run_and_end();
    CU_ASSERT_EQUAL(client.built, 0);
    CU_ASSERT_EQUAL(client.failed, 0);
    CU_ASSERT_EQUAL(client.stopped, 1);
}

static void test_connector__may_be_given_up_where_no_protocol_is_wanted(void)
{
    worlds_run(give_up_without_protocol_body);
}

enum { AGAIN_MAX = 50 };

static unsigned tried_again;
static int refused_with;

static void connect_again(struct solo_factory *factory)
{
    if (tried_again++ < AGAIN_MAX) {
        int status = solo_reactor_connect_tcp(reactor, "127.0.0.1", port_number, factory, NULL);
        refused_with = status < 0 ? status : refused_with;
    }
}

static void fail_and_connect_again(struct solo_factory *factory, int reason)
{
    (void)reason;
    connect_again(factory);
}

static void lost_and_connect_again(struct talker *talker)
{
    connect_again(&talker->side->factory);
}

static void stop_when_made(struct talker *talker)
{
    (void)talker;
    (void)solo_reactor_stop(reactor);
}

/* It comes back at once, whatever ends it; but what ends is the reactor. */
static void again_body(void)
{
    begin();
    tried_again = 0;
    refused_with = 0;
    client.factory.connection_failed = fail_and_connect_again;
    client.on_made = stop_when_made;
    client.on_lost = lost_and_connect_again;
    (void)connect_client();
    run_and_end();
    CU_ASSERT_TRUE(tried_again <= 1);
    CU_ASSERT_EQUAL(refused_with, SOLO_ECLOSING);
}

static void test_connector__whoever_comes_back_at_once_does_not_hold_up_a_stop(void)
{
    worlds_run(again_body);
}

/* A resolver that has a second way to find out, and takes it whatever became of the first. */
static struct solo_deferred *second_way;

static struct solo_result try_second_way(struct solo_result result, void *arg)
{
    (void)result;
    (void)arg;
    return solo_wait_for(second_way);
}

static int resolve_in_two_ways(struct solo_resolver *resolver, struct solo_reactor *of, const char *name,
                               struct solo_addresses *addresses, struct solo_deferred **ret_deferred)
{
    struct solo_deferred *deferred = NULL;
    (void)resolver;
    (void)name;
    (void)addresses;
    CU_ASSERT_EQUAL(solo_deferred_create(of, NULL, NULL, &second_way), 0);
    CU_ASSERT_EQUAL(solo_deferred_create(of, NULL, NULL, &deferred), 0);
    CU_ASSERT_EQUAL(solo_deferred_add(deferred, NULL, try_second_way, NULL), 0);
    *ret_deferred = deferred;
    return 0;
}

static struct solo_resolver two_ways = {resolve_in_two_ways};

static void answer_too_late(void *arg)
{
    struct solo_addresses *none = arg;
    CU_ASSERT_EQUAL(solo_deferred_fire(second_way, solo_value(none)), 0);
    stop_now();
}

static void second_way_body(void)
{
    struct solo_addresses none = {0};
    begin();
    CU_ASSERT_EQUAL(solo_reactor_install_resolver(reactor, &two_ways, NULL), 0);
    connect_to("a.name", &given_up);
    CU_ASSERT_EQUAL(solo_connector_disconnect(given_up), 0);
    CU_ASSERT_EQUAL(solo_reactor_call_later(reactor, 5 * WORLDS_MS, answer_too_late, &none, NULL, NULL), 0);
    run_and_end();
    CU_ASSERT_EQUAL(client.failed, 1);
    CU_ASSERT_EQUAL(client.failure, SOLO_ECANCELLED);
    CU_ASSERT_EQUAL(client.stopped, 1);
}

static void test_connector__an_answer_after_it_was_given_up_finds_nobody(void)
{
    worlds_run(second_way_body);
}

static void answer_at_last(struct solo_factory *factory)
{
    static struct solo_addresses none;
    stopped(factory);
    CU_ASSERT_EQUAL(solo_deferred_fire(second_way, solo_value(&none)), 0);
}

static void end_second_way_body(void)
{
    begin();
    CU_ASSERT_EQUAL(solo_reactor_install_resolver(reactor, &two_ways, NULL), 0);
    client.factory.stopped = answer_at_last;
    connect_to("a.name", NULL);
    worlds_destroy(reactor);
    CU_ASSERT_EQUAL(client.failed, 1);
    CU_ASSERT_EQUAL(client.failure, SOLO_ECONNLOST);
    CU_ASSERT_EQUAL(client.stopped, 1);
}

static void test_connector__the_end_of_the_reactor_does_not_wait_for_a_second_way(void)
{
    worlds_run(end_second_way_body);
}

void suite_connector(void)
{
    SOLO_SUITE("connector");
    SOLO_TEST(test_connector__both_ends_know_where_the_other_one_is);
    SOLO_TEST(test_connector__a_client_may_say_where_it_comes_from);
    SOLO_TEST(test_connector__a_unix_name_works_as_a_port_does);
    SOLO_TEST(test_connector__a_name_where_nobody_listens_fails_by_name);
    SOLO_TEST(test_connector__what_is_not_decided_in_time_fails);
    SOLO_TEST(test_connector__a_limit_ends_with_the_connection);
    SOLO_TEST(test_connector__giving_up_ends_the_limit);
    SOLO_TEST(test_connector__nonsense_is_refused_and_keeps_nothing);
    SOLO_TEST(test_connector__a_host_that_is_known_is_connected_to);
    SOLO_TEST(test_connector__goes_to_the_first_address_of_a_name_that_answers);
    SOLO_TEST(test_connector__an_ipv6_literal_is_connected_to);
    SOLO_TEST(test_connector__tries_the_next_address_when_one_fails);
    SOLO_TEST(test_connector__fails_once_when_all_addresses_have_failed);
    SOLO_TEST(test_connector__an_address_that_does_not_answer_is_left_after_five_seconds);
    SOLO_TEST(test_connector__a_real_address_that_does_not_answer_is_left_too);
    SOLO_TEST(test_connector__the_limit_holds_for_look_up_and_addresses_together);
    SOLO_TEST(test_connector__the_limit_may_end_the_look_up);
    SOLO_TEST(test_connector__the_limit_holds_for_a_name_that_is_never_found);
    SOLO_TEST(test_connector__giving_up_leaves_the_other_addresses_untried);
    SOLO_TEST(test_connector__to_no_name_fails_as_any_attempt_does);
    SOLO_TEST(test_connector__a_look_up_can_be_given_up);
    SOLO_TEST(test_connector__the_end_of_the_reactor_ends_a_look_up);
    SOLO_TEST(test_connector__refused_memory_looks_up_nothing);
    SOLO_TEST(test_connector__whatever_is_refused_it_fails_once);
    SOLO_TEST(test_connector__may_be_given_up_while_its_protocol_is_built);
    SOLO_TEST(test_connector__may_be_given_up_where_no_protocol_is_wanted);
    SOLO_TEST(test_connector__whoever_comes_back_at_once_does_not_hold_up_a_stop);
    SOLO_TEST(test_connector__an_answer_after_it_was_given_up_finds_nobody);
    SOLO_TEST(test_connector__the_end_of_the_reactor_does_not_wait_for_a_second_way);
}
