/* dependence.c - what each kind of event touches. */
#include "dependence.h"

static unsigned touch(struct solo__touch *touches, unsigned count, uint32_t key, bool writes)
{
    touches[count] = (struct solo__touch){key, writes};
    return count + 1;
}

/* Work that was accepted goes to the queue of a loop or of a pool; a worker's may be either. */
static unsigned touch_queue(struct solo__touch *touches, unsigned count, uint64_t queue)
{
    if (queue != SOLO_QUEUE_POOL) {
        count = touch(touches, count, SOLO__KEY_LOOP, true);
    }
    if (queue == SOLO_QUEUE_POOL || queue == SOLO_QUEUE_WORKER) {
        count = touch(touches, count, SOLO__KEY_POOL, true);
    }
    return count;
}

unsigned solo__touches(const struct solo_event *event, bool works, struct solo__touch touches[SOLO__TOUCHES_MAX])
{
    switch (event->kind) {
    case SOLO_PROBE_ACCESS_READ:
    case SOLO_PROBE_ACCESS_WRITE:
    case SOLO_PROBE_LOCK:
    case SOLO_PROBE_LOCKED:
    case SOLO_PROBE_UNLOCK:
    case SOLO_PROBE_WAIT:
    case SOLO_PROBE_SIGNAL: return touch(touches, 0, event->object, (event->access & SOLO_ACCESS_WRITE) != 0);
    case SOLO_PROBE_INBOX:
    case SOLO_PROBE_WAITED: return touch(touches, 0, event->object, true);
    case SOLO_PROBE_YIELD: return touch(touches, 0, SOLO__KEY_MEMORY, true);
    case SOLO_PROBE_THREAD_BEGIN: return touch(touches, 0, SOLO__KEY_MEMORY, false);
    case SOLO_PROBE_THREAD_START: return touch(touches, 0, SOLO__KEY_THREADS, true);
    case SOLO_PROBE_THREAD_END:
    case SOLO_PROBE_THREAD_JOIN:
    case SOLO_PROBE_SLEEP:
    case SOLO_PROBE_BLOCK:
    case SOLO_PROBE_UNBLOCK:
    case SOLO_PROBE_CHOICE:
    case SOLO_PROBE_TIME:
    case SOLO_PROBE_VIOLATION:
    case SOLO_PROBE_EXPECTED:
    case SOLO_PROBE_HAPPENED:
    case SOLO_PROBE_OBJECT_MADE:
    case SOLO_PROBE_OBJECT_ENDED:
    case SOLO_PROBE_NONE: return 0;
    case SOLO_PROBE_JOB_WANTED: return touch(touches, 0, SOLO__KEY_POOL, true);
    case SOLO_PROBE_CALL_ACCEPTED: return touch_queue(touches, 0, event->value);
    case SOLO_PROBE_CALL_BEGUN: return 0;
    case SOLO_PROBE_CALL_ENDED: return works ? touch(touches, 0, SOLO__KEY_POOL, true) : 0;
    case SOLO_PROBE_PASS:
    case SOLO_PROBE_POLL:
    case SOLO_PROBE_POLLED:
    case SOLO_PROBE_WAKE_SENT:
    case SOLO_PROBE_WAKE_SEEN:
    case SOLO_PROBE_TIMER_SET:
    case SOLO_PROBE_TIMER_CANCELLED:
    case SOLO_PROBE_CALLBACK_BEGUN:
    case SOLO_PROBE_CALLBACK_ENDED:
    case SOLO_PROBE_LISTEN:
    case SOLO_PROBE_CONNECT:
    case SOLO_PROBE_ACCEPT:
    case SOLO_PROBE_READ:
    case SOLO_PROBE_WRITE:
    case SOLO_PROBE_CLOSE:
    case SOLO_PROBE_TRANSPORT_STATE:
    case SOLO_PROBE_PEER:
    case SOLO_PROBE_DEFERRED_MADE:
    case SOLO_PROBE_DEFERRED_FIRED:
    case SOLO_PROBE_DEFERRED_ENDED: return touch(touches, 0, SOLO__KEY_LOOP, true);
    default: return touch(touches, touch(touches, 0, SOLO__KEY_LOOP, true), SOLO__KEY_POOL, true);
    }
}
