/*
 * pool_queue.c - the way of a job from whoever queues it to the worker that takes it, as far as it needs no lock.
 *
 * To the queue there is an inbox: a stack, newest first, that anybody pushes on with one exchange. Whoever comes to the
 * lock for another reason empties it into the queue, oldest first, and numbers its jobs; so with busy workers nobody
 * who queues a job ever waits. `attentive` says that this is not enough: a worker sleeps that should be woken, or there
 * may be one more. It is set before the lock is left, and the inbox looked at once more after that; a job is put in the
 * inbox before `attentive` is looked at. So one of the two always sees the other. (In world sim it is always set.)
 *
 * From the queue a worker claims several jobs in one round of the lock, if its last ones were short. Which of them it
 * has begun is one word, which it raises with one exchange for each; others take what is left by lowering the end. In
 * world sim a worker claims one job at a time, because the chooser decides about each, and so it does while somebody
 * listens to the probe.
 */
#include "pool_internal.h"
#include "sanitizer/annotate.h"
#include <limits.h>

/* Race detectors see the annotations of each job and nothing of this. */
#define LOOK_AWAY() SOLO_ANNOTATE_IGNORE_BEGIN()
#define LOOK_AGAIN() SOLO_ANNOTATE_IGNORE_END()

/* Marks a closed inbox; never a job's address. */
static struct solo__call closed_mark;

/* ---- The inbox ---- */

bool solo__pool_put(struct solo_pool *pool, struct solo__job *job)
{
    LOOK_AWAY();
    struct solo__call *before = __atomic_load_n(&pool->inbox, __ATOMIC_RELAXED);
    bool put = false;
    while (!put && before != &closed_mark) {
        job->call.next = before;
        put = __atomic_compare_exchange_n(&pool->inbox, &before, &job->call, true, __ATOMIC_SEQ_CST, __ATOMIC_RELAXED);
    }
    LOOK_AGAIN();
    return put;
}

bool solo__pool_has_mail(const struct solo_pool *pool)
{
    LOOK_AWAY();
    const struct solo__call *newest = __atomic_load_n(&pool->inbox, __ATOMIC_SEQ_CST);
    LOOK_AGAIN();
    return newest != NULL && newest != &closed_mark;
}

/* Empties the inbox, leaving `mark` there; returns what was in it, oldest first. */
static struct solo__call *take_mail(struct solo_pool *pool, struct solo__call *mark)
{
    struct solo__call *newest = __atomic_exchange_n(&pool->inbox, mark, __ATOMIC_ACQUIRE), *oldest = NULL;
    while (newest != NULL && newest != &closed_mark) {
        struct solo__call *next = newest->next;
        newest->next = oldest;
        oldest = newest;
        newest = next;
    }
    return oldest;
}

static unsigned next_number(struct solo_pool *pool)
{
    pool->last_number = pool->last_number == UINT_MAX ? 1 : pool->last_number + 1;
    return pool->last_number;
}

static void queue_mail(struct solo_pool *pool, struct solo__call *call)
{
    while (call != NULL) {
        struct solo__job *job = solo__job_of(call);
        call = call->next;
        job->number = next_number(pool);
        pool->accepted++;
        pool->queued++;
        solo__job_list_add(&pool->queue, job);
    }
}

void solo__pool_settle(struct solo_pool *pool)
{
    if (solo__pool_has_mail(pool)) {
        queue_mail(pool, take_mail(pool, NULL));
    }
}

void solo__pool_close_inbox(struct solo_pool *pool)
{
    queue_mail(pool, take_mail(pool, &closed_mark));
}

/* ---- Claims ---- */

static uint64_t claim_of(const struct solo__pool_worker *worker)
{
    return __atomic_load_n(&worker->claim, __ATOMIC_ACQUIRE);
}

static unsigned begun_of(uint64_t claim)
{
    return (unsigned)(uint32_t)claim;
}

static unsigned end_of(uint64_t claim)
{
    return (unsigned)(claim >> 32);
}

static uint64_t make_claim(unsigned begun, unsigned end)
{
    return (uint64_t)end << 32 | begun;
}

unsigned solo__pool_begun(const struct solo__pool_worker *worker)
{
    return begun_of(claim_of(worker));
}

size_t solo__pool_claimed(const struct solo_pool *pool)
{
    size_t count = 0;
    for (const struct solo__pool_worker *worker = pool->workers; worker != NULL; worker = worker->next) {
        uint64_t claim = claim_of(worker);
        count += end_of(claim) - begun_of(claim);
    }
    return count;
}

struct solo__job *solo__pool_advance(struct solo__pool_worker *worker)
{
    struct solo__job *job = NULL;
    LOOK_AWAY();
    uint64_t claim = claim_of(worker);
    while (job == NULL && begun_of(claim) < end_of(claim)) {
        if (__atomic_compare_exchange_n(&worker->claim, &claim, claim + 1, true, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE)) {
            job = worker->claimed[begun_of(claim)];
            __builtin_prefetch(&worker->claimed[begun_of(claim) + 1 < end_of(claim) ? begun_of(claim) + 1 : 0]->call);
            __atomic_store_n(&worker->job, job, __ATOMIC_RELAXED); /* as solo__pool_recall would */
        }
    }
    LOOK_AGAIN();
    return job;
}

