/* test_reconnector.c - clients that connect again, in both worlds. */
#include "talkers.h"

static struct solo_reconnector *reconnector;
static uint64_t failed_at[8];

/* Nobody listens there: the port that begin() found, closed again. */
static void begin_without_server(struct solo_address *ret_remote)
{
    begin();
    CU_ASSERT_EQUAL(solo_port_get_address(port, ret_remote), 0);
    CU_ASSERT_EQUAL(solo_port_stop_listening(port), 0);
    reconnector = NULL;
    memset(failed_at, 0, sizeof failed_at);
}

static void note_failure(struct solo_factory *factory, int reason)
{
    CU_ASSERT_EQUAL(reason, -ECONNREFUSED);
    if (client.failed < 8) {
        CU_ASSERT_EQUAL(solo_reactor_now(reactor, &failed_at[client.failed]), 0);
    }
    connection_failed(factory, reason);
}

static void stopped_for_good(struct solo_factory *factory)
{
    stopped(factory);
    stop_now();
}

/* ---- Failures ---- */

static void growing_body(void)
{
    const struct solo_reconnect_options options = {
        .delay_ns = WORLDS_MS, .delay_max_ns = 5 * WORLDS_MS, .growth_percent = 200, .exact = true, .failures_max = 6};
    struct solo_address remote;
    begin_without_server(&remote);
    client.factory.connection_failed = note_failure;
    client.factory.stopped = stopped_for_good;
    CU_ASSERT_EQUAL(solo_reactor_connect_retrying(reactor, &remote, &options, &client.factory, &reconnector), 0);
    CU_ASSERT_EQUAL(client.failed, 0);
    run_and_end();
    CU_ASSERT_EQUAL(client.failed, 6);
    CU_ASSERT_EQUAL(client.stopped, 1);
    static const uint64_t delays[] = {1, 2, 4, 5, 5};
    for (int i = 0; i < 5; i++) {
        CU_ASSERT_TRUE(failed_at[i + 1] - failed_at[i] >= delays[i] * WORLDS_MS);
    }
    if (worlds.sim != NULL) { /* computing takes no time there */
        CU_ASSERT_EQUAL(failed_at[5] - failed_at[0], 17 * WORLDS_MS);
    }
}

static void test_reconnector__the_delay_grows_to_its_maximum_and_failures_are_counted(void)
{
    worlds_run_os(growing_body);
    worlds_simulate(growing_body, SOLO_CARRIER_FIBER, false, 1);
}

static uint64_t gaps[64];
static unsigned gap_count;

static void scattered_body(void)
{
    const struct solo_reconnect_options options = {
        .delay_ns = 100 * WORLDS_MS, .growth_percent = 100, .jitter_percent = 20, .failures_max = 8};
    struct solo_address remote;
    begin_without_server(&remote);
    client.factory.connection_failed = note_failure;
    client.factory.stopped = stopped_for_good;
    CU_ASSERT_EQUAL(solo_reactor_connect_retrying(reactor, &remote, &options, &client.factory, NULL), 0);
    run_and_end();
    for (int i = 0; i < 7; i++) {
        uint64_t gap_ns = failed_at[i + 1] - failed_at[i];
        CU_ASSERT_TRUE(gap_ns >= 80 * WORLDS_MS && gap_ns <= 120 * WORLDS_MS);
        gaps[gap_count++] = gap_ns;
    }
}

static void test_reconnector__the_delay_is_scattered_at_random(void)
{
    bool differ = false;
    gap_count = 0;
    worlds_simulate(scattered_body, SOLO_CARRIER_FIBER, false, 1);
    CU_ASSERT_EQUAL(gap_count, 7);
    for (unsigned i = 1; i < gap_count; i++) {
        differ = differ || gaps[i] != gaps[0];
    }
    CU_ASSERT_TRUE(differ);
}

/* ---- Connections ---- */

static void server_comes_back(void *arg)
{
    struct solo_address *remote = arg;
    CU_ASSERT_EQUAL(solo_reactor_listen(reactor, remote, &server.factory, &port), 0);
}

