/* test_names.c - host names: what is known at once, the pool's look-up, and resolvers that a program installs. */
#include "deferreds.h"

static struct solo_addresses answer;

static struct solo_deferred *resolve(const char *name)
{
    struct solo_deferred *deferred = NULL;
    answer.count = 0;
    CU_ASSERT_EQUAL(solo_resolve(reactor, name, &answer, &deferred), 0);
    return deferred;
}

static size_t pool_threads(void)
{
    struct solo_pool *pool = NULL;
    struct solo_pool_statistics statistics;
    CU_ASSERT_EQUAL(solo_reactor_get_thread_pool(reactor, &pool), 0);
    CU_ASSERT_EQUAL(solo_pool_get_statistics(pool, &statistics), 0);
    return statistics.workers;
}

/* As a pair: stops the reactor and passes the result on. */
static struct solo_result stop_it(struct solo_result previous, void *arg)
{
    (void)arg;
    CU_ASSERT_EQUAL(solo_reactor_stop(reactor), 0);
    return previous;
}

/* Runs the reactor until it has a result; returns its status, and releases it. */
static int wait_for(struct solo_deferred *deferred)
{
    CU_ASSERT_EQUAL(solo_deferred_add(deferred, stop_it, stop_it, NULL), 0);
    CU_ASSERT_EQUAL(solo_reactor_run(reactor), 0);
    int status = status_of(deferred);
    release_handled(deferred);
    return status;
}

static void sim_name(const char *name, uint32_t address, uint64_t latency_ns)
{
    struct solo_addresses addresses = {.count = 2, .addresses = {address, address + 1}};
    CU_ASSERT_EQUAL(solo_sim_add_name(name, &addresses, latency_ns), 0);
}

/* ---- Known at once ---- */

static void known_body(void)
{
    static const struct {
        const char *name;
        uint32_t address;
    } known[] = {{"", 0},
                 {"127.0.0.1", 0x7f000001},
                 {"255.0.10.7", 0xff000a07},
                 {"localhost", 0x7f000001},
                 {"LocalHost", 0x7f000001}};
    begin();
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        struct solo_deferred *deferred = resolve(known[i].name);
        CU_ASSERT_PTR_EQUAL(value_of(deferred), &answer); /* fired already */
        CU_ASSERT_EQUAL(answer.count, 1);
        CU_ASSERT_EQUAL(answer.addresses[0], known[i].address);
        release(deferred);
    }
    CU_ASSERT_EQUAL(pool_threads(), 0);
    end();
}

static void test_names__literals_and_the_empty_name_are_known_without_a_thread(void)
{
    worlds_run(known_body);
}

static void six_body(void)
{
    struct solo_addresses both = {.count = 1, .addresses = {0x0a000001}, .count6 = 1, .addresses6 = {{0xfd, [15] = 7}}};
    begin();
    release(resolve("::1"));
    CU_ASSERT_EQUAL(answer.count, 0);
    CU_ASSERT_EQUAL(answer.count6, 1);
    CU_ASSERT_EQUAL(answer.addresses6[0][15], 1);
    CU_ASSERT_EQUAL(solo_reactor_set_host(reactor, "both.example", &both), 0);
    release(resolve("both.example"));
    CU_ASSERT_EQUAL(answer.count, 1);
    CU_ASSERT_EQUAL(answer.count6, 1);
    CU_ASSERT_EQUAL(answer.addresses6[0][0], 0xfd);
    CU_ASSERT_EQUAL(pool_threads(), 0);
    both.count6 = SOLO_ADDRESSES_MAX + 1;
    CU_ASSERT_EQUAL(solo_reactor_set_host(reactor, "both.example", &both), -EINVAL);
    both.count = 0;
    both.count6 = 1;
    if (worlds.sim != NULL) {
        CU_ASSERT_EQUAL(solo_sim_add_name("six.example", &both, 5), 0);
        CU_ASSERT_EQUAL(wait_for(resolve("six.example")), 0);
        CU_ASSERT_EQUAL(answer.count, 0);
        CU_ASSERT_EQUAL(answer.count6, 1);
    }
    end();
}

