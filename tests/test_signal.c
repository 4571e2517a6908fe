/* test_signal.c - signals as callbacks, and those that stop a reactor, in both worlds. */
#include "refusing_world.h"
#include "worlds.h"
#include <signal.h>
#include <solo/peer.h>

static struct solo_reactor *the_reactor;
static int seen[8];
static unsigned seen_count;

static SOLO_REACTOR_ONLY void see(int number, void *arg)
{
    bool is = false;
    CU_ASSERT_EQUAL(solo_reactor_is_reactor_thread(the_reactor, &is), 0);
    CU_ASSERT_TRUE(is);
    CU_ASSERT_PTR_EQUAL(arg, seen);
    seen[seen_count++ % 8] = number;
    (void)solo_reactor_stop(the_reactor);
}

static void begin(void)
{
    seen_count = 0;
    the_reactor = worlds_reactor();
}

/* ---- Callbacks ---- */

static void raise_one(void *arg)
{
    (void)arg;
    CU_ASSERT_EQUAL(solo_signal_raise(SIGCHLD), 0);
    CU_ASSERT_EQUAL(seen_count, 0); /* never inside */
}

static void callback_body(void)
{
    begin();
    CU_ASSERT_EQUAL(solo_reactor_add_signal(the_reactor, SIGCHLD, see, seen), 0);
    CU_ASSERT_EQUAL(solo_reactor_call_when_running(the_reactor, raise_one, NULL, NULL), 0);
    CU_ASSERT_EQUAL(solo_reactor_run(the_reactor), 0);
    CU_ASSERT_EQUAL(seen_count, 1);
    CU_ASSERT_EQUAL(seen[0], SIGCHLD);
    worlds_destroy(the_reactor);
}

static void test_signal__comes_as_a_callback_on_the_reactor_thread(void)
{
    worlds_run(callback_body);
}

static void raise_from_thread(void *arg)
{
    (void)arg;
    CU_ASSERT_EQUAL(solo_signal_raise(SIGUSR1), 0);
}

static void wakes_body(void)
{
    struct solo_thread *thread = NULL;
    begin();
    CU_ASSERT_EQUAL(solo_reactor_add_signal(the_reactor, SIGUSR1, see, seen), 0);
    CU_ASSERT_EQUAL_FATAL(solo_thread_create(raise_from_thread, NULL, &thread), 0);
    CU_ASSERT_EQUAL(solo_reactor_run(the_reactor), 0);
    CU_ASSERT_EQUAL(seen_count, 1);
    CU_ASSERT_EQUAL(solo_thread_join(thread), 0);
    worlds_destroy(the_reactor);
}

static void test_signal__wakes_a_reactor_that_sleeps(void)
{
    worlds_run(wakes_body);
}

static void coalesce_body(void)
{
    begin();
    CU_ASSERT_EQUAL(solo_reactor_add_signal(the_reactor, SIGUSR1, see, seen), 0);
    CU_ASSERT_EQUAL(solo_reactor_add_signal(the_reactor, SIGUSR2, see, seen), 0);
    for (unsigned i = 0; i < 5; i++) {
        CU_ASSERT_EQUAL(solo_signal_raise(SIGUSR1), 0);
    }
    CU_ASSERT_EQUAL(solo_signal_raise(SIGUSR2), 0);
    CU_ASSERT_EQUAL(solo_reactor_iterate(the_reactor, 0), 0);
    CU_ASSERT_EQUAL(seen_count, 2);
    CU_ASSERT_EQUAL(seen[0] + seen[1], SIGUSR1 + SIGUSR2);
    CU_ASSERT_EQUAL(solo_reactor_iterate(the_reactor, 0), 0);
    CU_ASSERT_EQUAL(seen_count, 2);
    worlds_destroy(the_reactor);
}

static void test_signal__several_of_one_number_count_as_one(void)
{
    worlds_run(coalesce_body);
}

static SOLO_REACTOR_ONLY void remove_both(int number, void *arg)
{
    see(number, arg);
    CU_ASSERT_EQUAL(solo_reactor_remove_signal(the_reactor, SIGUSR1), 0);
    CU_ASSERT_EQUAL(solo_reactor_remove_signal(the_reactor, SIGUSR2), 0);
    CU_ASSERT_EQUAL(solo_reactor_remove_signal(the_reactor, SIGUSR2), -ENOENT);
}

