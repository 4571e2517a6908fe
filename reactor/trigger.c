/*
 * trigger.c - what is called when the reactor starts up and shuts down.
 *
 * Two events with three phases each. A phase fires its triggers in order of registration until none is left, so one
 * that is added while the phase fires is part of it. A Deferred that a before-trigger returns holds its phase: the
 * trigger is kept in `held` until the Deferred has a result. Each trigger fires at most once, and its done is called
 * exactly once.
 */
#include "deferred_internal.h"
#include "reactor_internal.h"

struct solo__trigger {
    struct solo__call call;
    solo_trigger_fn fn; /* NULL: a hook of call_when_running, in call.fn */
    solo_trigger_id id;
    struct solo_deferred *holds; /* kept */
    struct solo__trigger *next;
};

/* ---- Lists ---- */

static void append(struct solo__trigger_list *list, struct solo__trigger *trigger)
{
    trigger->next = NULL;
    if (list->last != NULL) {
        list->last->next = trigger;
    } else {
        list->first = trigger;
    }
    list->last = trigger;
}

static struct solo__trigger *pop(struct solo__trigger_list *list)
{
    struct solo__trigger *trigger = list->first;
    if (trigger != NULL) {
        list->first = trigger->next;
        list->last = list->first != NULL ? list->last : NULL;
    }
    return trigger;
}

/* Takes the trigger with this id out of the list; NULL if it is not there. */
static struct solo__trigger *take(struct solo__trigger_list *list, solo_trigger_id id)
{
    struct solo__trigger *previous = NULL;
    for (struct solo__trigger *trigger = list->first; trigger != NULL; previous = trigger, trigger = trigger->next) {
        if (trigger->id != id) {
            continue;
        }
        if (previous == NULL) {
            return pop(list);
        }
        previous->next = trigger->next;
        list->last = list->last == trigger ? previous : list->last;
        return trigger;
    }
    return NULL;
}

/* ---- Firing ---- */

static void hand_back(struct solo__trigger *trigger, int status)
{
    solo__call_serve(&trigger->call, status);
}

/* Calls the trigger's function; returns the Deferred that it gave to the reactor, or NULL. */
static struct solo_deferred *run(struct solo__trigger *trigger)
{
    struct solo__call *call = &trigger->call;
    struct solo_deferred *deferred = NULL;
    solo__callback_begin(call->reactor, call->provenance.object);
    const struct solo__provenance *outer_work = solo__call_begun(call);
    if (trigger->fn != NULL) {
        deferred = trigger->fn(call->arg);
    } else {
        call->fn(call->arg);
    }
    solo__call_ended(call, outer_work);
    solo__call_done(call, 0);
    solo__callback_end(call->reactor, call->provenance.object);
    return solo__deferred_is_alive(deferred) ? deferred : NULL;
}

void solo__triggers_fire(struct solo_reactor *reactor, enum solo_system_event event, enum solo_phase phase)
{
    struct solo__trigger *trigger;
    while ((trigger = pop(&reactor->triggers[event][phase])) != NULL) {
        struct solo_deferred *deferred = run(trigger);
        if (deferred != NULL && phase == SOLO_BEFORE) {
            solo__deferred_keep(deferred);
            trigger->holds = deferred;
            append(&reactor->held, trigger);
        } else {
            solo__call_release(&trigger->call);
        }
        if (deferred != NULL) {
            solo__deferred_release(deferred);
        }
    }
}

/* ---- Holding ---- */

bool solo__triggers_hold(struct solo_reactor *reactor)
{
    struct solo__trigger_list still = {NULL, NULL};
    struct solo__trigger *trigger;
    while ((trigger = pop(&reactor->held)) != NULL) {
        if (!solo__deferred_has_result(trigger->holds, NULL)) {
            append(&still, trigger);
            continue;
        }
        solo__deferred_drop(trigger->holds); /* a failure that nobody handled is reported here, and holds nothing up */
        solo__call_release(&trigger->call);
    }
    reactor->held = still;
    return still.first != NULL;
}

static void report_held(struct solo__trigger *trigger)
{
    struct solo_violation violation;
    const struct solo__provenance *outer_work = solo__self->work;
    solo__self->work = &trigger->call.provenance;
    solo__violation_begin(&violation, SOLO011_WORK_LOST, SOLO__FN_solo_reactor_add_trigger, NULL,
                          __builtin_frame_address(0), __builtin_return_address(0));
    solo__self->work = outer_work;
    solo__violation_text(violation.text,
                         "the shutdown goes on without a before-trigger whose Deferred did not fire in time");
    solo__violation_text(violation.help, "fire the Deferred on every path, or give the shutdown longer (drain_max_ns)");
    violation.amount = 1;
    solo_violation_report(&violation);
}