/* Takes all that it has not begun off its claim; returns how many, and *ret_end where they lie in `claimed`. */
static unsigned lower(struct solo__pool_worker *worker, unsigned *ret_end)
{
    uint64_t claim = claim_of(worker);
    for (;;) {
        unsigned begun = begun_of(claim), end = end_of(claim);
        if (__atomic_compare_exchange_n(&worker->claim, &claim, make_claim(begun, begun), true, __ATOMIC_ACQ_REL,
                                        __ATOMIC_ACQUIRE)) {
            *ret_end = begun;
            return end - begun;
        }
    }
}

static void recall_from(struct solo_pool *pool, struct solo__pool_worker *worker)
{
    unsigned end;
    unsigned count = lower(worker, &end);
    for (unsigned i = end + count; i > end; i--) {
        struct solo__job *job = worker->claimed[i - 1];
        job->state = SOLO_JOB_QUEUED;
        solo__job_list_add_first(&pool->queue, job);
        pool->queued++;
    }
    unsigned begun = solo__pool_begun(worker);
    worker->job = worker->claimed[begun - 1];
    pool->ran += begun - 1 - worker->counted;
    worker->counted = begun - 1;
}

void solo__pool_recall(struct solo_pool *pool)
{
    LOOK_AWAY();
    solo__pool_settle(pool);
    for (struct solo__pool_worker *worker = pool->workers; worker != NULL; worker = worker->next) {
        if (worker->job != NULL) {
            recall_from(pool, worker);
        }
    }
    LOOK_AGAIN();
}

void solo__pool_recall_old(struct solo_pool *pool, uint64_t since_ns)
{
    for (struct solo__pool_worker *worker = pool->workers; worker != NULL; worker = worker->next) {
        if (worker->job == NULL || worker->since_ns >= since_ns) {
            continue;
        }
        uint64_t claim = claim_of(worker);
        if (end_of(claim) > begun_of(claim)) {
            recall_from(pool, worker);
        }
        pool->fast -= worker->fast;
        worker->fast = false;
    }
}

/* The worker begins with the first. */
static void set_claim(struct solo_pool *pool, struct solo__pool_worker *worker, unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        worker->claimed[i]->state = SOLO_JOB_STARTED;
        worker->claimed[i]->ran_on = worker->number;
    }
    __atomic_store_n(&worker->claim, make_claim(1, count), __ATOMIC_RELEASE);
    worker->counted = 0;
    worker->job = worker->claimed[0];
    pool->busy++;
}

void solo__pool_give(struct solo_pool *pool, struct solo__pool_worker *worker, struct solo__job *job)
{
    worker->claimed[0] = job;
    set_claim(pool, worker, 1);
    solo__pool_unqueue(pool, job);
}

void solo__pool_claim_more(struct solo_pool *pool, struct solo__pool_worker *worker)
{
    bool heard = __atomic_load_n(&solo__probe_watched, __ATOMIC_RELAXED) != 0;
    unsigned count = 1;
    if (pool->chooses || heard || pool->worker_count < pool->max) { /* with room for more workers, they come first */
        return;
    }
    while (count < worker->claims_max && pool->queued > 0) {
        struct solo__job *job = pool->queue.first;
        solo__pool_unqueue(pool, job);
        job->state = SOLO_JOB_STARTED;
        job->ran_on = worker->number;
        worker->claimed[count++] = job;
    }
    __atomic_store_n(&worker->claim, make_claim(1, count), __ATOMIC_RELEASE);
}

void solo__pool_steal(struct solo_pool *pool, struct solo__pool_worker *thief)
{
    struct solo__pool_worker *richest = NULL;
    unsigned most = 0, end;
    for (struct solo__pool_worker *worker = pool->workers; worker != NULL; worker = worker->next) {
        uint64_t claim = claim_of(worker);
        if (end_of(claim) - begun_of(claim) > most) {
            most = end_of(claim) - begun_of(claim);
            richest = worker;
        }
    }
    unsigned count = richest != NULL ? lower(richest, &end) : 0;
    for (unsigned i = 0; i < count; i++) {
        thief->claimed[i] = richest->claimed[end + i];
    }
    if (count > 0) {
        set_claim(pool, thief, count);
    }
}

/* ---- Who has to come to the lock ---- */

static bool needs_attention(const struct solo_pool *pool)
{
    if (solo__pool_may_add_worker(pool)) {
        return true;
    }
    return !pool->held && solo__pool_should_wake(pool);
}

bool solo__pool_attend(struct solo_pool *pool)
{
    LOOK_AWAY();
    bool attentive = needs_attention(pool);
    if (attentive != pool->attentive) {
        __atomic_store_n(&pool->attentive, attentive, __ATOMIC_SEQ_CST);
    }
    bool missed = attentive && solo__pool_has_mail(pool);
    LOOK_AGAIN();
    return missed;
}

void solo__pool_leave(struct solo_pool *pool)
{
    if (!pool->chooses && solo__pool_attend(pool)) {
        solo__pool_settle(pool);
        solo__pool_wake_for_queue(pool);
    }
    pool->object.world->threads->leave(pool->object.world, &pool->lock);
}
