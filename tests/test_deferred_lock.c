/* test_deferred_lock.c - the lock, the semaphore and the queue of callbacks, and step functions. */
#include "deferreds.h"

static struct solo_deferred_lock *lock;

static void begin_lock(void)
{
    begin();
    CU_ASSERT_EQUAL(solo_deferred_lock_create(reactor, &lock), 0);
}

static void end_lock(void)
{
    CU_ASSERT_EQUAL(solo_deferred_lock_destroy(lock), 0);
    end();
}

static struct solo_deferred *acquire(const char *text)
{
    struct solo_deferred *deferred = NULL;
    CU_ASSERT_EQUAL(solo_deferred_lock_acquire(lock, &deferred), 0);
    add_note(deferred, text);
    return deferred;
}

static void let_go(void)
{
    CU_ASSERT_EQUAL(solo_deferred_lock_release(lock), 0);
}

static bool is_locked(void)
{
    bool locked = false;
    CU_ASSERT_EQUAL(solo_deferred_lock_is_locked(lock, &locked), 0);
    return locked;
}

static void order_body(void)
{
    begin_lock();
    CU_ASSERT_FALSE(is_locked());
    struct solo_deferred *a = acquire("a"), *b = acquire("b"), *c = acquire("c");
    noted("a");
    CU_ASSERT_PTR_EQUAL(value_of(a), lock);
    CU_ASSERT_EQUAL(solo_deferred_lock_destroy(lock), -EBUSY);
    CU_ASSERT_EQUAL(solo_deferred_cancel(b), 0);
    noted("a!");
    let_go();
    noted("a!c");
    CU_ASSERT_TRUE(is_locked());
    let_go();
    CU_ASSERT_FALSE(is_locked());
    CU_ASSERT_EQUAL(solo_deferred_lock_release(lock), -EPERM);
    release(a);
    release(b);
    release(c);
    end_lock();
}

static void test_lock__is_granted_first_come_first_served_and_a_cancelled_waiter_is_skipped(void)
{
    worlds_run(order_body);
}

enum { WAITERS = 100000 };

static struct solo_result let_go_inside(struct solo_result previous, void *arg)
{
    ++*(unsigned *)arg;
    let_go();
    return previous;
}

static void many_body(void)
{
    static struct solo_deferred *waiters[WAITERS];
    unsigned granted = 0;
    begin_lock();
    struct solo_deferred *first = acquire("f");
    for (int i = 0; i < WAITERS; i++) {
        CU_ASSERT_EQUAL(solo_deferred_lock_acquire(lock, &waiters[i]), 0);
        CU_ASSERT_EQUAL(solo_deferred_add(waiters[i], let_go_inside, NULL, &granted), 0);
        release(waiters[i]);
    }
    let_go();
    CU_ASSERT_EQUAL(granted, WAITERS);
    release(first);
    end_lock();
}

static void test_lock__any_number_of_waiters_that_let_go_at_once_needs_no_stack(void)
{
    worlds_run_os(many_body);
}

static struct solo_deferred *inner;

static struct solo_result wait_inside(void *arg)
{
    note(*(const char *)arg);
    inner = make();
    return solo_wait_for(inner);
}

static struct solo_result fail_inside(void *arg)
{
    note(*(const char *)arg);
    return solo_failure(-EIO);
}

static struct solo_deferred *run(solo_maybe_fn fn, const char *text)
{
    struct solo_deferred *deferred = NULL;
    CU_ASSERT_EQUAL(solo_deferred_lock_run(lock, fn, (void *)(uintptr_t)text, &deferred), 0);
    return deferred;
}

static void run_body(void)
{
    begin_lock();
    struct solo_deferred *a = run(wait_inside, "a"), *b = run(fail_inside, "b"), *c = run(fail_inside, "c");
    noted("a");
    CU_ASSERT_EQUAL(solo_deferred_cancel(c), 0);
    fire(inner, solo_value("v"));
    noted("ab");
    CU_ASSERT_STRING_EQUAL(value_of(a), "v");
    CU_ASSERT_EQUAL(status_of(b), -EIO);
    CU_ASSERT_FALSE(is_locked());
    release(a);
    release_handled(b);
    release(c);
    struct solo_deferred *d = run(wait_inside, "d");
    CU_ASSERT_EQUAL(solo_deferred_cancel(d), 0);
    CU_ASSERT_FALSE(is_locked());
    release(d);
    end_lock();
}