static void test_names__have_addresses_of_both_families(void)
{
    worlds_run(six_body);
}

static void hosts_body(void)
{
    struct solo_addresses addresses = {.count = 2, .addresses = {0x0a000001, 0x0a000002}};
    begin();
    CU_ASSERT_EQUAL(solo_reactor_set_host(reactor, "db.example", &addresses), 0);
    addresses.addresses[0] = 0x0a000003;
    CU_ASSERT_EQUAL(solo_reactor_set_host(reactor, "web.example", &addresses), 0);
    struct solo_deferred *deferred = resolve("DB.example");
    CU_ASSERT_EQUAL(status_of(deferred), 0);
    CU_ASSERT_EQUAL(answer.count, 2);
    CU_ASSERT_EQUAL(answer.addresses[0], 0x0a000001);
    release(deferred);
    CU_ASSERT_EQUAL(solo_reactor_set_host(reactor, "DB.EXAMPLE", &addresses), 0); /* the same one, anew */
    release(resolve("db.example"));
    CU_ASSERT_EQUAL(answer.addresses[0], 0x0a000003);
    CU_ASSERT_EQUAL(pool_threads(), 0);
    CU_ASSERT_EQUAL(solo_reactor_set_host(reactor, "db.example", NULL), 0);
    CU_ASSERT_EQUAL(solo_reactor_set_host(reactor, "db.example", NULL), 0);
    CU_ASSERT_EQUAL(solo_reactor_set_host(reactor, "", &addresses), -EINVAL);
    release(resolve("web.example"));
    CU_ASSERT_EQUAL(answer.count, 2);
    end();
}

static void test_names__hosts_that_were_set_are_known_without_a_thread(void)
{
    worlds_run(hosts_body);
}

static void wrong_body(void)
{
    struct solo_deferred *deferred = NULL;
    char name[SOLO_NAME_MAX + 2];
    memset(name, 'a', sizeof name - 1);
    name[sizeof name - 1] = '\0';
    begin();
    CU_ASSERT_EQUAL(solo_resolve(reactor, NULL, &answer, &deferred), -EINVAL);
    CU_ASSERT_EQUAL(solo_resolve(reactor, "localhost", NULL, &deferred), -EINVAL);
    CU_ASSERT_EQUAL(solo_resolve(reactor, "localhost", &answer, NULL), -EINVAL);
    CU_ASSERT_EQUAL(solo_resolve(reactor, name, &answer, &deferred), -EINVAL);
    CU_ASSERT_PTR_NULL(deferred);
    CU_ASSERT_EQUAL(solo_sim_add_name(name, NULL, 0), -EINVAL);
    end();
}

static void test_names__what_is_no_name_is_refused(void)
{
    worlds_run(wrong_body);
}

/* ---- The pool ---- */

static void sim_pool_body(void)
{
    begin();
    sim_name("db.example", 0x0a000001, 5 * WORLDS_MS);
    struct solo_deferred *deferred = resolve("db.example");
    CU_ASSERT_FALSE(has_result(deferred)); /* not inside the call */
    CU_ASSERT_EQUAL(wait_for(deferred), 0);
    CU_ASSERT_EQUAL(answer.count, 2);
    CU_ASSERT_EQUAL(answer.addresses[1], 0x0a000002);
    CU_ASSERT_TRUE(solo_now() >= 5 * WORLDS_MS);
    end();
}

static void test_names__others_are_looked_up_in_the_pool(void)
{
    worlds_run_sim(sim_pool_body, WORLDS_SEEDS);
    worlds_simulate(sim_pool_body, SOLO_CARRIER_TOKEN, true, WORLDS_TOKEN_SEEDS);
}

static void sim_unknown_body(void)
{
    begin();
    sim_name("db.example", 0x0a000001, 0);
    CU_ASSERT_EQUAL(solo_sim_add_name("db.example", NULL, 0), 0); /* the last one is the first found */
    CU_ASSERT_EQUAL(wait_for(resolve("db.example")), SOLO_ENAME);
    end();
}

