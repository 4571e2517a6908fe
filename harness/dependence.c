/* dependence.c - what each kind of event touches. */
#include "dependence.h"

struct list {
    struct solo__touch *touches;
    unsigned count;
};

static void touch(struct list *list, uint32_t key, enum solo__way way)
{
    list->touches[list->count++] = (struct solo__touch){.key = key, .way = (uint8_t)way};
}

/* As the event says, of its object. */
static void touch_object(struct list *list, const struct solo_event *event)
{
    touch(list, event->object, (event->access & SOLO_ACCESS_WRITE) != 0 ? SOLO__WRITES : SOLO__READS);
    list->touches[list->count - 1].waits = (event->access & SOLO_ACCESS_WAIT) == SOLO_ACCESS_WAIT;
    list->touches[list->count - 1].gives = event->kind == SOLO_PROBE_UNLOCK;
}

/* Work that was accepted goes to the queue of a loop, of a pool or of a worker. */
static void touch_queue(struct list *list, uint64_t queue)
{
    switch (queue) {
    case SOLO_QUEUE_THREAD_CALL:
    case SOLO_QUEUE_BLOCKING: touch(list, SOLO__KEY_INBOX, SOLO__WRITES); break;
    case SOLO_QUEUE_POOL:
        touch(list, SOLO__KEY_QUEUES, SOLO__WRITES);
        touch(list, SOLO__KEY_BUSY, SOLO__READS); /* whether one more worker is to be woken or started */
        break;
    case SOLO_QUEUE_WORKER: touch(list, SOLO__KEY_QUEUES, SOLO__WRITES); break;
    default: touch(list, SOLO__KEY_LOOP, SOLO__WRITES); break;
    }
}

/* Work that ran belongs to whoever hears of it; work that did not was taken out of a queue. */
static void touch_end_of_work(struct list *list, uint64_t status)
{
    touch(list, SOLO__KEY_LOOP, SOLO__WRITES);
    if ((int64_t)status < 0) {
        touch(list, SOLO__KEY_QUEUES, SOLO__WRITES);
    }
}

/* Somebody looks where a pool's jobs are, or gives them to workers and lets them report. */
static void touch_pool(struct list *list, const struct solo_event *event)
{
    enum solo__way way = (event->access & SOLO_ACCESS_WRITE) != 0 ? SOLO__WRITES : SOLO__READS;
    touch(list, event->object, way);
    touch(list, SOLO__KEY_QUEUES, way);
    touch(list, SOLO__KEY_INBOX, way);
    touch(list, SOLO__KEY_BUSY, SOLO__READS);
}

static void touch_network(struct list *list, const struct solo_event *event, const struct solo__toucher *who)
{
    bool connects =
        event->kind == SOLO_PROBE_LISTEN || event->kind == SOLO_PROBE_CONNECT || event->kind == SOLO_PROBE_ACCEPT;
    bool ends_many = event->kind == SOLO_PROBE_CLOSE && who->serves;
    touch(list, event->object, SOLO__WRITES); /* both ends of a connection have one id */
    touch(list, SOLO__KEY_READINESS, SOLO__ADDS);
    touch(list, SOLO__KEY_CONNECTIONS, ends_many ? SOLO__WRITES : SOLO__READS);
    if (connects) {
        touch(list, SOLO__KEY_DESCRIPTORS, SOLO__WRITES);
    }
}

/* What threads do to each other and to memory. False: it is none of that. */
static bool touch_shared(struct list *list, const struct solo_event *event)
{
    switch (event->kind) {
    case SOLO_PROBE_ACCESS_READ:
    case SOLO_PROBE_ACCESS_WRITE:
    case SOLO_PROBE_LOCK:
    case SOLO_PROBE_UNLOCK:
    case SOLO_PROBE_WAIT:
    case SOLO_PROBE_SIGNAL: touch_object(list, event); break;
    case SOLO_PROBE_LOCKED: /* after LOCK, which says whether it would have waited, or after a condition */
        touch_object(list, event);
        list->touches[0].waits = list->touches[0].takes = true;
        break;
    case SOLO_PROBE_CONFINED_BOUND:
    case SOLO_PROBE_CONFINED_USED:
    case SOLO_PROBE_INBOX:
    case SOLO_PROBE_WAITED: touch(list, event->object, SOLO__WRITES); break;
    case SOLO_PROBE_BLOCK: /* of a thread that waited for a condition: it comes back for the mutex */
        if (event->value == SOLO_WAIT_MUTEX) {
            touch(list, event->object, SOLO__WRITES);
            list->touches[0].waits = true;
        }
        break;
    case SOLO_PROBE_YIELD: touch(list, SOLO__KEY_MEMORY, SOLO__WRITES); break;
    case SOLO_PROBE_THREAD_BEGIN: touch(list, SOLO__KEY_MEMORY, SOLO__READS); break;
    case SOLO_PROBE_THREAD_START: touch(list, SOLO__KEY_THREADS, SOLO__WRITES); break;
    case SOLO_PROBE_VIOLATION: touch(list, SOLO__KEY_FINDINGS, SOLO__WRITES); break;
    default: return false;
    }
    return true;
}