static void test_lock__run_lets_go_whatever_the_function_comes_to(void)
{
    worlds_run(run_body);
}

/* ---- Semaphore ---- */

static void semaphore_body(void)
{
    struct solo_deferred_semaphore *semaphore = NULL;
    struct solo_deferred *deferreds[4];
    size_t left = 0;
    begin();
    CU_ASSERT_EQUAL(solo_deferred_semaphore_create(reactor, 0, &semaphore), -EINVAL);
    CU_ASSERT_EQUAL(solo_deferred_semaphore_create(reactor, 2, &semaphore), 0);
    CU_ASSERT_EQUAL(solo_deferred_semaphore_release(semaphore), -EPERM);
    for (int i = 0; i < 4; i++) {
        CU_ASSERT_EQUAL(solo_deferred_semaphore_acquire(semaphore, &deferreds[i]), 0);
        add_note(deferreds[i], i < 2 ? "a" : "b");
    }
    noted("aa");
    CU_ASSERT_EQUAL(solo_deferred_semaphore_release(semaphore), 0);
    noted("aab");
    for (int i = 0; i < 3; i++) {
        CU_ASSERT_EQUAL(solo_deferred_semaphore_release(semaphore), 0);
    }
    CU_ASSERT_EQUAL(solo_deferred_semaphore_free(semaphore, &left), 0);
    CU_ASSERT_EQUAL(left, 2);
    CU_ASSERT_EQUAL(solo_deferred_semaphore_release(semaphore), -EPERM);
    for (int i = 0; i < 4; i++) {
        release(deferreds[i]);
    }
    struct solo_deferred *failed = NULL;
    CU_ASSERT_EQUAL(solo_deferred_semaphore_run(semaphore, fail_inside, "r", &failed), 0);
    CU_ASSERT_EQUAL(status_of(failed), -EIO);
    release_handled(failed);
    CU_ASSERT_EQUAL(solo_deferred_semaphore_destroy(semaphore), 0);
    end();
}

static void test_semaphore__grants_as_many_as_it_has_tokens(void)
{
    worlds_run(semaphore_body);
}

/* ---- Queue ---- */

static void drop(void *item, void *arg)
{
    note(*(const char *)item);
    CU_ASSERT_PTR_EQUAL(arg, NULL);
}

static struct solo_result note_item(struct solo_result previous, void *arg)
{
    (void)arg;
    note(previous.status < 0 ? '!' : *(const char *)previous.value);
    return solo_value(NULL);
}

static struct solo_deferred *get(struct solo_deferred_queue *queue)
{
    struct solo_deferred *deferred = NULL;
    CU_ASSERT_EQUAL(solo_deferred_queue_get(queue, &deferred), 0);
    CU_ASSERT_EQUAL(solo_deferred_add(deferred, note_item, note_item, NULL), 0);
    return deferred;
}

static void queue_body(void)
{
    struct solo_deferred_queue *queue = NULL;
    struct solo_deferred *none = NULL;
    size_t size = 0;
    begin();
    CU_ASSERT_EQUAL(solo_deferred_queue_create(reactor, 2, 2, &queue), 0);
    CU_ASSERT_EQUAL(solo_deferred_queue_put(queue, "a"), 0);
    CU_ASSERT_EQUAL(solo_deferred_queue_put(queue, "b"), 0);
    CU_ASSERT_EQUAL(solo_deferred_queue_put(queue, "n"), SOLO_ELIMIT);
    CU_ASSERT_EQUAL(solo_deferred_queue_size(queue, &size), 0);
    CU_ASSERT_EQUAL(size, 2);
    release(get(queue));
    release(get(queue));
    noted("ab");
    struct solo_deferred *first = get(queue), *second = get(queue);
    CU_ASSERT_EQUAL(solo_deferred_queue_get(queue, &none), SOLO_ELIMIT);
    CU_ASSERT_PTR_NULL(none);
    CU_ASSERT_EQUAL(solo_deferred_cancel(first), 0);
    CU_ASSERT_EQUAL(solo_deferred_queue_put(queue, "c"), 0); /* the cancelled one loses no item */
    noted("ab!c");
    release(first);
    release(second);
    struct solo_deferred *last = get(queue);
    CU_ASSERT_EQUAL(solo_deferred_queue_destroy(queue, NULL, NULL), 0);
    noted("ab!c!");
    release(last);
    end();
}

