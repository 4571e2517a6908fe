/* test_self.c - who a thread is: names, roles, foreign threads, and how long an identity lives. */
#include "guard.h"
#include "refusing_world.h"
#include "self.h"
#include <pthread.h>
#include <solo/thread.h>

static void start_and_join(solo_thread_fn fn, void *arg)
{
    struct solo_thread *thread = NULL;
    CU_ASSERT_EQUAL_FATAL(solo_thread_create(fn, arg, &thread), 0);
    CU_ASSERT_EQUAL(solo_thread_join(thread), 0);
}

static void as_foreign(void *(*fn)(void *arg), void *arg)
{
    pthread_t thread;
    CU_ASSERT_EQUAL_FATAL(pthread_create(&thread, NULL, fn, arg), 0);
    CU_ASSERT_EQUAL(pthread_join(thread, NULL), 0);
}

/* ---- Names ---- */

static void write_my_name(void *arg)
{
    solo_thread_name(arg, SOLO_VIOLATION_NAME_MAX);
}

static void be_a_parent(void *arg)
{
    char(*names)[SOLO_VIOLATION_NAME_MAX] = arg;
    write_my_name(names[0]);
    start_and_join(write_my_name, names[1]);
    start_and_join(write_my_name, names[2]);
}

static void threads_are_named_by_how_they_came_to_be(void)
{
    char names[4][SOLO_VIOLATION_NAME_MAX];
    write_my_name(names[3]);
    CU_ASSERT_STRING_EQUAL(names[3], "main");
    start_and_join(be_a_parent, names);
    CU_ASSERT_STRING_EQUAL(names[0], "main/1");
    CU_ASSERT_STRING_EQUAL(names[1], "main/1/1");
    CU_ASSERT_STRING_EQUAL(names[2], "main/1/2");
    start_and_join(write_my_name, names[3]);
    CU_ASSERT_STRING_EQUAL(names[3], "main/2");
}

static void test_self__threads_are_named_by_how_they_came_to_be(void)
{
    worlds_run(threads_are_named_by_how_they_came_to_be);
}

enum { NESTED = 12 };
static char deepest[SOLO_VIOLATION_NAME_MAX];

static void go_deeper(void *arg)
{
    unsigned left = *(const unsigned *)arg - 1;
    if (left > 0) {
        start_and_join(go_deeper, &left);
    } else {
        write_my_name(deepest);
    }
}

static void test_self__the_eldest_are_left_out_of_a_long_line_of_parents(void)
{
    unsigned left = NESTED;
    start_and_join(go_deeper, &left);
    CU_ASSERT_STRING_EQUAL(deepest, ".../1/1/1/1/1/1/1/1");
}

static void test_self__names_are_cut_to_the_buffer(void)
{
    struct solo_thread thread = {.role = SOLO__ROLE_POOL, .label = 12};
    char name[16];
    CU_ASSERT_STRING_EQUAL(solo__thread_print_name(&thread, name, sizeof name), "pool#12");
    CU_ASSERT_STRING_EQUAL(solo__thread_print_name(&thread, name, 4), "poo");
    struct solo_thread child = {.role = SOLO__ROLE_CHILD, .label = 3, .parent = &thread};
    CU_ASSERT_STRING_EQUAL(solo__thread_print_name(&child, name, sizeof name), "pool#12/3");
    CU_ASSERT_STRING_EQUAL(solo__thread_print_name(&child, name, 9), "pool#12/");
    CU_ASSERT_STRING_EQUAL(solo__thread_print_name(&child, name, 3), "po");
    CU_ASSERT_PTR_NULL(solo_thread_name(NULL, 3));
}

static void test_self__roles_are_said_in_words(void)
{
    struct solo_thread thread = {.role = SOLO__ROLE_POOL};
    CU_ASSERT_STRING_EQUAL(solo__role_text(&thread), "pool worker");
    thread.role = SOLO__ROLE_WORKER;
    CU_ASSERT_STRING_EQUAL(solo__role_text(&thread), "worker");
    thread.role = SOLO__ROLE_PEER;
    CU_ASSERT_STRING_EQUAL(solo__role_text(&thread), "peer");
    thread.role = SOLO__ROLE_FOREIGN;
    CU_ASSERT_STRING_EQUAL(solo__role_text(&thread), "foreign thread");
    thread.role = SOLO__ROLE_MAIN;
    CU_ASSERT_STRING_EQUAL(solo__role_text(&thread), "foreign thread");
    thread.inside = (struct solo_reactor *)(void *)&thread;
    CU_ASSERT_STRING_EQUAL(solo__role_text(&thread), "reactor");
}

struct looked_up {
    struct solo_semaphore *go;
    unsigned number;
    uint32_t id;
};

