/* judged.h - runs bodies with the oracles around them, in both worlds, and keeps what they find. */
#ifndef SOLO_TESTS_JUDGED_H
#define SOLO_TESTS_JUDGED_H

#include "runner.h"
#include "oracle.h"
#include "self.h"
#include <solo/report.h>
#include <solo/solo.h>
#include <string.h>

enum { JUDGED_MAX = 8, JUDGED_STEPS_MAX = 20000 };

static struct {
    unsigned count;
    struct solo_violation violations[JUDGED_MAX];
    uint64_t trace_hash, events; /* of the last one in the simulated world */
} seen;

static inline void judged_sink(const struct solo_violation *violation, void *arg)
{
    (void)arg;
    if (seen.count < JUDGED_MAX) {
        seen.violations[seen.count] = *violation;
    }
    seen.count++;
    printf("%s\n", violation->text);
}

static inline void judged_ending(int ending, void *arg)
{
    (void)arg;
    solo_oracles_end(ending);
}

static inline void judged_begin(void)
{
    seen.count = 0;
    solo_violation_reset();
    (void)solo_violation_set_sink(judged_sink, NULL);
    solo_oracles_begin();
}

/* The plain schedule. */
static inline void run_in_sim(void (*body)(void *), enum solo_carrier carrier)
{
    struct solo_sim_log log = {0};
    struct solo_sim_options options = {.carrier = carrier, .steps_max = JUDGED_STEPS_MAX, .log = &log};
    struct solo_sim *sim;
    CU_ASSERT_EQUAL_FATAL(solo_sim_create(&options, &sim), 0);
    solo_sim_set_ending_hook(sim, judged_ending, NULL);
    judged_begin();
    CU_ASSERT(solo_sim_run(sim, 1, body, NULL) >= 0);
    (void)solo_violation_set_sink(NULL, NULL);
    solo_sim_destroy(sim);
    seen.trace_hash = log.trace_hash;
    seen.events = log.events_count;
}

/* As `solo run` does: whoever queues work keeps all of its frames. */
static inline void run_in_os(void (*body)(void *))
{
    int full = solo__provenance_full;
    solo__provenance_full = 1;
    judged_begin();
    body(NULL);
    solo_oracles_end(SOLO_ENDING_NONE);
    (void)solo_violation_set_sink(NULL, NULL);
    solo__provenance_full = full;
}

static inline void expect_warning(unsigned count)
{
    CU_ASSERT_EQUAL(seen.count, count);
    for (unsigned i = 0; i < seen.count && i < JUDGED_MAX; i++) {
        CU_ASSERT_EQUAL(seen.violations[i].id, SOLO016_LOCK_ORDER);
        CU_ASSERT_NOT_EQUAL(seen.violations[i].cycle, 0);
    }
}

static inline void run_in_both(void (*body)(void *), unsigned count)
{
    run_in_sim(body, SOLO_CARRIER_FIBER);
    expect_warning(count);
    run_in_sim(body, SOLO_CARRIER_TOKEN);
    expect_warning(count);
    run_in_os(body);
    expect_warning(count);
}

enum { LOCKS = 10 };
static struct solo_mutex *locks[LOCKS];

static inline void make_locks(void)
{
    for (unsigned i = 0; i < LOCKS; i++) {
        CU_ASSERT_EQUAL_FATAL(solo_mutex_create(&locks[i]), 0);
    }
}

static inline void destroy_locks(void)
{
    for (unsigned i = 0; i < LOCKS; i++) {
        CU_ASSERT_EQUAL(solo_mutex_destroy(locks[i]), 0);
    }
}

/* "01 10": takes 0 and within it 1, then the other way round. */
static inline void take(void *arg)
{
    for (const char *at = arg; *at != '\0'; at++) {
        const char *first = at;
        for (; *at != ' ' && *at != '\0'; at++) {
            CU_ASSERT_EQUAL(solo_mutex_lock(locks[*at - '0']), 0);
        }
        for (const char *held = at; held != first; held--) {
            CU_ASSERT_EQUAL(solo_mutex_unlock(locks[held[-1] - '0']), 0);
        }
        if (*at == '\0') {
            break;
        }
    }
}

/* Another thread does this now, and has ended when it returns. */
static inline void let_another(solo_thread_fn fn, const void *arg)
{
    struct solo_thread *thread;
    CU_ASSERT_EQUAL_FATAL(solo_thread_create(fn, (void *)(uintptr_t)arg, &thread), 0);
    CU_ASSERT_EQUAL(solo_thread_join(thread), 0);
}

/* Another thread does that, and this one takes 1 and 0 beside it, after a while. */
static inline void take_beside(solo_thread_fn fn, void *arg, uint64_t while_ns)
{
    struct solo_thread *thread;
    CU_ASSERT_EQUAL_FATAL(solo_thread_create(fn, arg, &thread), 0);
    if (while_ns > 0) {
        (void)solo_sleep(while_ns);
    }
    take("10");
    CU_ASSERT_EQUAL(solo_thread_join(thread), 0);
}

#endif