static void removed_body(void)
{
    begin();
    CU_ASSERT_EQUAL(solo_reactor_add_signal(the_reactor, SIGUSR1, remove_both, seen), 0);
    CU_ASSERT_EQUAL(solo_reactor_add_signal(the_reactor, SIGUSR2, remove_both, seen), 0);
    CU_ASSERT_EQUAL(solo_signal_raise(SIGUSR1), 0);
    CU_ASSERT_EQUAL(solo_signal_raise(SIGUSR2), 0);
    CU_ASSERT_EQUAL(solo_reactor_iterate(the_reactor, 0), 0);
    CU_ASSERT_EQUAL(seen_count, 1); /* the other one was ready in the same poll */
    worlds_destroy(the_reactor);
}

static void test_signal__removed_is_not_called_even_if_it_has_come(void)
{
    worlds_run(removed_body);
}

static void refused_body(void)
{
    struct solo_reactor *other = worlds_reactor();
    begin();
    CU_ASSERT_EQUAL(solo_reactor_add_signal(the_reactor, SIGUSR1, NULL, NULL), -EINVAL);
    CU_ASSERT_EQUAL(solo_reactor_add_signal(NULL, SIGUSR1, see, NULL), -EINVAL);
    CU_ASSERT_EQUAL(solo_reactor_add_signal(the_reactor, 0, see, NULL), -EINVAL);
    CU_ASSERT_EQUAL(solo_reactor_add_signal(the_reactor, SIGKILL, see, NULL), -EINVAL);
    CU_ASSERT_EQUAL(solo_reactor_add_signal(the_reactor, SOLO_SIGNAL_MAX + 1, see, NULL), -EINVAL);
    CU_ASSERT_EQUAL(solo_signal_raise(0), -EINVAL);
    CU_ASSERT_EQUAL(solo_signal_raise(SOLO_SIGNAL_MAX + 1), -EINVAL);
    CU_ASSERT_EQUAL(solo_reactor_stop_signal(the_reactor, NULL), -EINVAL);
    CU_ASSERT_EQUAL(solo_reactor_remove_signal(the_reactor, SIGUSR1), -ENOENT);
    CU_ASSERT_EQUAL(solo_reactor_add_signal(the_reactor, SIGUSR1, see, seen), 0);
    CU_ASSERT_EQUAL(solo_reactor_add_signal(the_reactor, SIGUSR1, see, seen), -EBUSY);
    CU_ASSERT_EQUAL(solo_reactor_add_signal(other, SIGUSR1, see, seen), -EBUSY);
    worlds_destroy(the_reactor); /* lets go of it */
    CU_ASSERT_EQUAL(solo_reactor_add_signal(other, SIGUSR1, see, seen), 0);
    the_reactor = other;
    CU_ASSERT_EQUAL(solo_signal_raise(SIGUSR1), 0);
    CU_ASSERT_EQUAL(solo_reactor_iterate(other, 0), 0);
    CU_ASSERT_EQUAL(seen_count, 1);
    worlds_destroy(other);
}

static void test_signal__belongs_to_the_reactor_that_asked_first(void)
{
    worlds_run(refused_body);
}

static volatile sig_atomic_t handled;

static void old_handler(int number)
{
    handled = number;
}

static void handlers_body(void)
{
    struct sigaction action = {.sa_handler = old_handler}, now;
    CU_ASSERT_EQUAL(sigaction(SIGUSR1, &action, NULL), 0);
    begin();
    CU_ASSERT_EQUAL(solo_reactor_add_signal(the_reactor, SIGUSR1, see, seen), 0);
    CU_ASSERT_EQUAL(solo_signal_raise(SIGUSR1), 0);
    CU_ASSERT_EQUAL(handled, 0);
    CU_ASSERT_EQUAL(solo_reactor_remove_signal(the_reactor, SIGUSR1), 0);
    CU_ASSERT_EQUAL(solo_signal_raise(SIGUSR1), 0);
    CU_ASSERT_EQUAL(handled, SIGUSR1);
    CU_ASSERT_EQUAL(solo_reactor_add_signal(the_reactor, SIGUSR1, see, seen), 0);
    CU_ASSERT_EQUAL(solo_reactor_iterate(the_reactor, 0), 0);
    CU_ASSERT_EQUAL(seen_count, 0); /* the first one was for the earlier watch */
    action.sa_handler = SIG_IGN;    /* somebody else takes over */
    CU_ASSERT_EQUAL(sigaction(SIGUSR1, &action, NULL), 0);
    worlds_destroy(the_reactor);
    CU_ASSERT_EQUAL(sigaction(SIGUSR1, NULL, &now), 0);
    CU_ASSERT_TRUE(now.sa_handler == SIG_IGN);
}