static void be_looked_up(void *arg)
{
    struct looked_up *me = arg;
    me->number = solo__self_get()->number;
    me->id = solo__self_get()->object.id;
    CU_ASSERT_EQUAL(solo_semaphore_wait(me->go, SOLO_NEVER), 0);
}

static void a_number_and_an_id_lead_to_the_name(void)
{
    struct looked_up one;
    struct solo_thread *thread = NULL;
    char name[32];
    CU_ASSERT_EQUAL_FATAL(solo_semaphore_create(0, &one.go), 0);
    CU_ASSERT_EQUAL_FATAL(solo_thread_create(be_looked_up, &one, &thread), 0);
    CU_ASSERT_EQUAL(solo_semaphore_post(one.go), 0);
    CU_ASSERT_EQUAL(solo_thread_join(thread), 0);
    CU_ASSERT_STRING_EQUAL(solo_thread_name_of(one.number, name, sizeof name), "main/1"); /* though it has ended */
    CU_ASSERT_STRING_EQUAL(solo_object_name(one.id, name, sizeof name), "main/1");
    CU_ASSERT_STRING_EQUAL(solo_object_name(solo__self_get()->object.id, name, sizeof name), "main");
    CU_ASSERT_STRING_EQUAL(solo_thread_name_of(0, name, sizeof name), "main");
    CU_ASSERT_STRING_EQUAL(solo_thread_name_of(60000, name, sizeof name), "?");
    CU_ASSERT_EQUAL(solo_semaphore_destroy(one.go), 0);
}

static void test_self__a_number_and_an_id_lead_to_the_name(void)
{
    worlds_run(a_number_and_an_id_lead_to_the_name);
}

/* ---- Foreign threads ---- */

struct foreigner {
    char name[SOLO_VIOLATION_NAME_MAX];
    char child[SOLO_VIOLATION_NAME_MAX];
    struct solo_thread *self, *self_again;
    bool unknown_before;
    bool on_its_stack;
    uint32_t id;
};

static void *be_foreign(void *arg)
{
    struct foreigner *me = arg;
    me->unknown_before = solo__self == NULL;
    me->self = solo__self_get();
    me->self_again = solo__self_get();
    me->id = me->self->object.id;
    me->on_its_stack = me->self->stack_low < (uintptr_t)&me && (uintptr_t)&me < me->self->stack_high;
    write_my_name(me->name);
    start_and_join(write_my_name, me->child);
    return NULL;
}

static void test_self__a_foreign_thread_gets_an_identity_when_it_first_needs_one(void)
{
    struct foreigner first, second;
    as_foreign(be_foreign, &first);
    as_foreign(be_foreign, &second);
    CU_ASSERT_TRUE(first.unknown_before);
    CU_ASSERT_TRUE(second.unknown_before);
    CU_ASSERT_PTR_EQUAL(first.self, first.self_again);
    CU_ASSERT_STRING_EQUAL(first.name, "foreign#1");
    CU_ASSERT_STRING_EQUAL(second.name, "foreign#2");
    CU_ASSERT_STRING_EQUAL(second.child, "foreign#2/1");
    CU_ASSERT_NOT_EQUAL(first.id, second.id);
    CU_ASSERT_TRUE(first.on_its_stack);
}

static void *be_named(void *arg)
{
    write_my_name(arg);
    return NULL;
}

static void test_self__foreign_threads_are_told_apart_even_without_memory(void)
{
    char first[SOLO_VIOLATION_NAME_MAX] = "", second[SOLO_VIOLATION_NAME_MAX] = "";
    refusing_begin(1, true);
    as_foreign(be_named, first);
    as_foreign(be_named, second);
    refusing_end();
    CU_ASSERT_STRING_EQUAL(first, "foreign#1");
    CU_ASSERT_STRING_EQUAL(second, "foreign#2");
}

static uint32_t ended_thread;

static void watch_ends(const struct solo_event *event, void *arg)
{
    (void)arg;
    if (event->kind == SOLO_PROBE_THREAD_END) {
        ended_thread = event->object;
    }
}

static void *be_foreign_briefly(void *arg)
{
    *(uint32_t *)arg = solo__self_get()->object.id;
    return NULL;
}

static void test_self__a_foreign_identity_ends_with_its_thread(void)
{
    uint32_t id = 0;
    CU_ASSERT_EQUAL(solo_probe_subscribe(watch_ends, NULL), 0);
    as_foreign(be_foreign_briefly, &id);
    CU_ASSERT_NOT_EQUAL(id, 0);
    CU_ASSERT_EQUAL(ended_thread, id);
    CU_ASSERT_EQUAL(solo_probe_unsubscribe(watch_ends, NULL), 0);
}

