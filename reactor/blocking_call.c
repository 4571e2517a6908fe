/*
 * blocking_call.c - a thread asks the reactor thread for a result, and waits for it.
 *
 * The call lives on the stack of the thread that waits, so it takes no memory. The reactor thread touches it for the
 * last time when it leaves the call's lock after `answered`: that is why each call has a lock of its own, not the
 * reactor's, which may be gone when the thread wakes up.
 *
 * A call that waits never hangs at a stop: those accepted before the drain began are served while the loop still
 * turns; later ones are refused; and whoever still waits for a Deferred at the end gets SOLO_ECLOSING.
 */
#include "deferred_internal.h"
#include "reactor_internal.h"
#include "sanitizer/annotate.h"
#include <string.h>

struct solo__blocking_call {
    struct solo__call call;
    solo_work_fn work;
    struct solo_deferred *wait_for;   /* whose result will be the answer; kept */
    struct solo__blocking_call *next; /* in reactor->unanswered */
    struct solo_lock lock;            /* guards the rest */
    struct solo_gate gate;            /* the caller */
    struct solo_result result;
    bool answered;
};

/* ---- On the reactor thread ---- */

static void answer(struct solo__blocking_call *blocking, struct solo_result result)
{
    struct solo_reactor *reactor = blocking->call.reactor;
    struct solo_world *world = reactor->world;

    solo__announce(world, SOLO_PROBE_CALL_HANDED_BACK, SOLO_ACCESS_WRITE, blocking->call.provenance.object,
                   (uint64_t)(int64_t)result.status);
    solo__argument_forget(world, blocking->call.provenance.object);
    SOLO_ANNOTATE_HAPPENS_BEFORE(blocking);
    world->threads->enter(world, &blocking->lock);
    blocking->result = result;
    blocking->answered = true;
    world->threads->wake(world, &blocking->gate, true);
    world->threads->leave(world, &blocking->lock);
}

/* The result will be that of a Deferred, whose public reference is now ours. */
static void wait_for(struct solo__blocking_call *blocking, struct solo_deferred *deferred)
{
    struct solo_reactor *reactor = blocking->call.reactor;
    struct solo__blocking_call **end = &reactor->unanswered;
    while (*end != NULL) {
        end = &(*end)->next;
    }
    solo__deferred_keep(deferred);
    solo__deferred_release(deferred);
    blocking->wait_for = deferred;
    blocking->next = NULL;
    *end = blocking;
}

static struct solo_result run_work(struct solo__blocking_call *blocking)
{
    struct solo_reactor *reactor = blocking->call.reactor;
    uint32_t id = blocking->call.provenance.object;
    solo__callback_begin(reactor, id);
    const struct solo__provenance *outer_work = solo__call_begun(&blocking->call);
    struct solo_result result = blocking->work(blocking->call.arg);
    solo__call_ended(&blocking->call, outer_work);
    solo__callback_end(reactor, id);
    return result;
}

static void serve(struct solo__call *call, int status)
{
    struct solo__blocking_call *blocking = (struct solo__blocking_call *)call;
    if (status < 0) {
        answer(blocking, solo_failure(status));
        return;
    }
    struct solo_result result = run_work(blocking);
    if (result.wait_for == NULL) {
        answer(blocking, result);
    } else if (!solo__deferred_is_alive(result.wait_for)) {
        answer(blocking, solo_failure(-EINVAL));
    } else {
        wait_for(blocking, result.wait_for);
    }
}

void solo__blocking_calls_answer(struct solo_reactor *reactor)
{
    struct solo__blocking_call **link = &reactor->unanswered;
    while (*link != NULL) {
        struct solo__blocking_call *blocking = *link;
        struct solo_result result;
        if (!solo__deferred_take(blocking->wait_for, &result)) {
            link = &blocking->next;
            continue;
        }
        *link = blocking->next;
        solo__deferred_drop(blocking->wait_for);
        answer(blocking, result);
    }
}