static void test_signal__in_world_os_the_handler_before_is_restored_and_a_later_one_stays(void)
{
    worlds_run_os(handlers_body);
}

/* ---- Stopping ---- */

static void raise_number(void *number)
{
    CU_ASSERT_EQUAL(solo_signal_raise((int)(intptr_t)number), 0);
}

static void stop_body_with(int number)
{
    struct solo_reactor_options options = {.stops_on_signals = true};
    int stopped_by = -1;
    CU_ASSERT_EQUAL(solo_reactor_create(&options, &the_reactor), 0);
    CU_ASSERT_EQUAL(solo_reactor_stop_signal(the_reactor, &stopped_by), 0);
    CU_ASSERT_EQUAL(stopped_by, 0);
    CU_ASSERT_EQUAL(solo_reactor_call_later(the_reactor, 0, raise_number, (void *)(intptr_t)number, NULL, NULL), 0);
    CU_ASSERT_EQUAL(solo_reactor_call_later(the_reactor, 3600000 * WORLDS_MS, note_call, "l", note_done, NULL), 0);
    CU_ASSERT_EQUAL(solo_reactor_run(the_reactor), 0);
    CU_ASSERT_EQUAL(solo_reactor_stop_signal(the_reactor, &stopped_by), 0);
    CU_ASSERT_EQUAL(stopped_by, number);
    noted("Xl"); /* an orderly stop */
    worlds_destroy(the_reactor);
}

static void sigint_body(void)
{
    stop_body_with(SIGINT);
}

static void sigterm_body(void)
{
    stop_body_with(SIGTERM);
}

static void test_signal__interrupt_and_terminate_stop_in_order(void)
{
    worlds_run(sigint_body);
    worlds_run(sigterm_body);
}

static void raise_and_look(void *arg)
{
    struct sigaction now;
    (void)arg;
    CU_ASSERT_EQUAL(sigaction(SIGINT, NULL, &now), 0);
    CU_ASSERT_TRUE(now.sa_handler != SIG_DFL);
    CU_ASSERT_EQUAL(solo_signal_raise(SIGINT), 0);
}

static struct solo_deferred *look_again(void *arg)
{
    struct sigaction now;
    (void)arg;
    CU_ASSERT_EQUAL(sigaction(SIGINT, NULL, &now), 0);
    CU_ASSERT_TRUE(now.sa_handler == SIG_DFL);
    note('b');
    return NULL;
}

static void second_body(void)
{
    struct solo_reactor_options options = {.stops_on_signals = true};
    CU_ASSERT_TRUE(signal(SIGINT, SIG_DFL) != SIG_ERR); /* a shell's background ignores it */
    CU_ASSERT_EQUAL(solo_reactor_create(&options, &the_reactor), 0);
    CU_ASSERT_EQUAL(solo_reactor_call_when_running(the_reactor, raise_and_look, NULL, NULL), 0);
    CU_ASSERT_EQUAL(solo_reactor_add_trigger(the_reactor, SOLO_BEFORE, SOLO_SHUTDOWN, look_again, NULL, NULL, NULL), 0);
    CU_ASSERT_EQUAL(solo_reactor_run(the_reactor), 0);
    noted("b");
    worlds_destroy(the_reactor);
}

static void test_signal__a_second_interrupt_does_what_it_did_before(void)
{
    worlds_run_os(second_body);
}

static void two_stop_body(void)
{
    struct solo_reactor_options options = {.stops_on_signals = true};
    struct solo_reactor *outer = NULL;
    int stopped_by = -1;
    CU_ASSERT_EQUAL(solo_reactor_create(&options, &outer), 0);
    CU_ASSERT_EQUAL(solo_reactor_add_signal(outer, SIGTERM, see, seen), 0); /* its own: so the option leaves it alone */
    CU_ASSERT_EQUAL(solo_reactor_call_later(outer, 0, raise_number, (void *)(intptr_t)SIGTERM, NULL, NULL), 0);
    seen_count = 0;
    the_reactor = outer;
    CU_ASSERT_EQUAL(solo_reactor_run(outer), 0);
    CU_ASSERT_EQUAL(seen_count, 1);
    CU_ASSERT_EQUAL(solo_reactor_stop_signal(outer, &stopped_by), 0);
    CU_ASSERT_EQUAL(stopped_by, 0);
    worlds_destroy(outer);
}

