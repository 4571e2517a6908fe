/*
 * test_deferred_chain.c - that every callback of a chain gets what it should, whatever the others do, and that it is
 * known who added it.
 */
#include "worlds.h"
#include <solo/deferred.h>
#include <solo/thread.h>
#include <stdlib.h>

static struct solo_reactor *reactor;

/* ---- Chains of any make, against a model that is plain to see ---- */

enum what { HANDS_ON, GIVES, FAILS, IS_MISSING, WAITS_FOR_FIRED, WAITS, ADDS, TIMES, WHATS };

enum { LINKS_MAX = 24 };

struct link {
    enum what what;
    int number; /* its own, for what it gives and fails with */
    int status; /* what it got */
    void *value;
    bool ran, runs_on_failure;
};

static struct {
    struct link links[LINKS_MAX];
    int count, added;
    struct solo_deferred *deferred, *inner; /* inner: what it waits for and is not fired yet */
    int inner_number;
    uint64_t dice;
} chain;

static char places[LINKS_MAX]; /* values are addresses in here */

static unsigned roll(unsigned sides)
{
    chain.dice = chain.dice * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (unsigned)(chain.dice >> 33) % sides;
}

static void add_link(void);

static struct solo_result run_link(struct solo_result previous, void *arg)
{
    struct link *link = arg;
    CU_ASSERT_FALSE(link->ran);
    link->ran = true;
    link->status = previous.status;
    link->value = previous.value;
    switch (link->what) {
    case GIVES: return solo_value(&places[link->number]);
    case FAILS: return solo_failure(-1 - link->number);
    case WAITS_FOR_FIRED:
        CU_ASSERT_EQUAL(solo_deferred_succeed(reactor, &places[link->number], &chain.inner), 0);
        return solo_wait_for(chain.inner);
    case WAITS:
        CU_ASSERT_EQUAL(solo_deferred_create(reactor, NULL, NULL, &chain.inner), 0);
        chain.inner_number = link->number;
        return solo_wait_for(chain.inner);
    case ADDS:
        add_link();
        add_link();
        return previous;
    case TIMES: CU_ASSERT_EQUAL(solo_deferred_add_timeout(chain.deferred, SOLO_NEVER, 0), 0); return previous;
    default: return previous;
    }
}

static void add_link(void)
{
    if (chain.added == chain.count) {
        return;
    }
    struct link *link = &chain.links[chain.added++];
    solo_callback_fn fn = link->what != IS_MISSING ? run_link : NULL;
    CU_ASSERT_EQUAL(solo_deferred_add(chain.deferred, link->runs_on_failure ? NULL : fn, fn, link), 0);
}

/* What a link must have got, and what comes out of it. */
static struct solo_result expect_link(const struct link *link, struct solo_result previous)
{
    bool runs = link->what != IS_MISSING && (previous.status < 0 || !link->runs_on_failure);
    CU_ASSERT_EQUAL(link->ran, runs);
    if (!runs) {
        return previous;
    }
    CU_ASSERT_EQUAL(link->status, previous.status);
    CU_ASSERT_PTR_EQUAL(link->value, previous.value);
    switch (link->what) {
    case GIVES:
    case WAITS_FOR_FIRED:
    case WAITS: return solo_value(&places[link->number]);
    case FAILS: return solo_failure(-1 - link->number);
    default: return previous;
    }
}

static void run_chain(uint64_t seed)
{
    memset(&chain, 0, sizeof chain);
    chain.dice = seed;
    chain.count = 1 + (int)roll(LINKS_MAX);
    for (int i = 0; i < chain.count; i++) {
        chain.links[i].what = roll(2) == 0 ? HANDS_ON : (enum what)roll(WHATS);
        chain.links[i].number = i;
        chain.links[i].runs_on_failure = roll(4) == 0;
    }
    CU_ASSERT_EQUAL(solo_deferred_create(reactor, NULL, NULL, &chain.deferred), 0);
    for (unsigned before = roll(12); before > 0; before--) {
        add_link();
    }
    struct solo_result result = roll(4) == 0 ? solo_failure(-EIO) : solo_value(places), has_result;
    CU_ASSERT_EQUAL(solo_deferred_fire(chain.deferred, result), 0);
    for (bool has = false; !has;) {
        add_link();
        CU_ASSERT_EQUAL(solo_deferred_has_result(chain.deferred, &has, &has_result), 0);
        if (!has) {
            CU_ASSERT_EQUAL(solo_deferred_fire(chain.inner, solo_value(&places[chain.inner_number])), 0);
        }
        has = has && chain.added == chain.count;
    }
    CU_ASSERT_EQUAL(solo_deferred_add(chain.deferred, NULL, run_link, &(struct link){.what = GIVES}), 0);
    for (int i = 0; i < chain.count; i++) {
        result = expect_link(&chain.links[i], result);
    }
    CU_ASSERT_EQUAL(has_result.status, result.status);
    CU_ASSERT_PTR_EQUAL(has_result.value, result.value);
    CU_ASSERT_EQUAL(solo_deferred_release(chain.deferred), 0);
}