void solo__triggers_let_go(struct solo_reactor *reactor, bool report)
{
    struct solo__trigger *trigger;
    while ((trigger = pop(&reactor->held)) != NULL) {
        if (report) {
            report_held(trigger);
        }
        solo__deferred_drop(trigger->holds);
        solo__call_release(&trigger->call);
    }
}

/* ---- Phases open and end ---- */

void solo__triggers_open(struct solo_reactor *reactor, enum solo_system_event event)
{
    for (unsigned phase = 0; phase < SOLO__PHASES; phase++) {
        reactor->phase_over[event][phase] = false;
    }
}

void solo__triggers_finish(struct solo_reactor *reactor, enum solo_system_event event, enum solo_phase phase)
{
    reactor->phase_over[event][phase] = true;
}

void solo__triggers_close(struct solo_reactor *reactor, enum solo_system_event event)
{
    for (unsigned phase = 0; phase < SOLO__PHASES; phase++) {
        reactor->phase_over[event][phase] = true;
    }
    for (unsigned phase = 0; phase < SOLO__PHASES; phase++) {
        struct solo__trigger *trigger;
        while ((trigger = pop(&reactor->triggers[event][phase])) != NULL) {
            hand_back(trigger, SOLO_ECLOSING);
        }
    }
}

/* ---- Registering ---- */

static int add(struct solo_reactor *reactor, enum solo_system_event event, enum solo_phase phase, solo_trigger_fn fn,
               solo_call_fn hook, void *arg, solo_done_fn done, void *frame, void *return_address,
               solo_trigger_id *ret_id)
{
    struct solo__trigger *trigger =
        solo__call_make(reactor, sizeof *trigger, SOLO__TRIGGER, hook, arg, done, frame, return_address);
    if (trigger == NULL) {
        return -ENOMEM;
    }
    trigger->fn = fn;
    trigger->id = ++reactor->trigger_ids;
    trigger->holds = NULL;
    solo__call_announce(&trigger->call, SOLO_QUEUE_HOOK);
    append(&reactor->triggers[event][phase], trigger);
    if (ret_id != NULL) {
        *ret_id = trigger->id;
    }
    return 0;
}

int solo__trigger_add_hook(struct solo_reactor *reactor, solo_call_fn fn, void *arg, solo_done_fn done, void *frame,
                           void *return_address)
{
    return add(reactor, SOLO_STARTUP, SOLO_AFTER, NULL, fn, arg, done, frame, return_address, NULL);
}

int solo_reactor_add_trigger(struct solo_reactor *reactor, enum solo_phase phase, enum solo_system_event event,
                             solo_trigger_fn fn, void *arg, solo_done_fn done, solo_trigger_id *ret_id)
{
    SOLO__LIVE_OBJECT(solo_reactor_add_trigger, reactor, SOLO__REACTOR, SOLO006_USE_AFTER_END);
    SOLO__REACTOR_ONLY(solo_reactor_add_trigger, &reactor->owner, reactor);
    if (fn == NULL || (unsigned)phase > SOLO_AFTER || (unsigned)event > SOLO_SHUTDOWN) {
        return -EINVAL;
    }
    if (reactor->phase_over[event][phase] || solo__reactor_is_over(reactor)) {
        return SOLO_ECLOSING;
    }

    return add(reactor, event, phase, fn, NULL, arg, done, __builtin_frame_address(0), __builtin_return_address(0),
               ret_id);
}

int solo_reactor_remove_trigger(struct solo_reactor *reactor, solo_trigger_id id)
{
    SOLO__LIVE_OBJECT(solo_reactor_remove_trigger, reactor, SOLO__REACTOR, SOLO006_USE_AFTER_END);
    SOLO__REACTOR_ONLY(solo_reactor_remove_trigger, &reactor->owner, reactor);

    for (unsigned event = 0; event <= SOLO_SHUTDOWN; event++) {
        for (unsigned phase = 0; phase < SOLO__PHASES; phase++) {
            struct solo__trigger *trigger = take(&reactor->triggers[event][phase], id);
            if (trigger != NULL) {
                hand_back(trigger, SOLO_ECANCELLED);
                return 0;
            }
        }
    }
    return -ENOENT;
}