static void test_queue__hands_items_on_in_order_and_has_two_limits(void)
{
    worlds_run(queue_body);
}

static void queue_left_body(void)
{
    struct solo_deferred_queue *queue = NULL;
    begin();
    CU_ASSERT_EQUAL(solo_deferred_queue_create(reactor, SIZE_MAX, SIZE_MAX, &queue), 0);
    CU_ASSERT_EQUAL(solo_deferred_queue_put(queue, "a"), 0);
    CU_ASSERT_EQUAL(solo_deferred_queue_put(queue, "b"), 0);
    CU_ASSERT_EQUAL(solo_deferred_queue_destroy(queue, NULL, NULL), -EBUSY);
    CU_ASSERT_EQUAL(solo_deferred_queue_destroy(queue, drop, NULL), 0);
    noted("ab");
    CU_ASSERT_EQUAL(solo_deferred_queue_put(queue, "c"), SOLO_ECLOSED);
    worlds_expect(SOLO006_USE_AFTER_END, 1);
    end();
}

static void test_queue__gives_back_what_nobody_got(void)
{
    worlds_run(queue_left_body);
}

static struct solo_deferred *others[3];

static struct solo_result cancel_others(struct solo_result previous, void *arg)
{
    (void)arg;
    CU_ASSERT_EQUAL(previous.status, SOLO_ECLOSED);
    for (int i = 0; i < 3; i++) {
        CU_ASSERT_EQUAL(solo_deferred_cancel(others[i]), 0);
    }
    return solo_value(NULL);
}

static void queue_end_body(void)
{
    struct solo_deferred_queue *queue = NULL;
    begin();
    CU_ASSERT_EQUAL(solo_deferred_queue_create(reactor, 2, 4, &queue), 0);
    struct solo_deferred *first = NULL;
    CU_ASSERT_EQUAL(solo_deferred_queue_get(queue, &first), 0);
    CU_ASSERT_EQUAL(solo_deferred_add(first, NULL, cancel_others, NULL), 0);
    for (int i = 0; i < 3; i++) {
        others[i] = get(queue);
    }
    CU_ASSERT_EQUAL(solo_deferred_queue_destroy(queue, NULL, NULL), 0);
    noted("!!!");
    release(first);
    for (int i = 0; i < 3; i++) {
        release(others[i]);
    }
    end();
}

static void test_queue__getters_may_cancel_one_another_when_it_ends(void)
{
    worlds_run(queue_end_body);
}

static void wrong_thread(void *arg)
{
    struct solo_deferred *none = NULL;
    (void)arg;
    CU_ASSERT_EQUAL(solo_deferred_lock_acquire(lock, &none), SOLO_EWRONGTHREAD);
    CU_ASSERT_EQUAL(solo_deferred_lock_release(lock), SOLO_EWRONGTHREAD);
    CU_ASSERT_EQUAL(solo_deferred_lock_destroy(lock), SOLO_EWRONGTHREAD);
    CU_ASSERT_PTR_NULL(none);
}

static void wrong_thread_body(void)
{
    struct solo_thread *thread = NULL;
    begin_lock();
    CU_ASSERT_EQUAL(solo_thread_create(wrong_thread, NULL, &thread), 0);
    CU_ASSERT_EQUAL(solo_thread_join(thread), 0);
    worlds_expect(SOLO001_WRONG_THREAD, 3);
    end_lock();
}

static void test_lock__is_for_the_reactor_thread(void)
{
    worlds_run(wrong_thread_body);
}