/* A name that no name server is ever asked for: the system knows that it has a number too many. */
static void os_unknown_body(void)
{
    begin();
    CU_ASSERT_EQUAL(solo_sim_add_name("db.example", NULL, 0), -ENOTSUP);
    CU_ASSERT_EQUAL(wait_for(resolve("1.2.3.4.5")), SOLO_ENAME);
    CU_ASSERT_EQUAL(answer.count, 0);
    end();
}

static void test_names__that_are_none_are_a_failure(void)
{
    worlds_run_sim(sim_unknown_body, WORLDS_SEEDS);
    worlds_run_os(os_unknown_body);
}

/* The system's own way to write an address, which is no literal to the kit: so the whole way is gone. */
static void os_pool_body(void)
{
    begin();
    CU_ASSERT_EQUAL(wait_for(resolve("0x7f.1")), 0);
    CU_ASSERT_EQUAL(answer.count, 1);
    CU_ASSERT_EQUAL(answer.addresses[0], 0x7f000001);
    end();
}

static void test_names__in_the_real_world_the_system_is_asked(void)
{
    worlds_run_os(os_pool_body);
}

static struct solo_semaphore *gate;

static SOLO_POOL_ONLY void occupy(void *arg)
{
    (void)arg;
    CU_ASSERT_EQUAL(solo_semaphore_wait(gate, SOLO_NEVER), 0);
}

static void fill_pool(unsigned jobs)
{
    CU_ASSERT_EQUAL(solo_semaphore_create(0, &gate), 0);
    for (unsigned i = 0; i < jobs; i++) {
        CU_ASSERT_EQUAL(solo_reactor_call_in_thread(reactor, occupy, NULL, NULL), 0);
    }
}

static struct solo_result free_pool(struct solo_result previous, void *arg)
{
    for (uintptr_t i = 0; i < (uintptr_t)arg; i++) {
        CU_ASSERT_EQUAL(solo_semaphore_post(gate), 0);
    }
    return previous;
}

static struct solo_deferred *asked;

/* The job that fills the pool has begun: nobody can take the look-up. */
static void ask_full_pool(void *arg)
{
    asked = resolve(arg);
    CU_ASSERT_EQUAL(solo_deferred_add(asked, free_pool, free_pool, (void *)(uintptr_t)1), 0);
    CU_ASSERT_EQUAL(solo_deferred_add(asked, stop_it, stop_it, NULL), 0);
}

static SOLO_POOL_ONLY void occupy_and_ask(void *arg)
{
    CU_ASSERT_EQUAL(solo_reactor_call_from_thread(reactor, ask_full_pool, arg, NULL), 0);
    occupy(NULL);
}

static void full_body(void)
{
    struct solo_reactor_options options = {.pool_max = 1};
    CU_ASSERT_EQUAL(solo_reactor_create(&options, &reactor), 0);
    fill_pool(0);
    CU_ASSERT_EQUAL(solo_reactor_set_resolve_timeout(reactor, 5 * WORLDS_MS), 0);
    CU_ASSERT_EQUAL(solo_reactor_call_in_thread(reactor, occupy_and_ask, "db.example", NULL), 0);
    CU_ASSERT_EQUAL(solo_reactor_run(reactor), 0);
    CU_ASSERT_EQUAL(status_of(asked), SOLO_EPOOLFULL);
    release_handled(asked);
    worlds_destroy(reactor);
    CU_ASSERT_EQUAL(solo_semaphore_destroy(gate), 0);
}

static void test_names__a_full_pool_is_told_from_a_slow_name_server(void)
{
    worlds_run(full_body);
}

