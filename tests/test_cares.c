/*
 * test_cares.c - the resolver on c-ares, asked through a name server of the test's own: a datagram socket on loopback,
 * served by the same reactor. World os only, because there are no sockets in the other one.
 */
#include "deferreds.h"
#include <arpa/inet.h>
#include <solo/names_cares.h>
#include <sys/socket.h>
#include <unistd.h>

enum { HEADER = 12, TYPE_A = 1, TYPE_AAAA = 28, CLASS_IN = 1, NO_SUCH_NAME = 3, SERVER_FAILED = 2 };

static int server = -1;
static char server_text[64]; /* "127.0.0.1:PORT" */
static unsigned questions;
static bool server_is_silent;
static struct solo_cares *cares;
static struct solo_addresses answer;

/* ---- The name server ---- */

static size_t put16(unsigned char *at, unsigned value)
{
    at[0] = (unsigned char)(value >> 8);
    at[1] = (unsigned char)value;
    return 2;
}

/* The first label of the question, which decides what is answered. */
static const unsigned char *label(const unsigned char *question)
{
    return question + 1;
}

static size_t put_address(unsigned char *at, unsigned char last)
{
    size_t size = put16(at, 0xc000 | HEADER); /* the name of the question */
    size += put16(at + size, TYPE_A);
    size += put16(at + size, CLASS_IN);
    size += put16(at + size, 0);
    size += put16(at + size, 60); /* seconds */
    size += put16(at + size, 4);
    memcpy(at + size, (unsigned char[4]){10, 0, 0, last}, 4);
    return size + 4;
}

static size_t put_address6(unsigned char *at, unsigned char last)
{
    size_t size = put16(at, 0xc000 | HEADER);
    size += put16(at + size, TYPE_AAAA);
    size += put16(at + size, CLASS_IN);
    size += put16(at + size, 0);
    size += put16(at + size, 60);
    size += put16(at + size, 16);
    memcpy(at + size, (unsigned char[16]){0xfd, [15] = last}, 16);
    return size + 16;
}

static void answer_question(int fd, void *arg)
{
    unsigned char packet[1024];
    struct sockaddr_in from;
    socklen_t from_size = sizeof from;
    (void)arg;
    ssize_t received = recvfrom(fd, packet, 512, 0, (struct sockaddr *)&from, &from_size);
    if (received < HEADER + 5) {
        return;
    }
    questions++;
    if (server_is_silent) {
        return;
    }
    const unsigned char *question = packet + HEADER;
    size_t size = HEADER + strlen((const char *)question) + 1 + 4; /* and drop what follows: additional records */
    bool is_six = packet[size - 3] == TYPE_AAAA;
    bool two = memcmp(label(question), "two", 3) == 0, one = memcmp(label(question), "one", 3) == 0;
    bool both = memcmp(label(question), "both", 4) == 0, six = memcmp(label(question), "six", 3) == 0;
    int count = is_six ? both || six : two ? 2 : one || both;
    bool broken = memcmp(label(question), "broken", 6) == 0;
    put16(packet + 2, 0x8180u | (two || one || both || six ? 0u
                                 : broken                  ? (unsigned)SERVER_FAILED
                                                           : (unsigned)NO_SUCH_NAME));
    put16(packet + 6, (unsigned)count);
    put16(packet + 8, 0);
    put16(packet + 10, 0);
    for (unsigned char i = 1; i <= count; i++) {
        size += is_six ? put_address6(packet + size, i) : put_address(packet + size, i);
    }
    CU_ASSERT_EQUAL(sendto(fd, packet, size, 0, (struct sockaddr *)&from, from_size), (ssize_t)size);
}

static void begin_cares(void)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    socklen_t size = sizeof address;
    begin();
    questions = 0;
    server_is_silent = false;
    server = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    CU_ASSERT_TRUE_FATAL(server >= 0);
    CU_ASSERT_EQUAL(bind(server, (struct sockaddr *)&address, sizeof address), 0);
    CU_ASSERT_EQUAL(getsockname(server, (struct sockaddr *)&address, &size), 0);
    snprintf(server_text, sizeof server_text, "127.0.0.1:%u", ntohs(address.sin_port));
    CU_ASSERT_EQUAL(solo_reactor_add_reader(reactor, server, answer_question, NULL), 0);
    CU_ASSERT_EQUAL_FATAL(solo_cares_create(reactor, server_text, &cares), 0);
    CU_ASSERT_EQUAL(solo_reactor_install_resolver(reactor, solo_cares_resolver(cares), NULL), 0);
}

