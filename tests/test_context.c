/* test_context.c - contexts: what they hold, how long they live, and which work inherits them. */
#include "refusing_world.h"

static const int name, other; /* keys */
static int forgotten;

static void forget(void *value)
{
    (void)value;
    forgotten++;
}

static struct solo_context *make(const void *key, const char *value)
{
    struct solo_context *context = NULL;
    CU_ASSERT_EQUAL_FATAL(solo_context_create(key, (void *)value, forget, &context), 0);
    return context;
}

static void note_value(const void *key)
{
    const char *value = solo_context_get(key);
    note(value != NULL ? value[0] : '-');
}

static void note_both(void *arg)
{
    (void)arg;
    note_value(&name);
    note_value(&other);
}

static void value_body(void)
{
    forgotten = 0;
    struct solo_context *context = make(&name, "a");
    note_both(NULL);
    CU_ASSERT_EQUAL(solo_context_call(context, note_both, NULL), 0);
    note_both(NULL);
    CU_ASSERT_EQUAL(forgotten, 0);
    CU_ASSERT_EQUAL(solo_context_release(context), 0);
    CU_ASSERT_EQUAL(forgotten, 1);
    noted("--a---");
}

static void test_context__its_value_is_there_inside_the_call_and_nowhere_else(void)
{
    worlds_run(value_body);
}

/* Inside: another key, then the same key again. */
static void nest(void *arg)
{
    (void)arg;
    struct solo_context *inner = make(&other, "b");
    struct solo_context *again = NULL;
    CU_ASSERT_EQUAL(solo_context_call(inner, note_both, NULL), 0);
    again = make(&name, "c");
    CU_ASSERT_EQUAL(solo_context_call(again, note_both, NULL), 0);
    note_both(NULL);
    CU_ASSERT_EQUAL(solo_context_release(inner), 0);
    CU_ASSERT_EQUAL(solo_context_release(again), 0);
}

static void nested_body(void)
{
    forgotten = 0;
    struct solo_context *context = make(&name, "a");
    CU_ASSERT_EQUAL(solo_context_call(context, nest, NULL), 0);
    CU_ASSERT_EQUAL(forgotten, 2);
    CU_ASSERT_EQUAL(solo_context_release(context), 0);
    CU_ASSERT_EQUAL(forgotten, 3);
    noted("abc-a-");
}

static void test_context__one_made_inside_another_adds_to_it(void)
{
    worlds_run(nested_body);
}

static struct solo_context *kept;

static void keep_inner(void *arg)
{
    (void)arg;
    kept = make(&other, "b");
}

static void outlived_body(void)
{
    forgotten = 0;
    struct solo_context *outer = make(&name, "a");
    CU_ASSERT_EQUAL(solo_context_call(outer, keep_inner, NULL), 0);
    CU_ASSERT_EQUAL(solo_context_release(outer), 0);
    CU_ASSERT_EQUAL(forgotten, 0);
    CU_ASSERT_EQUAL(solo_context_call(kept, note_both, NULL), 0);
    CU_ASSERT_EQUAL(solo_context_release(kept), 0);
    CU_ASSERT_EQUAL(forgotten, 2);
    noted("ab");
}

static void test_context__an_inner_one_keeps_the_outer_one(void)
{
    worlds_run(outlived_body);
}

static void release_it(void *arg)
{
    CU_ASSERT_EQUAL(solo_context_release((struct solo_context *)arg), 0);
    CU_ASSERT_EQUAL(forgotten, 0); /* this thread is inside it */
    note_value(&name);
}

static void released_inside_body(void)
{
    forgotten = 0;
    struct solo_context *context = make(&name, "a");
    CU_ASSERT_EQUAL(solo_context_call(context, release_it, context), 0);
    CU_ASSERT_EQUAL(forgotten, 1);
    CU_ASSERT_EQUAL(solo_context_call(context, note_both, NULL), SOLO_ECLOSED);
    CU_ASSERT_EQUAL(solo_context_release(context), SOLO_ECLOSED);
    worlds_expect(SOLO006_USE_AFTER_END, 2);
    noted("a");
}