static void chains_body(void)
{
    reactor = worlds_reactor();
    for (uint64_t seed = 1; seed <= (worlds.sim == NULL ? 2000 : 50); seed++) {
        run_chain(seed);
    }
    worlds_destroy(reactor);
}

static void test_deferred_chain__each_callback_gets_what_the_one_before_left_whatever_that_did(void)
{
    worlds_run(chains_body);
}

/* ---- Who added it ---- */

static struct solo_deferred *deferred, *ended;

/* Each is a place of its own, so that each use after the end is a finding of its own. */
static struct solo_result first(struct solo_result previous, void *arg)
{
    (void)arg;
    CU_ASSERT_EQUAL(solo_deferred_pause(ended), SOLO_ECLOSED);
    return previous;
}

static struct solo_result second(struct solo_result previous, void *arg)
{
    (void)arg;
    CU_ASSERT_EQUAL(solo_deferred_pause(ended), SOLO_ECLOSED);
    return previous;
}

static struct solo_result third(struct solo_result previous, void *arg)
{
    (void)arg;
    CU_ASSERT_EQUAL(solo_deferred_pause(ended), SOLO_ECLOSED);
    return previous;
}

static struct solo_result fourth(struct solo_result previous, void *arg)
{
    (void)arg;
    CU_ASSERT_EQUAL(solo_deferred_pause(ended), SOLO_ECLOSED);
    return previous;
}

static void add_on_another_thread(void *arg)
{
    (void)arg;
    CU_ASSERT_EQUAL(solo_deferred_add(deferred, second, NULL, NULL), 0);
    CU_ASSERT_EQUAL(solo_reactor_hand_over(reactor), 0);
}

static void by_body(void)
{
    struct solo_thread *thread;
    struct solo_result result;
    bool has;
    reactor = worlds_reactor();
    CU_ASSERT_EQUAL(solo_deferred_succeed(reactor, NULL, &ended), 0);
    CU_ASSERT_EQUAL(solo_deferred_release(ended), 0);
    CU_ASSERT_EQUAL(solo_deferred_create(reactor, NULL, NULL, &deferred), 0);
    CU_ASSERT_EQUAL(solo_deferred_add(deferred, first, NULL, NULL), 0);
    CU_ASSERT_EQUAL(solo_reactor_hand_over(reactor), 0);
    CU_ASSERT_EQUAL(solo_thread_create(add_on_another_thread, NULL, &thread), 0);
    CU_ASSERT_EQUAL(solo_thread_join(thread), 0);
    CU_ASSERT_EQUAL(solo_deferred_add(deferred, third, NULL, NULL), 0);
    CU_ASSERT_EQUAL(solo_deferred_fire(deferred, solo_value(places)), 0);
    CU_ASSERT_EQUAL(solo_deferred_add(deferred, fourth, NULL, NULL), 0);
    CU_ASSERT_EQUAL(solo_deferred_has_result(deferred, &has, &result), 0);
    CU_ASSERT_PTR_EQUAL(result.value, places);
    CU_ASSERT_EQUAL(solo_deferred_release(deferred), 0);
    worlds_expect(SOLO006_USE_AFTER_END, 4);
    const char *other = worlds.findings[1].queued_by;
    CU_ASSERT_STRING_EQUAL(worlds.findings[0].queued_by, "main");
    CU_ASSERT_EQUAL(strncmp(other, "main/", strlen("main/")), 0);
    CU_ASSERT_STRING_EQUAL(worlds.findings[2].queued_by, "main");
    CU_ASSERT_STRING_EQUAL(worlds.findings[3].queued_by, "main");
    for (int i = 0; i < 4; i++) {
        CU_ASSERT_TRUE(worlds.findings[i].queued_stack.count > 0);
        CU_ASSERT_TRUE(i == 0 ||
                       worlds.findings[i].queued_stack.frames[0] != worlds.findings[0].queued_stack.frames[0]);
    }
    worlds_destroy(reactor);
}

static void test_deferred_chain__it_is_known_which_thread_added_a_callback(void)
{
    worlds_run(by_body);
}