static void memory_body(void)
{
    struct solo_deferred_queue *queue = NULL;
    struct solo_deferred *deferreds[4] = {NULL};
    lock = NULL;
    if (solo_reactor_create(NULL, &reactor) < 0) {
        return;
    }
    if (solo_deferred_lock_create(reactor, &lock) == 0) {
        int held = solo_deferred_lock_acquire(lock, &deferreds[0]);
        int waits = solo_deferred_lock_run(lock, fail_inside, "n", &deferreds[1]);
        CU_ASSERT_TRUE((held == 0 || held == -ENOMEM) && (waits == 0 || waits == -ENOMEM));
        if (deferreds[1] != NULL) {
            CU_ASSERT_EQUAL(solo_deferred_add(deferreds[1], NULL, handle_it, NULL), 0);
        }
        CU_ASSERT_TRUE(held < 0 || solo_deferred_lock_release(lock) == 0);
        CU_ASSERT_EQUAL(solo_deferred_lock_destroy(lock), 0);
    }
    if (solo_deferred_queue_create(reactor, 9, 9, &queue) == 0) {
        (void)solo_deferred_queue_get(queue, &deferreds[2]);
        (void)solo_deferred_queue_put(queue, "q");
        (void)solo_deferred_queue_put(queue, "q");
        (void)solo_deferred_queue_get(queue, &deferreds[3]);
        CU_ASSERT_EQUAL(solo_deferred_queue_destroy(queue, drop, NULL), 0);
    }
    for (int i = 0; i < 4; i++) {
        if (deferreds[i] != NULL) {
            release_handled(deferreds[i]);
        }
    }
    worlds_destroy(reactor);
}

static void test_lock__and_queue_refused_memory_keep_their_order(void)
{
    CU_ASSERT_EQUAL(refusing_run(memory_body, REFUSE_FOR_GOOD | REFUSE_PAIRS), 2 + 1 + 1 + 3 + 1 + 2 + 1 + 1);
}

/* ---- Steps ---- */

static struct solo_deferred *waits[3];

static struct solo_result two_waits(unsigned *step, struct solo_result previous, void *arg)
{
    note(previous.status < 0 ? '!' : (char)('0' + *step));
    CU_ASSERT_STRING_EQUAL(arg, "arg");
    switch ((*step)++) {
    case 0: return solo_wait_for(waits[0]);
    case 1: return solo_wait_for(waits[1]);
    default: return previous;
    }
}

static struct solo_deferred *begin_steps(solo_steps_fn fn)
{
    struct solo_deferred *deferred = NULL;
    for (int i = 0; i < 3; i++) {
        waits[i] = make();
    }
    CU_ASSERT_EQUAL(solo_deferred_steps(reactor, fn, "arg", &deferred), 0);
    return deferred;
}

static void end_steps(void)
{
    fire(waits[2], solo_value(NULL));
    release(waits[2]);
    end();
}

static void steps_body(void)
{
    begin();
    struct solo_deferred *deferred = begin_steps(two_waits);
    add_note(deferred, "z"); /* comes after all steps */
    noted("0");
    fire(waits[0], solo_value("a"));
    noted("01");
    fire(waits[1], solo_value("b"));
    noted("012z");
    CU_ASSERT_STRING_EQUAL(value_of(deferred), "b");
    release(deferred);
    end_steps();
}

static void test_steps__are_called_with_the_result_they_waited_for(void)
{
    worlds_run(steps_body);
}

static void steps_fail_body(void)
{
    begin();
    struct solo_deferred *deferred = begin_steps(two_waits);
    fire(waits[0], solo_failure(-EIO)); /* the function's to handle: it goes on */
    noted("0!");
    fire(waits[1], solo_failure(-EPERM));
    CU_ASSERT_EQUAL(status_of(deferred), -EPERM);
    release_handled(deferred);
    end_steps();
}

static void test_steps__see_failures_and_may_end_with_one(void)
{
    worlds_run(steps_fail_body);
}

static struct solo_result loop(unsigned *step, struct solo_result previous, void *arg)
{
    (void)arg;
    if (++*step > 100000) {
        return previous;
    }
    struct solo_deferred *fired = NULL;
    CU_ASSERT_EQUAL(solo_deferred_succeed(reactor, "v", &fired), 0);
    return solo_wait_for(fired);
}