static void end_cares(void)
{
    CU_ASSERT_EQUAL(solo_cares_destroy(cares), 0);
    CU_ASSERT_EQUAL(solo_reactor_remove_reader(reactor, server), 0);
    close(server);
    end();
}

/* ---- Asking ---- */

static struct solo_result stop_it(struct solo_result previous, void *arg)
{
    (void)arg;
    CU_ASSERT_EQUAL(solo_reactor_crash(reactor), 0); /* it may run again */
    return previous;
}

static struct solo_deferred *resolve(const char *name)
{
    struct solo_deferred *deferred = NULL;
    answer.count = 0;
    CU_ASSERT_EQUAL(solo_resolve(reactor, name, &answer, &deferred), 0);
    return deferred;
}

static int wait_for(struct solo_deferred *deferred)
{
    if (!has_result(deferred)) {
        CU_ASSERT_EQUAL(solo_deferred_add(deferred, stop_it, stop_it, NULL), 0);
        CU_ASSERT_EQUAL(solo_reactor_run(reactor), 0);
    }
    int status = status_of(deferred);
    release_handled(deferred);
    return status;
}

static void look_up_body(void)
{
    struct solo_pool *pool = NULL;
    struct solo_pool_statistics statistics;
    begin_cares();
    CU_ASSERT_EQUAL(wait_for(resolve("two.solo.test")), 0);
    CU_ASSERT_EQUAL(answer.count, 2);
    CU_ASSERT_EQUAL(answer.addresses[0] | answer.addresses[1], 0x0a000003);
    CU_ASSERT_EQUAL(wait_for(resolve("one.solo.test")), 0);
    CU_ASSERT_EQUAL(answer.count, 1);
    CU_ASSERT_EQUAL(answer.addresses[0], 0x0a000001);
    CU_ASSERT_TRUE(questions >= 2);
    CU_ASSERT_EQUAL(solo_reactor_get_thread_pool(reactor, &pool), 0);
    CU_ASSERT_EQUAL(solo_pool_get_statistics(pool, &statistics), 0);
    CU_ASSERT_EQUAL(statistics.workers, 0);
    end_cares();
}

static void families_body(void)
{
    begin_cares();
    CU_ASSERT_EQUAL(wait_for(resolve("both.solo.test")), 0);
    CU_ASSERT_EQUAL(answer.count, 1);
    CU_ASSERT_EQUAL(answer.count6, 1);
    CU_ASSERT_EQUAL(answer.addresses6[0][0], 0xfd);
    CU_ASSERT_EQUAL(answer.addresses6[0][15], 1);
    CU_ASSERT_EQUAL(wait_for(resolve("six.solo.test")), 0);
    CU_ASSERT_EQUAL(answer.count, 0);
    CU_ASSERT_EQUAL(answer.count6, 1);
    CU_ASSERT_EQUAL(wait_for(resolve("one.solo.test")), 0);
    CU_ASSERT_EQUAL(answer.count, 1);
    CU_ASSERT_EQUAL(answer.count6, 0);
    end_cares();
}

static void test_cares__both_families_are_asked_for(void)
{
    worlds_run_os(families_body);
}

static void test_cares__names_are_looked_up_without_a_thread(void)
{
    worlds_run_os(look_up_body);
}

static void failures_body(void)
{
    begin_cares();
    CU_ASSERT_EQUAL(wait_for(resolve("none.solo.test")), SOLO_ENAME);
    CU_ASSERT_EQUAL(wait_for(resolve("broken.solo.test")), -EAGAIN);
    unsigned before = questions;
    CU_ASSERT_EQUAL(wait_for(resolve("127.0.0.1")), 0);
    CU_ASSERT_EQUAL(wait_for(resolve("localhost")), 0);
    CU_ASSERT_EQUAL(questions, before); /* known at once */
    end_cares();
}

static void test_cares__no_such_name_is_told_from_a_broken_server(void)
{
    worlds_run_os(failures_body);
}

static void silent_body(void)
{
    begin_cares();
    server_is_silent = true;
    CU_ASSERT_EQUAL(solo_reactor_set_resolve_timeout(reactor, 20 * WORLDS_MS), 0);
    CU_ASSERT_EQUAL(wait_for(resolve("one.solo.test")), -ETIMEDOUT);
    CU_ASSERT_EQUAL(answer.count, 0);
    end_cares(); /* c-ares itself still waits: that look-up has nobody to tell */
}

static void test_cares__a_silent_server_is_a_timeout(void)
{
    worlds_run_os(silent_body);
}