static void drop_it(struct talker *talker)
{
    unsigned failures = 9;
    uint64_t delay_ns = 0;
    CU_ASSERT_EQUAL(solo_reconnector_get_failures(reconnector, &failures, &delay_ns), 0);
    CU_ASSERT_EQUAL(failures, 0);
    CU_ASSERT_EQUAL(delay_ns, WORLDS_MS);
    if (client.built < 3) {
        lose(talker);
    } else {
        CU_ASSERT_EQUAL(solo_reconnector_stop(reconnector), 0);
        CU_ASSERT_EQUAL(solo_reconnector_stop(reconnector), 0);
        CU_ASSERT_EQUAL(client.stopped, 0); /* never inside the call */
    }
}

static void again_body(void)
{
    const struct solo_reconnect_options options = {.delay_ns = WORLDS_MS, .exact = true};
    struct solo_address remote;
    begin_without_server(&remote);
    client.factory.stopped = stopped_for_good;
    client.on_made = drop_it;
    CU_ASSERT_EQUAL(solo_reactor_call_later(reactor, 10 * WORLDS_MS, server_comes_back, &remote, NULL, NULL), 0);
    CU_ASSERT_EQUAL(solo_reactor_connect_retrying(reactor, &remote, &options, &client.factory, &reconnector), 0);
    CU_ASSERT_EQUAL(solo_reactor_run(reactor), 0);
    worlds_destroy(reactor);
    CU_ASSERT_EQUAL(client.built, 3);
    CU_ASSERT_EQUAL(client.lost, 3);
    CU_ASSERT_TRUE(client.failed >= 1);
    CU_ASSERT_EQUAL(client.stopped, 1);
    CU_ASSERT_EQUAL(server.stopped, 2);
}

static void test_reconnector__it_comes_back_until_it_is_stopped(void)
{
    worlds_run_os(again_body);
    worlds_run_sim(again_body, 5);
}

/* ---- Stopping at every point ---- */

static void stop_it(void *arg)
{
    (void)arg;
    CU_ASSERT_EQUAL(solo_reconnector_stop(reconnector), 0);
}

static void stop_at_failure(struct solo_factory *factory, int reason)
{
    connection_failed(factory, reason);
    stop_it(NULL);
}

static void stop_while_waiting_body(void)
{
    const struct solo_reconnect_options options = {.delay_ns = 1000000 * WORLDS_MS,
                                                   .delay_max_ns = 1000000 * WORLDS_MS};
    struct solo_address remote;
    begin_without_server(&remote);
    client.factory.stopped = stopped_for_good;
    CU_ASSERT_EQUAL(solo_reactor_connect_retrying(reactor, &remote, &options, &client.factory, &reconnector), 0);
    while (client.failed == 0) {
        CU_ASSERT_EQUAL_FATAL(solo_reactor_iterate(reactor, SOLO_NEVER), 0);
    }
    CU_ASSERT_EQUAL(solo_reactor_call_from_thread(reactor, stop_it, NULL, NULL), 0);
    run_and_end();
    CU_ASSERT_EQUAL(client.failed, 1);
    CU_ASSERT_EQUAL(client.stopped, 1);
}

static void stop_at_failure_body(void)
{
    struct solo_address remote;
    begin_without_server(&remote);
    client.factory.stopped = stopped_for_good;
    client.factory.connection_failed = stop_at_failure;
    CU_ASSERT_EQUAL(solo_reactor_connect_retrying(reactor, &remote, NULL, &client.factory, &reconnector), 0);
    run_and_end();
    CU_ASSERT_EQUAL(client.failed, 1);
    CU_ASSERT_EQUAL(client.stopped, 1);
}

static void stop_at_once_body(void)
{
    struct solo_address remote;
    begin_without_server(&remote);
    client.factory.stopped = stopped_for_good;
    CU_ASSERT_EQUAL(solo_reactor_connect_retrying(reactor, &remote, NULL, &client.factory, &reconnector), 0);
    stop_it(NULL);
    run_and_end();
    CU_ASSERT_EQUAL(client.failed, 1);
    CU_ASSERT_EQUAL(client.failure, SOLO_ECANCELLED);
    CU_ASSERT_EQUAL(client.stopped, 1);
}