static void loop_body(void)
{
    begin();
    struct solo_deferred *deferred = NULL;
    CU_ASSERT_EQUAL(solo_deferred_steps(reactor, loop, NULL, &deferred), 0);
    CU_ASSERT_STRING_EQUAL(value_of(deferred), "v");
    release(deferred);
    end();
}

static void test_steps__in_a_loop_need_no_stack(void)
{
    worlds_run_os(loop_body);
}

static struct solo_result give_up(unsigned *step, struct solo_result previous, void *arg)
{
    (void)arg;
    return (*step)++ == 0 ? solo_wait_for(waits[0]) : previous;
}

static void steps_cancel_body(void)
{
    begin();
    struct solo_deferred *gives_up = begin_steps(give_up);
    CU_ASSERT_EQUAL(solo_deferred_cancel(gives_up), 0);
    CU_ASSERT_EQUAL(status_of(gives_up), SOLO_ECANCELLED);
    release(gives_up);
    fire(waits[1], solo_value(NULL));
    release(waits[1]);
    fire(waits[2], solo_value(NULL));
    release(waits[2]);
    struct solo_deferred *goes_on = begin_steps(two_waits);
    CU_ASSERT_EQUAL(solo_deferred_cancel(goes_on), 0);
    noted("0!");
    CU_ASSERT_EQUAL(status_of(goes_on), SOLO_ECANCELLED);
    release(goes_on);
    fire(waits[1], solo_value(NULL)); /* its last step has nobody to tell */
    noted("0!2");
    end_steps();
}

static void test_steps__cancelled_cancel_what_they_wait_for(void)
{
    worlds_run(steps_cancel_body);
}

static void steps_memory_body(void)
{
    struct solo_deferred *deferred = NULL;
    if (solo_reactor_create(NULL, &reactor) < 0) {
        return;
    }
    waits[0] = NULL;
    if (solo_deferred_create(reactor, NULL, NULL, &waits[0]) == 0) {
        int status = solo_deferred_steps(reactor, give_up, NULL, &deferred);
        CU_ASSERT_TRUE(status == 0 || (status == -ENOMEM && deferred == NULL));
        fire(waits[0], solo_value("v"));
        if (status < 0) {
            release(waits[0]);
        } else {
            CU_ASSERT_STRING_EQUAL(value_of(deferred), "v");
            release(deferred);
        }
    }
    worlds_destroy(reactor);
}

static void test_steps__refused_memory_never_begin(void)
{
    CU_ASSERT_EQUAL(refusing_run(steps_memory_body, REFUSE_FOR_GOOD | REFUSE_PAIRS), 2 + 1 + 3);
}

void suite_deferred_lock(void)
{
    SOLO_SUITE("deferred_lock");
    SOLO_TEST(test_lock__is_granted_first_come_first_served_and_a_cancelled_waiter_is_skipped);
    SOLO_TEST(test_lock__any_number_of_waiters_that_let_go_at_once_needs_no_stack);
    SOLO_TEST(test_lock__run_lets_go_whatever_the_function_comes_to);
    SOLO_TEST(test_lock__is_for_the_reactor_thread);
    SOLO_TEST(test_lock__and_queue_refused_memory_keep_their_order);
    SOLO_TEST(test_semaphore__grants_as_many_as_it_has_tokens);
    SOLO_TEST(test_queue__hands_items_on_in_order_and_has_two_limits);
    SOLO_TEST(test_queue__gives_back_what_nobody_got);
    SOLO_TEST(test_queue__getters_may_cancel_one_another_when_it_ends);
    SOLO_TEST(test_steps__are_called_with_the_result_they_waited_for);
    SOLO_TEST(test_steps__see_failures_and_may_end_with_one);
    SOLO_TEST(test_steps__in_a_loop_need_no_stack);
    SOLO_TEST(test_steps__cancelled_cancel_what_they_wait_for);
    SOLO_TEST(test_steps__refused_memory_never_begin);
}