static void test_self__the_main_thread_knows_its_stack(void)
{
    int here = 0;
    const struct solo_thread *self = solo__self_get();
    CU_ASSERT_TRUE(self->stack_low < (uintptr_t)&here && (uintptr_t)&here < self->stack_high);
}

/* ---- How long an identity lives ---- */

static void do_nothing(void *arg)
{
    (void)arg;
}

static bool is_known(uint32_t id)
{
    char name[32];
    return solo__thread_print_id(solo_world_os(), id, name, sizeof name);
}

/* Starts a thread that ends at once, and joins it; pinned if asked. */
static struct solo_thread *make_ended(bool pinned, uint32_t *ret_id)
{
    struct solo_thread *thread = NULL;
    CU_ASSERT_EQUAL_FATAL(solo_thread_create(do_nothing, NULL, &thread), 0);
    *ret_id = thread->object.id;
    if (pinned) {
        solo__thread_pin(thread);
    }
    CU_ASSERT_EQUAL(solo_thread_join(thread), 0);
    return thread;
}

/* Makes and ends listed threads until quarantine has forgotten all before them. */
static void churn(void)
{
    for (int i = 0; i < SOLO__QUARANTINE_MAX; i++) {
        start_and_join(do_nothing, NULL);
    }
}

static void test_self__an_ended_thread_is_named_until_quarantine_lets_go(void)
{
    uint32_t id;
    (void)make_ended(false, &id);
    CU_ASSERT_TRUE(is_known(id));
    churn();
    CU_ASSERT_FALSE(is_known(id));
}

static void test_self__a_pinned_thread_outlives_quarantine_until_the_last_pin_is_gone(void)
{
    uint32_t id;
    struct solo_thread *thread = make_ended(true, &id);
    churn();
    CU_ASSERT_TRUE(is_known(id));
    CU_ASSERT_EQUAL(thread->object.id, id);
    solo__thread_unpin(thread);
    CU_ASSERT_FALSE(is_known(id));
}

static void remember_parent(void *arg)
{
    struct solo_thread **child = arg;
    CU_ASSERT_EQUAL_FATAL(solo_thread_create(do_nothing, NULL, child), 0);
}

static void test_self__a_child_keeps_its_parents_name(void)
{
    struct solo_thread *parent = NULL, *child = NULL;
    char name[32];
    CU_ASSERT_EQUAL_FATAL(solo_thread_create(remember_parent, &child, &parent), 0);
    CU_ASSERT_EQUAL(solo_thread_join(parent), 0);
    churn();
    CU_ASSERT_STRING_EQUAL(solo__thread_print_name(child, name, sizeof name), "main/1/1");
    CU_ASSERT_EQUAL(solo_thread_join(child), 0);
}

static int bind_as_first_caller(struct solo__owner *owner)
{
    SOLO__REACTOR_ONLY(solo_reactor_now, owner, NULL);
    return 0;
}

static void *own(void *arg)
{
    CU_ASSERT_EQUAL(bind_as_first_caller(arg), 0);
    return NULL;
}

static void test_self__an_owner_is_named_after_its_thread_is_long_gone(void)
{
    struct solo__owner owner = {0};
    worlds_begin(NULL);
    as_foreign(own, &owner);
    churn();
    CU_ASSERT_EQUAL(bind_as_first_caller(&owner), SOLO_EWRONGTHREAD);
    CU_ASSERT_STRING_EQUAL(worlds_finding(SOLO001_WRONG_THREAD)->owner, "foreign#1");
    uint32_t id = owner.thread->object.id;
    solo__owner_release(&owner);
    CU_ASSERT_FALSE(is_known(id));
}

void suite_self(void)
{
    SOLO_SUITE("self");
    SOLO_TEST(test_self__threads_are_named_by_how_they_came_to_be);
    SOLO_TEST(test_self__the_eldest_are_left_out_of_a_long_line_of_parents);
    SOLO_TEST(test_self__names_are_cut_to_the_buffer);
    SOLO_TEST(test_self__roles_are_said_in_words);
    SOLO_TEST(test_self__a_number_and_an_id_lead_to_the_name);
    SOLO_TEST(test_self__a_foreign_thread_gets_an_identity_when_it_first_needs_one);
    SOLO_TEST(test_self__foreign_threads_are_told_apart_even_without_memory);
    SOLO_TEST(test_self__a_foreign_identity_ends_with_its_thread);
    SOLO_TEST(test_self__the_main_thread_knows_its_stack);
    SOLO_TEST(test_self__an_ended_thread_is_named_until_quarantine_lets_go);
    SOLO_TEST(test_self__a_pinned_thread_outlives_quarantine_until_the_last_pin_is_gone);
    SOLO_TEST(test_self__a_child_keeps_its_parents_name);
    SOLO_TEST(test_self__an_owner_is_named_after_its_thread_is_long_gone);
}