static void slow_body(void)
{
    begin();
    sim_name("db.example", 0x0a000001, 3600000 * WORLDS_MS);
    CU_ASSERT_EQUAL(solo_reactor_set_resolve_timeout(reactor, 5000 * WORLDS_MS), 0);
    struct solo_deferred *deferred = resolve("db.example");
    int status = wait_for(deferred);
    CU_ASSERT_TRUE(status == -ETIMEDOUT || status == SOLO_EPOOLFULL); /* as slow as the schedule makes the worker */
    CU_ASSERT_EQUAL(answer.count, 0);
    noted("");
    solo_violation_reset();
    worlds.found = worlds.expected = 0; /* its job outlasts the stop: that is not what this is about */
    CU_ASSERT_EQUAL(solo_reactor_destroy(reactor), 0);
    worlds.found = worlds.expected = 0;
}

static void test_names__a_slow_name_server_times_out(void)
{
    worlds_simulate(slow_body, SOLO_CARRIER_FIBER, false, 1);
}

static void cancel_body(void)
{
    struct solo_reactor_options options = {.pool_max = 1};
    CU_ASSERT_EQUAL(solo_reactor_create(&options, &reactor), 0);
    fill_pool(1);
    struct solo_deferred *queued = resolve("db.example");
    CU_ASSERT_EQUAL(solo_deferred_cancel(queued), 0);
    CU_ASSERT_EQUAL(status_of(queued), SOLO_ECANCELLED); /* by its user: no matter what the pool does */
    release(queued);
    (void)free_pool(solo_value(NULL), (void *)(uintptr_t)1);
    worlds_run_to_end(reactor);
    worlds_destroy(reactor);
    CU_ASSERT_EQUAL(solo_semaphore_destroy(gate), 0);
}

static void test_names__a_look_up_can_be_cancelled(void)
{
    worlds_run(cancel_body);
}

static void stop_body(void)
{
    begin();
    struct solo_deferred *deferred = resolve("db.example"); /* accepted, and the reactor never runs */
    CU_ASSERT_EQUAL(solo_deferred_add(deferred, NULL, handle_it, NULL), 0);
    add_note(deferred, "h");
    end();
    noted("h");
    release(deferred);
}

static void test_names__the_end_of_the_reactor_ends_look_ups(void)
{
    worlds_run(stop_body);
}

/* ---- Installed resolvers ---- */

struct own_resolver {
    struct solo_resolver resolver;
    uint32_t address;
    int status; /* of resolve itself */
    unsigned asked;
};

static int own_resolve(struct solo_resolver *resolver, struct solo_reactor *of, const char *name,
                       struct solo_addresses *addresses, struct solo_deferred **ret_deferred)
{
    struct own_resolver *own = (struct own_resolver *)resolver;
    own->asked++;
    if (own->status < 0) {
        return own->status;
    }
    if (own->address == 0) {
        return solo_deferred_fail(of, SOLO_ENAME, ret_deferred);
    }
    note(name[0]);
    addresses->count = 1;
    addresses->addresses[0] = own->address;
    return solo_deferred_succeed(of, addresses, ret_deferred);
}

static void install_body(void)
{
    struct own_resolver first = {{own_resolve}, 0x0a000009, 0, 0}, second = {{own_resolve}, 0, 0, 0};
    struct solo_resolver *previous = &first.resolver, *none = NULL;
    struct solo_deferred *deferred = NULL;
    begin();
    CU_ASSERT_EQUAL(solo_reactor_install_resolver(reactor, &first.resolver, &none), 0);
    CU_ASSERT_PTR_NULL(none);
    release(resolve("anything"));
    CU_ASSERT_EQUAL(answer.addresses[0], 0x0a000009);
    release(resolve("127.0.0.1"));
    CU_ASSERT_EQUAL(first.asked, 1); /* not for what is known */
    CU_ASSERT_EQUAL(solo_reactor_install_resolver(reactor, &second.resolver, &previous), 0);
    CU_ASSERT_PTR_EQUAL(previous, &first.resolver);
    struct solo_deferred *failed = resolve("anything");
    CU_ASSERT_EQUAL(status_of(failed), SOLO_ENAME);
    release_handled(failed);
    second.status = -ENOBUFS;
    CU_ASSERT_EQUAL(solo_resolve(reactor, "anything", &answer, &deferred), -ENOBUFS);
    CU_ASSERT_PTR_NULL(deferred);
    CU_ASSERT_EQUAL(solo_reactor_install_resolver(reactor, NULL, NULL), 0);
    CU_ASSERT_EQUAL(solo_reactor_install_resolver(reactor, &(struct solo_resolver){NULL}, NULL), -EINVAL);
    CU_ASSERT_EQUAL(pool_threads(), 0);
    noted("a");
    end();
}