/* Work on its way to a worker and back. False: it is none of that. */
static bool touch_work(struct list *list, const struct solo_event *event, const struct solo__toucher *who)
{
    switch (event->kind) {
    case SOLO_PROBE_CALL_ACCEPTED: touch_queue(list, event->value); break;
    case SOLO_PROBE_CALL_ENDED:
        if (who->works) {
            touch(list, SOLO__KEY_BUSY, SOLO__ADDS);
        }
        break;
    case SOLO_PROBE_CALL_HANDED_BACK:
    case SOLO_PROBE_CALL_DROPPED: touch_end_of_work(list, event->value); break;
    case SOLO_PROBE_JOB_FINISHED: touch(list, SOLO__KEY_INBOX, SOLO__WRITES); break;
    case SOLO_PROBE_JOB_CANCEL:
        touch(list, event->object, SOLO__WRITES);
        touch(list, SOLO__KEY_QUEUES, SOLO__WRITES);
        touch(list, SOLO__KEY_INBOX, SOLO__WRITES);
        break;
    case SOLO_PROBE_POOL_DIRECTED: touch_pool(list, event); break;
    case SOLO_PROBE_WORKER_QUIT:
        touch(list, event->object, SOLO__WRITES);
        touch(list, SOLO__KEY_QUEUES, SOLO__READS); /* what is accepted writes it */
        break;
    default: return false;
    }
    return true;
}

/* The rest: a loop, and what it looks after. */
static void touch_loop(struct list *list, const struct solo_event *event, const struct solo__toucher *who)
{
    switch (event->kind) {
    case SOLO_PROBE_WAKE_SENT: touch(list, SOLO__KEY_INBOX, SOLO__WRITES); break;
    case SOLO_PROBE_PASS:
        touch(list, SOLO__KEY_INBOX, SOLO__WRITES);
        if (who->ends_loop) {
            touch(list, SOLO__KEY_QUEUES, SOLO__READS);
        }
        break;
    case SOLO_PROBE_POLL:
        touch(list, SOLO__KEY_INBOX, SOLO__WRITES);
        touch(list, SOLO__KEY_READINESS, SOLO__READS);
        list->touches[0].waits = list->touches[1].waits = (event->access & SOLO_ACCESS_WAIT) == SOLO_ACCESS_WAIT;
        break;
    case SOLO_PROBE_SIGNAL_SENT:
        touch(list, SOLO__KEY_READINESS, SOLO__ADDS);
        touch(list, SOLO__KEY_LOOP, SOLO__WRITES);
        break;
    case SOLO_PROBE_LISTEN:
    case SOLO_PROBE_CONNECT:
    case SOLO_PROBE_ACCEPT:
    case SOLO_PROBE_READ:
    case SOLO_PROBE_WRITE:
    case SOLO_PROBE_CLOSE: touch_network(list, event, who); break;
    case SOLO_PROBE_POLLED:
    case SOLO_PROBE_WAKE_SEEN:
    case SOLO_PROBE_CONTRACT:
    case SOLO_PROBE_TIMER_SET:
    case SOLO_PROBE_TIMER_CANCELLED:
    case SOLO_PROBE_CALLBACK_BEGUN:
    case SOLO_PROBE_CALLBACK_ENDED:
    case SOLO_PROBE_TRANSPORT_STATE:
    case SOLO_PROBE_DEFERRED_MADE:
    case SOLO_PROBE_DEFERRED_FIRED:
    case SOLO_PROBE_DEFERRED_ENDED: touch(list, SOLO__KEY_LOOP, SOLO__WRITES); break;
    default: /* REACTOR_STATE, and whatever comes */
        touch(list, SOLO__KEY_LOOP, SOLO__WRITES);
        touch(list, SOLO__KEY_QUEUES, SOLO__WRITES);
        touch(list, SOLO__KEY_INBOX, SOLO__WRITES);
        break;
    }
}

/* What is announced but changes nothing that the order of others depends on. */
static bool touches_nothing(unsigned kind)
{
    switch (kind) {
    case SOLO_PROBE_THREAD_END:
    case SOLO_PROBE_THREAD_JOIN:
    case SOLO_PROBE_SLEEP:
    case SOLO_PROBE_UNBLOCK:
    case SOLO_PROBE_CHOICE:
    case SOLO_PROBE_TIME:
    case SOLO_PROBE_EXPECTED:
    case SOLO_PROBE_HAPPENED:
    case SOLO_PROBE_OBJECT_MADE:
    case SOLO_PROBE_OBJECT_ENDED:
    case SOLO_PROBE_JOB_WANTED: /* what came of it does: solo__touches_of_wish */
    case SOLO_PROBE_CALL_BEGUN:
    case SOLO_PROBE_PEER:
    case SOLO_PROBE_NONE: return true;
    default: return false;
    }
}

unsigned solo__touches(const struct solo_event *event, const struct solo__toucher *who,
                       struct solo__touch touches[SOLO__TOUCHES_MAX])
{
    struct list list = {touches, 0};
    if (!touches_nothing(event->kind) && !touch_shared(&list, event) && !touch_work(&list, event, who)) {
        touch_loop(&list, event, who);
    }
    return list.count;
}

unsigned solo__touches_of_wish(enum solo__wish wish, uint32_t pool, uint32_t job,
                               struct solo__touch touches[SOLO__TOUCHES_MAX])
{
    struct list list = {touches, 0};
    uint32_t staff = pool | SOLO__KEY_STAFF;
    touch(&list, SOLO__KEY_QUEUES, SOLO__READS);
    switch (wish) {
    case SOLO__WISH_TOOK:
        touch(&list, pool, SOLO__ADDS);
        touch(&list, staff, SOLO__READS);
        touch(&list, job, SOLO__WRITES);
        break;
    case SOLO__WISH_WAITS:
        touch(&list, pool, SOLO__READS);
        touch(&list, staff, SOLO__READS);
        list.touches[1].waits = list.touches[2].waits = true;
        break;
    case SOLO__WISH_LEFT: touch(&list, staff, SOLO__ADDS); break;
    case SOLO__WISH_LEFT_LAST:
        touch(&list, staff, SOLO__WRITES);
        touch(&list, SOLO__KEY_INBOX, SOLO__WRITES);
        break;
    }
    return list.count;
}