static void end_while_waiting_body(void)
{
    struct solo_address remote;
    begin_without_server(&remote);
    CU_ASSERT_EQUAL(solo_reactor_connect_retrying(reactor, &remote, NULL, &client.factory, &reconnector), 0);
    while (client.failed == 0) {
        CU_ASSERT_EQUAL_FATAL(solo_reactor_iterate(reactor, SOLO_NEVER), 0);
    }
    worlds_destroy(reactor);
    CU_ASSERT_EQUAL(client.stopped, 1);
}

static void end_while_connected_body(void)
{
    struct solo_address remote;
    begin();
    CU_ASSERT_EQUAL(solo_port_get_address(port, &remote), 0);
    CU_ASSERT_EQUAL(solo_reactor_connect_retrying(reactor, &remote, NULL, &client.factory, &reconnector), 0);
    while (client.built == 0) {
        CU_ASSERT_EQUAL_FATAL(solo_reactor_iterate(reactor, SOLO_NEVER), 0);
    }
    worlds_run_to_end(reactor);
    worlds_destroy(reactor);
    CU_ASSERT_EQUAL(client.lost, 1);
    CU_ASSERT_EQUAL(client.stopped, 1);
}

static void test_reconnector__wherever_it_is_stopped_stopped_comes_once(void)
{
    worlds_run(stop_while_waiting_body);
    worlds_run(stop_at_failure_body);
    worlds_run(stop_at_once_body);
    worlds_run(end_while_waiting_body);
    worlds_run(end_while_connected_body);
}

static void nonsense_body(void)
{
    const struct solo_reconnect_options shrinking = {.growth_percent = 50}, wild = {.jitter_percent = 101},
                                        inverted = {.delay_ns = 2, .delay_max_ns = 1};
    struct solo_address remote, none = {0};
    unsigned failures;
    uint64_t delay_ns;
    begin_without_server(&remote);
    CU_ASSERT_EQUAL(solo_reactor_connect_retrying(reactor, &remote, &shrinking, &client.factory, NULL), -EINVAL);
    CU_ASSERT_EQUAL(solo_reactor_connect_retrying(reactor, &remote, &wild, &client.factory, NULL), -EINVAL);
    CU_ASSERT_EQUAL(solo_reactor_connect_retrying(reactor, &remote, &inverted, &client.factory, NULL), -EINVAL);
    CU_ASSERT_EQUAL(solo_reactor_connect_retrying(reactor, NULL, NULL, &client.factory, NULL), -EINVAL);
    CU_ASSERT_EQUAL(solo_reactor_connect_retrying(reactor, &none, NULL, &client.factory, NULL), -EINVAL);
    CU_ASSERT_EQUAL(solo_reactor_connect_retrying(reactor, &remote, NULL, NULL, NULL), -EINVAL);
    CU_ASSERT_EQUAL(solo_reactor_connect_retrying(reactor, &remote, NULL, &client.factory, &reconnector), 0);
    CU_ASSERT_EQUAL(solo_reconnector_get_failures(reconnector, NULL, &delay_ns), -EINVAL);
    CU_ASSERT_EQUAL(solo_reconnector_get_failures(reconnector, &failures, &delay_ns), 0);
    CU_ASSERT_EQUAL(failures, 0);
    CU_ASSERT_EQUAL(delay_ns, 1000 * WORLDS_MS);
    worlds_destroy(reactor);
    CU_ASSERT_EQUAL(client.stopped, 1);
}

static void test_reconnector__nonsense_is_refused(void)
{
    worlds_run(nonsense_body);
}

void suite_reconnector(void)
{
    SOLO_SUITE("reconnector");
    SOLO_TEST(test_reconnector__the_delay_grows_to_its_maximum_and_failures_are_counted);
    SOLO_TEST(test_reconnector__the_delay_is_scattered_at_random);
    SOLO_TEST(test_reconnector__it_comes_back_until_it_is_stopped);
    SOLO_TEST(test_reconnector__wherever_it_is_stopped_stopped_comes_once);
    SOLO_TEST(test_reconnector__nonsense_is_refused);
}