static void test_signal__one_that_the_program_watches_is_its_own_matter(void)
{
    worlds_run(two_stop_body);
}

/* ---- Peers ---- */

static void peer_body(void)
{
    static const char script[] = "peer operator\nwait 5\nsignal TERM\n";
    char why[SOLO_PEER_WHY_MAX] = "";
    struct solo_reactor_options options = {.stops_on_signals = true};
    struct solo_peers *peers = NULL;
    int stopped_by = 0;
    CU_ASSERT_EQUAL_FATAL(solo_peers_parse("a.peer", script, strlen(script), &peers, why), 0);
    CU_ASSERT_EQUAL(solo_reactor_create(&options, &the_reactor), 0);
    CU_ASSERT_EQUAL(solo_peers_start(peers, NULL), 0);
    CU_ASSERT_EQUAL(solo_reactor_run(the_reactor), 0);
    CU_ASSERT_EQUAL(solo_reactor_stop_signal(the_reactor, &stopped_by), 0);
    CU_ASSERT_EQUAL(stopped_by, SIGTERM);
    worlds_destroy(the_reactor);
    solo_peers_free(peers);
}

static void test_signal__a_peer_can_send_one(void)
{
    worlds_run_sim(peer_body, WORLDS_SEEDS);
}

static void test_signal__a_peer_names_signals_that_there_are(void)
{
    char why[SOLO_PEER_WHY_MAX] = "";
    struct solo_peers *peers = NULL;
    const char *right = "peer a\nsignal HUP\nsignal CHLD\nsignal 10\n", *wrong = "peer a\nsignal NONE\n";
    CU_ASSERT_EQUAL(solo_peers_parse("a", right, strlen(right), &peers, why), 0);
    solo_peers_free(peers);
    CU_ASSERT_EQUAL(solo_peers_parse("a", wrong, strlen(wrong), &peers, why), -EINVAL);
    CU_ASSERT_STRING_EQUAL(why, "a:2: the signal must be a number from 1 to 31");
}

/* ---- Memory ---- */

static void torture_body(void)
{
    struct solo_reactor_options options = {.stops_on_signals = true};
    if (solo_reactor_create(&options, &the_reactor) < 0) {
        return;
    }
    seen_count = 0;
    int error = solo_reactor_add_signal(the_reactor, SIGUSR1, see, seen);
    CU_ASSERT_TRUE(error == 0 || error == -ENOMEM);
    if (solo_reactor_call_from_thread(the_reactor, worlds_stop, the_reactor, NULL) == 0) {
        CU_ASSERT_EQUAL(solo_reactor_run(the_reactor), 0);
    }
    if (error == 0) { /* it is let go of only by destroy */
        CU_ASSERT_EQUAL(solo_reactor_remove_signal(the_reactor, SIGUSR1), 0);
    }
    worlds_destroy(the_reactor);
}

static void test_signal__whichever_allocation_is_refused_it_is_watched_or_not(void)
{
    CU_ASSERT_TRUE(refusing_run(torture_body, REFUSE_FOR_GOOD) >= 4);
}

void suite_signal(void);
void suite_signal(void)
{
    SOLO_SUITE("signal");
    SOLO_TEST(test_signal__comes_as_a_callback_on_the_reactor_thread);
    SOLO_TEST(test_signal__wakes_a_reactor_that_sleeps);
    SOLO_TEST(test_signal__several_of_one_number_count_as_one);
    SOLO_TEST(test_signal__removed_is_not_called_even_if_it_has_come);
    SOLO_TEST(test_signal__belongs_to_the_reactor_that_asked_first);
    SOLO_TEST(test_signal__in_world_os_the_handler_before_is_restored_and_a_later_one_stays);
    SOLO_TEST(test_signal__interrupt_and_terminate_stop_in_order);
    SOLO_TEST(test_signal__a_second_interrupt_does_what_it_did_before);
    SOLO_TEST(test_signal__one_that_the_program_watches_is_its_own_matter);
    SOLO_TEST(test_signal__a_peer_can_send_one);
    SOLO_TEST(test_signal__a_peer_names_signals_that_there_are);
    SOLO_TEST(test_signal__whichever_allocation_is_refused_it_is_watched_or_not);
}