static void test_names__a_program_may_install_its_resolver(void)
{
    worlds_run(install_body);
}

static int never_resolve(struct solo_resolver *resolver, struct solo_reactor *of, const char *name,
                         struct solo_addresses *addresses, struct solo_deferred **ret_deferred)
{
    (void)resolver;
    (void)name;
    (void)addresses;
    return solo_deferred_create(of, NULL, NULL, ret_deferred);
}

static void never_body(void)
{
    struct solo_resolver never = {never_resolve};
    begin();
    CU_ASSERT_EQUAL(solo_reactor_install_resolver(reactor, &never, NULL), 0);
    CU_ASSERT_EQUAL(solo_reactor_set_resolve_timeout(reactor, 5 * WORLDS_MS), 0);
    CU_ASSERT_EQUAL(wait_for(resolve("anything")), -ETIMEDOUT);
    end();
}

static void test_names__a_resolver_that_never_answers_is_a_timeout(void)
{
    worlds_run(never_body);
}

static void memory_body(void)
{
    struct solo_addresses addresses = {.count = 1, .addresses = {0x0a000001}};
    struct solo_deferred *known = NULL, *pending = NULL;
    answer.count = 0;
    if (solo_reactor_create(NULL, &reactor) < 0) {
        return;
    }
    int host = solo_reactor_set_host(reactor, "db.example", &addresses);
    CU_ASSERT_TRUE(host == 0 || host == -ENOMEM);
    if (host == 0 && solo_resolve(reactor, "db.example", &answer, &known) == 0) {
        CU_ASSERT_EQUAL(answer.count, 1);
        release(known);
    }
    int status = solo_resolve(reactor, "web.example", &answer, &pending);
    CU_ASSERT_EQUAL(status == 0, pending != NULL);
    if (pending != NULL) {
        CU_ASSERT_EQUAL(solo_deferred_add(pending, NULL, handle_it, NULL), 0);
    }
    CU_ASSERT_EQUAL(solo_reactor_destroy(reactor), 0);
    if (pending != NULL) {
        CU_ASSERT_EQUAL(solo_deferred_release(pending), 0);
    }
}

static void test_names__refused_memory_nothing_is_looked_up(void)
{
    CU_ASSERT_TRUE(refusing_run(memory_body, REFUSE_FOR_GOOD) >= 2 + 1 + 1 + 2 + 1 + 2);
}

void suite_names(void)
{
    SOLO_SUITE("names");
    SOLO_TEST(test_names__literals_and_the_empty_name_are_known_without_a_thread);
    SOLO_TEST(test_names__have_addresses_of_both_families);
    SOLO_TEST(test_names__hosts_that_were_set_are_known_without_a_thread);
    SOLO_TEST(test_names__what_is_no_name_is_refused);
    SOLO_TEST(test_names__others_are_looked_up_in_the_pool);
    SOLO_TEST(test_names__that_are_none_are_a_failure);
    SOLO_TEST(test_names__in_the_real_world_the_system_is_asked);
    SOLO_TEST(test_names__a_full_pool_is_told_from_a_slow_name_server);
    SOLO_TEST(test_names__a_slow_name_server_times_out);
    SOLO_TEST(test_names__a_look_up_can_be_cancelled);
    SOLO_TEST(test_names__the_end_of_the_reactor_ends_look_ups);
    SOLO_TEST(test_names__a_program_may_install_its_resolver);
    SOLO_TEST(test_names__a_resolver_that_never_answers_is_a_timeout);
    SOLO_TEST(test_names__refused_memory_nothing_is_looked_up);
}