/* ---- While it runs ---- */

static struct solo_result pause_it(struct solo_result previous, void *arg)
{
    CU_ASSERT_EQUAL(solo_deferred_pause(arg), 0);
    return previous;
}

static struct solo_result note_it(struct solo_result previous, void *arg)
{
    note(*(const char *)arg);
    return previous;
}

static struct solo_result wait_for_it(struct solo_result previous, void *arg)
{
    (void)previous;
    return solo_wait_for(arg);
}

/* The chain of `arg` begins to wait for the one that runs just now. */
static struct solo_result be_waited_for(struct solo_result previous, void *arg)
{
    CU_ASSERT_EQUAL(solo_deferred_add(arg, wait_for_it, NULL, deferred), 0);
    CU_ASSERT_EQUAL(solo_deferred_add(arg, note_it, NULL, "w"), 0);
    CU_ASSERT_EQUAL(solo_deferred_fire(arg, solo_value(NULL)), 0);
    return previous;
}

static void running_body(void)
{
    struct solo_deferred *outer;
    reactor = worlds_reactor();
    CU_ASSERT_EQUAL(solo_deferred_create(reactor, NULL, NULL, &deferred), 0);
    CU_ASSERT_EQUAL(solo_deferred_create(reactor, NULL, NULL, &outer), 0);
    CU_ASSERT_EQUAL(solo_deferred_add(deferred, note_it, NULL, "a"), 0);
    CU_ASSERT_EQUAL(solo_deferred_add(deferred, pause_it, NULL, deferred), 0);
    CU_ASSERT_EQUAL(solo_deferred_add(deferred, note_it, NULL, "b"), 0);
    CU_ASSERT_EQUAL(solo_deferred_add(deferred, be_waited_for, NULL, outer), 0);
    CU_ASSERT_EQUAL(solo_deferred_add(deferred, note_it, NULL, "c"), 0);
    CU_ASSERT_EQUAL(solo_deferred_fire(deferred, solo_value(NULL)), 0);
    noted("a");
    CU_ASSERT_EQUAL(solo_deferred_add(deferred, note_it, NULL, "d"), 0);
    noted("a");
    CU_ASSERT_EQUAL(solo_deferred_unpause(deferred), 0);
    noted("abcdw"); /* the waiter is served when those that were there before it have run */
    CU_ASSERT_EQUAL(solo_deferred_release(outer), 0);
    worlds_destroy(reactor);
}

static void test_deferred_chain__what_a_callback_does_to_its_own_chain_counts_from_the_next_callback_on(void)
{
    worlds_run(running_body);
}

/* ---- Identity ---- */

static uint32_t ids[300];
static unsigned ids_count;

static void note_id(const struct solo_event *event, void *arg)
{
    (void)arg;
    if (event->kind == SOLO_PROBE_DEFERRED_MADE && ids_count < sizeof ids / sizeof *ids) {
        ids[ids_count++] = event->object;
    }
}

/* Two reactors make them in turns; somebody listens only half of the time. */
static void ids_body(void)
{
    struct solo_reactor *reactors[2] = {worlds_reactor(), worlds_reactor()};
    ids_count = 0;
    for (int i = 0; i < 200; i++) {
        struct solo_deferred *one;
        if (i % 50 == 0) {
            CU_ASSERT_EQUAL(i % 100 == 0 ? solo_probe_subscribe(note_id, NULL) : solo_probe_unsubscribe(note_id, NULL),
                            0);
        }
        CU_ASSERT_EQUAL(solo_deferred_succeed(reactors[i % 3 == 0], NULL, &one), 0);
        CU_ASSERT_EQUAL(solo_deferred_release(one), 0);
    }
    CU_ASSERT_EQUAL(ids_count, 100);
    for (unsigned i = 0; i < ids_count; i++) {
        for (unsigned j = 0; j < i; j++) {
            CU_ASSERT_NOT_EQUAL(ids[i], ids[j]);
        }
    }
    worlds_destroy(reactors[0]);
    worlds_destroy(reactors[1]);
}

static void test_deferred_chain__no_two_have_the_same_id(void)
{
    worlds_run(ids_body);
}

void suite_deferred_chain(void)
{
    SOLO_TEST(test_deferred_chain__each_callback_gets_what_the_one_before_left_whatever_that_did);
    SOLO_TEST(test_deferred_chain__it_is_known_which_thread_added_a_callback);
    SOLO_TEST(test_deferred_chain__what_a_callback_does_to_its_own_chain_counts_from_the_next_callback_on);
    SOLO_TEST(test_deferred_chain__no_two_have_the_same_id);
}