static void test_context__it_lives_as_long_as_somebody_is_inside_and_later_use_is_named(void)
{
    worlds_run(released_inside_body);
}

static void bad_body(void)
{
    struct solo_context *context = NULL;
    CU_ASSERT_EQUAL(solo_context_create(NULL, NULL, NULL, &context), -EINVAL);
    CU_ASSERT_EQUAL(solo_context_create(&name, NULL, NULL, NULL), -EINVAL);
    CU_ASSERT_EQUAL(solo_context_call(NULL, note_both, NULL), -EINVAL);
    CU_ASSERT_EQUAL(solo_context_release(NULL), 0);
    CU_ASSERT_PTR_NULL(context);
    CU_ASSERT_EQUAL(solo_context_create(&name, NULL, NULL, &context), 0);
    CU_ASSERT_EQUAL(solo_context_call(context, NULL, NULL), -EINVAL);
    CU_ASSERT_EQUAL(solo_context_release(context), 0);
}

static void test_context__bad_arguments_are_refused(void)
{
    worlds_run(bad_body);
}

/* ---- Jobs inherit it ---- */

static struct solo_reactor *reactor;
static struct solo_pool *pool;
static char in_work, in_done;

static char value_of(const void *key)
{
    const char *value = solo_context_get(key);
    return value != NULL ? value[0] : '-';
}

static void look(void *arg)
{
    (void)arg;
    in_work = value_of(&name);
}

static struct solo_result look_too(void *arg)
{
    look(arg);
    return solo_value(NULL);
}

static void done_stops(int status, void *arg)
{
    (void)status;
    (void)arg;
    in_done = value_of(&name);
    worlds_stop(reactor);
}

static struct solo_result deferred_stops(struct solo_result result, void *arg)
{
    done_stops(result.status, arg);
    return solo_value(NULL);
}

static void stop_reactor(void *arg)
{
    (void)arg;
    worlds_stop(reactor);
}

static void result_stops(struct solo_result result, void *arg)
{
    (void)result;
    in_done = value_of(&name);
    CU_ASSERT_EQUAL(solo_reactor_call_from_thread(reactor, stop_reactor, arg, NULL), 0);
}

static void queue_call(void *arg)
{
    CU_ASSERT_EQUAL(solo_reactor_call_in_thread(reactor, look, arg, done_stops), 0);
}

static void queue_callback(void *arg)
{
    CU_ASSERT_EQUAL(solo_pool_call_in_thread_with_callback(pool, look_too, arg, result_stops, NULL), 0);
}

static void queue_multiple(void *arg)
{
    const struct solo_work work = {look_too, arg};
    CU_ASSERT_EQUAL(solo_call_multiple_in_thread(reactor, &work, 1, done_stops, NULL), 0);
}

static void queue_deferred(void *arg)
{
    struct solo_deferred *deferred = NULL;
    CU_ASSERT_EQUAL(solo_defer_to_thread(reactor, look_too, arg, &deferred), 0);
    CU_ASSERT_EQUAL(solo_deferred_add(deferred, deferred_stops, NULL, NULL), 0);
    CU_ASSERT_EQUAL(solo_deferred_release(deferred), 0);
}

static void look_after(void *arg)
{
    (void)arg;
    CU_ASSERT_EQUAL(value_of(&name), '-'); /* nothing of a job's context stays behind on its worker */
}

static void inherited_body(void)
{
    static const solo_call_fn queues[] = {queue_call, queue_callback, queue_multiple, queue_deferred};
    for (size_t i = 0; i < sizeof queues / sizeof queues[0]; i++) {
        struct solo_reactor_options options = {.pool_max = 1};
        forgotten = 0;
        in_work = in_done = '?';
        CU_ASSERT_EQUAL_FATAL(solo_reactor_create(&options, &reactor), 0);
        CU_ASSERT_EQUAL_FATAL(solo_reactor_get_thread_pool(reactor, &pool), 0);
        struct solo_context *context = make(&name, "a");
        CU_ASSERT_EQUAL(solo_context_call(context, queues[i], NULL), 0);
        CU_ASSERT_EQUAL(solo_context_release(context), 0);
        CU_ASSERT_EQUAL(forgotten, 0); /* the job keeps it */
        CU_ASSERT_EQUAL(solo_reactor_call_in_thread(reactor, look_after, NULL, NULL), 0);
        CU_ASSERT_EQUAL(solo_reactor_run(reactor), 0);
        worlds_destroy(reactor);
        CU_ASSERT_EQUAL(in_work, 'a');
        CU_ASSERT_EQUAL(in_done, 'a');
        CU_ASSERT_EQUAL(forgotten, 1);
    }
}