static void report_given_up(struct solo__blocking_call *blocking)
{
    struct solo_violation violation;
    char name[SOLO_VIOLATION_NAME_MAX];
    const struct solo__provenance *outer_work = solo__self->work;
    solo__self->work = &blocking->call.provenance;
    solo__violation_begin(&violation, SOLO011_WORK_LOST, SOLO__FN_solo_blocking_call_from_thread, NULL,
                          __builtin_frame_address(0), __builtin_return_address(0));
    solo__self->work = outer_work;
    solo__violation_text(
        violation.text, "the reactor stopped, and the Deferred that a blocking call of thread %s waits for never fired",
        solo__thread_print_name(blocking->call.provenance.by, name, sizeof name));
    solo__violation_text(violation.help, "fire or cancel the Deferred in a before-shutdown trigger");
    violation.amount = 1;
    solo_violation_report(&violation);
}

void solo__blocking_calls_give_up(struct solo_reactor *reactor, bool report)
{
    while (reactor->unanswered != NULL) {
        struct solo__blocking_call *blocking = reactor->unanswered;
        reactor->unanswered = blocking->next;
        if (report) {
            report_given_up(blocking);
        }
        solo__deferred_drop(blocking->wait_for);
        answer(blocking, solo_failure(SOLO_ECLOSING));
    }
}

/* Those that a pass took are answered in it, or wait for a Deferred. */
bool solo__blocking_calls_pending(struct solo_reactor *reactor)
{
    return reactor->unanswered != NULL || solo__thread_calls_include(reactor, serve);
}

/* ---- On the thread that asks ---- */

static struct solo_result wait_for_answer(struct solo__blocking_call *blocking, struct solo_world *world,
                                          struct solo_thread *holder)
{
    const struct solo_wait why = {SOLO_WAIT_RESULT, blocking->call.provenance.object, holder};
    world->threads->enter(world, &blocking->lock);
    while (!blocking->answered) {
        (void)world->threads->wait(world, &blocking->gate, &blocking->lock, &why, SOLO_NEVER);
    }
    struct solo_result result = blocking->result;
    world->threads->leave(world, &blocking->lock);
    SOLO_ANNOTATE_HAPPENS_AFTER(blocking);
    return result;
}

int solo_blocking_call_from_thread(struct solo_reactor *reactor, solo_work_fn work, void *arg, void **ret_value)
{
    SOLO__LIVE_OBJECT(solo_blocking_call_from_thread, reactor, SOLO__REACTOR, SOLO006_USE_AFTER_END);
    if (work == NULL) {
        return -EINVAL;
    }
    int refused = solo__guard_not_on_reactor(&reactor->owner, SOLO__FN_solo_blocking_call_from_thread, reactor,
                                             __builtin_frame_address(0), __builtin_return_address(0));
    if (refused < 0) {
        return refused;
    }

    struct solo_world *world = reactor->world;
    struct solo_thread *owner =
        solo__owner_thread(&reactor->owner); /* read now: once the call is posted the reactor may end */
    struct solo__blocking_call blocking;
    SOLO_ANNOTATE_PRIVATE(&blocking, sizeof blocking);
    memset(&blocking, 0, sizeof blocking);
    solo__call_init(&blocking.call, reactor, SOLO__BLOCKING_CALL, NULL, arg, NULL, __builtin_frame_address(0),
                    __builtin_return_address(0));
    blocking.call.serve = serve;
    blocking.work = work;
    solo__call_announce(&blocking.call, SOLO_QUEUE_BLOCKING);
    int error = solo__reactor_post_blocking(reactor, &blocking.call);
    if (error < 0) {
        solo__call_refused(&blocking.call, error);
    }
    if (error == SOLO_ECLOSED) { /* since the first rung */
        SOLO__LIVE_OBJECT(solo_blocking_call_from_thread, reactor, SOLO__REACTOR, SOLO006_USE_AFTER_END);
    }
    if (error < 0) {
        return error;
    }
    struct solo_result result = wait_for_answer(&blocking, world, owner);
    if (result.status == 0 && ret_value != NULL) {
        *ret_value = result.value;
    }
    return result.status;
}