static void many_body(void)
{
    enum { MANY = 20 };
    struct solo_deferred *deferreds[MANY], *all = NULL;
    struct solo_addresses addresses[MANY];
    struct solo_result results[MANY];
    char name[32];
    begin_cares();
    for (int i = 0; i < MANY; i++) {
        snprintf(name, sizeof name, "one%d.solo.test", i);
        CU_ASSERT_EQUAL(solo_resolve(reactor, name, &addresses[i], &deferreds[i]), 0);
    }
    CU_ASSERT_EQUAL(solo_gather_results(reactor, deferreds, MANY, SOLO_LIST_CONSUME_ERRORS, results, &all), 0);
    CU_ASSERT_EQUAL(wait_for(all), 0);
    for (int i = 0; i < MANY; i++) {
        CU_ASSERT_PTR_EQUAL(results[i].value, &addresses[i]);
        CU_ASSERT_EQUAL(addresses[i].addresses[0], 0x0a000001);
    }
    end_cares();
}

static void test_cares__many_at_once_each_get_their_own(void)
{
    worlds_run_os(many_body);
}

static void cancel_body(void)
{
    begin_cares();
    server_is_silent = true;
    struct solo_deferred *cancelled = resolve("one.solo.test");
    CU_ASSERT_EQUAL(solo_deferred_cancel(cancelled), 0);
    CU_ASSERT_EQUAL(status_of(cancelled), SOLO_ECANCELLED);
    release(cancelled);
    struct solo_deferred *left = resolve("two.solo.test");
    CU_ASSERT_EQUAL(solo_reactor_install_resolver(reactor, NULL, NULL), 0);
    CU_ASSERT_EQUAL(solo_cares_destroy(cares), 0);
    CU_ASSERT_EQUAL(status_of(left), SOLO_ECLOSED);
    release_handled(left);
    cares = NULL;
    end_cares();
}

static void test_cares__cancelled_or_ended_it_touches_nothing(void)
{
    worlds_run_os(cancel_body);
}

static struct solo_result try_to_end_it(struct solo_result previous, void *arg)
{
    (void)arg;
    CU_ASSERT_EQUAL(solo_cares_destroy(cares), -EBUSY);
    return previous;
}

static struct solo_result look_up_next(struct solo_result previous, void *arg)
{
    struct solo_deferred *next = NULL;
    CU_ASSERT_EQUAL(previous.status, 0);
    CU_ASSERT_EQUAL(solo_resolve(reactor, arg, &answer, &next), 0);
    return solo_wait_for(next);
}

static void chained_body(void)
{
    begin_cares();
    struct solo_deferred *first = resolve("one.solo.test");
    CU_ASSERT_EQUAL(solo_deferred_add(first, try_to_end_it, NULL, NULL), 0);
    CU_ASSERT_EQUAL(solo_deferred_add(first, look_up_next, NULL, "two.solo.test"), 0);
    CU_ASSERT_EQUAL(wait_for(first), 0);
    CU_ASSERT_EQUAL(answer.count, 2);
    end_cares();
}

static void test_cares__a_callback_may_look_up_more_and_not_end_it(void)
{
    worlds_run_os(chained_body);
}

static void wrong_body(void)
{
    struct solo_cares *none = NULL;
    begin();
    CU_ASSERT_EQUAL(solo_cares_create(NULL, NULL, &none), -EINVAL);
    CU_ASSERT_EQUAL(solo_cares_create(reactor, NULL, NULL), -EINVAL);
    CU_ASSERT_PTR_NULL(solo_cares_resolver(NULL));
    CU_ASSERT_EQUAL(solo_cares_destroy(NULL), 0);
    if (worlds.sim != NULL) {
        CU_ASSERT_EQUAL(solo_cares_create(reactor, NULL, &none), -ENOTSUP);
    } else {
        CU_ASSERT_EQUAL(solo_cares_create(reactor, "no address", &none), -EINVAL);
    }
    CU_ASSERT_PTR_NULL(none);
    end();
}

static void test_cares__is_refused_where_there_are_no_sockets(void)
{
    worlds_run(wrong_body);
}

void suite_cares(void)
{
    SOLO_SUITE("cares");
    SOLO_TEST(test_cares__names_are_looked_up_without_a_thread);
    SOLO_TEST(test_cares__both_families_are_asked_for);
    SOLO_TEST(test_cares__no_such_name_is_told_from_a_broken_server);
    SOLO_TEST(test_cares__a_silent_server_is_a_timeout);
    SOLO_TEST(test_cares__many_at_once_each_get_their_own);
    SOLO_TEST(test_cares__cancelled_or_ended_it_touches_nothing);
    SOLO_TEST(test_cares__a_callback_may_look_up_more_and_not_end_it);
    SOLO_TEST(test_cares__is_refused_where_there_are_no_sockets);
}