static void test_context__a_job_and_its_end_see_the_context_of_whoever_queued_it(void)
{
    worlds_run(inherited_body);
}

static void unrun(int status, void *arg)
{
    CU_ASSERT_EQUAL(status, SOLO_ECLOSING);
    (void)arg;
    in_done = value_of(&name);
}

static void queue_unrun(void *arg)
{
    CU_ASSERT_EQUAL(solo_reactor_call_in_thread(reactor, look, arg, unrun), 0);
}

static void handed_back_body(void)
{
    forgotten = 0;
    reactor = worlds_reactor();
    struct solo_context *context = make(&name, "a");
    CU_ASSERT_EQUAL(solo_context_call(context, queue_unrun, NULL), 0);
    CU_ASSERT_EQUAL(solo_context_release(context), 0);
    worlds_destroy(reactor);
    CU_ASSERT_EQUAL(in_done, 'a');
    CU_ASSERT_EQUAL(forgotten, 1);
}

static void test_context__a_job_that_never_runs_lets_go_of_it(void)
{
    worlds_run(handed_back_body);
}

static void thread_call_looks(void *arg)
{
    CU_ASSERT_EQUAL(value_of(&name), '-');
    stop_reactor(arg);
}

static void queue_thread_call(void *arg)
{
    CU_ASSERT_EQUAL(solo_reactor_call_from_thread(reactor, thread_call_looks, arg, NULL), 0);
}

static void not_inherited_body(void)
{
    reactor = worlds_reactor();
    struct solo_context *context = make(&name, "a");
    CU_ASSERT_EQUAL(solo_context_call(context, queue_thread_call, NULL), 0);
    CU_ASSERT_EQUAL(solo_reactor_run(reactor), 0);
    CU_ASSERT_EQUAL(solo_context_release(context), 0);
    worlds_destroy(reactor);
}

static void test_context__a_thread_call_does_not_inherit_it(void)
{
    worlds_run(not_inherited_body);
}

/* ---- Memory refused ---- */

static int made;

static void refused_body(void)
{
    struct solo_context *context = NULL;
    made = forgotten = 0;
    int status = solo_context_create(&name, "a", forget, &context);
    CU_ASSERT_EQUAL(status, context != NULL ? 0 : -ENOMEM);
    made = context != NULL;
    CU_ASSERT_EQUAL(solo_context_release(context), 0);
    CU_ASSERT_EQUAL(forgotten, made);
}

static void test_context__refused_memory_makes_none(void)
{
    refusing_run(refused_body, REFUSE_MEMORY);
    CU_ASSERT_EQUAL(made, 1); /* the last run refuses nothing */
}

void suite_context(void)
{
    SOLO_SUITE("context");
    SOLO_TEST(test_context__its_value_is_there_inside_the_call_and_nowhere_else);
    SOLO_TEST(test_context__one_made_inside_another_adds_to_it);
    SOLO_TEST(test_context__an_inner_one_keeps_the_outer_one);
    SOLO_TEST(test_context__it_lives_as_long_as_somebody_is_inside_and_later_use_is_named);
    SOLO_TEST(test_context__bad_arguments_are_refused);
    SOLO_TEST(test_context__a_job_and_its_end_see_the_context_of_whoever_queued_it);
    SOLO_TEST(test_context__a_job_that_never_runs_lets_go_of_it);
    SOLO_TEST(test_context__a_thread_call_does_not_inherit_it);
    SOLO_TEST(test_context__refused_memory_makes_none);
}
