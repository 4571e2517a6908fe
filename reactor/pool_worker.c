/*
 * pool_worker.c - the life of a pool worker: take a job, run it, report it, until there is no more need.
 *
 * One lock round to take jobs, one to be done with them (pool_queue.c). Between JOB_WANTED and CALL_BEGUN nothing can
 * intervene in world sim, so which job a worker takes is decided at that point alone.
 *
 * A worker whose job outlived the pool's end was abandoned: when it comes back at last it touches nothing but its own
 * memory and the pool's, which is kept for it, and goes unjoined.
 */
#include "chooser.h"
#include "pool_internal.h"
#include "sanitizer/annotate.h"

enum { OPTIONS_MAX = 32 }; /* the oldest queued jobs, among which the chooser picks */

/* ---- Taking ---- */

static struct solo__job *choose_job(struct solo_pool *pool)
{
    struct solo_option records[OPTIONS_MAX];
    const struct solo_option *options[OPTIONS_MAX];
    struct solo__job *jobs[OPTIONS_MAX];
    size_t count = 0;
    for (struct solo__job *job = pool->queue.first; job != NULL && count < OPTIONS_MAX; job = job->next) {
        records[count] = (struct solo_option){.tag = job->number,
                                              .thread = job->call.provenance.thread,
                                              .operation = SOLO_PROBE_CALL_BEGUN,
                                              .access = SOLO_ACCESS_WRITE,
                                              .object = job->call.provenance.object};
        options[count] = &records[count];
        jobs[count++] = job;
    }
    return jobs[solo__choose(pool->object.world, SOLO_CHOICE_JOB, options, count)];
}

/*
 * How long claims may take. One that took longer than CLAIM_LONG_NS makes the next one small; one shorter than
 * CLAIM_SHORT_NS lets it double. A worker that may claim FAST_MIN jobs counts as fast as long as the pool's jobs are
 * quick, JOB_QUICK_NS each as far as a claim of LEARN_MIN can tell: before others have woken up it is through with
 * them.
 */
enum {
    CLAIM_SHORT_NS = 200000,
    CLAIM_LONG_NS = 1000000,
    FAST_MIN = 16,
    LEARN_MIN = 8,
    JOB_QUICK_NS = 1000,
    WATCH_NS = 1000000,
    LINGER_NS = 50000,
    TURN_NS = 5000
};

/* With the lock held, before a claim: `now_ns` ends the one before, if the worker has not slept since. */
static void learn(struct solo_pool *pool, struct solo__pool_worker *worker, uint64_t now_ns)
{
    uint64_t took_ns = now_ns - worker->since_ns;
    if (!worker->slept && worker->ran > 0) {
        if (took_ns > CLAIM_LONG_NS) {
            worker->claims_max = 1;
        } else if (took_ns < CLAIM_SHORT_NS && worker->claims_max < SOLO__CLAIM_MAX) {
            worker->claims_max *= 2;
        }
        if (worker->ran >= LEARN_MIN || took_ns > CLAIM_SHORT_NS) {
            pool->quick = took_ns < (uint64_t)worker->ran * JOB_QUICK_NS;
        }
    }
    worker->slept = false;
}

static bool is_fast(const struct solo_pool *pool, const struct solo__pool_worker *worker)
{
    return pool->quick && worker->claims_max >= FAST_MIN;
}

/* With the lock held. Older jobs come first, also those that somebody claimed and does not come to. */
static void take(struct solo_pool *pool, struct solo__pool_worker *worker)
{
    if (pool->held) {
        return;
    }
    if (!pool->chooses) {
        uint64_t now_ns = pool->object.world->clock->now_ns(pool->object.world);
        solo__pool_recall_old(pool, now_ns > CLAIM_LONG_NS ? now_ns - CLAIM_LONG_NS : 0);
        learn(pool, worker, now_ns);
    }
    if (pool->queued > 0) {
        bool chooses = pool->chooses && pool->queued > 1;
        solo__pool_give(pool, worker, chooses ? choose_job(pool) : pool->queue.first);
        solo__pool_claim_more(pool, worker);
    } else if (!pool->chooses) {
        solo__pool_steal(pool, worker);
    }
}

static bool has_work(const struct solo_pool *pool)
{
    return pool->queued > 0 || (!pool->chooses && solo__pool_claimed(pool) > 0);
}

static bool must_quit(const struct solo_pool *pool)
{
    return pool->finishing || pool->worker_count > pool->max ||
           ((pool->closing || pool->leaving > 0) && !has_work(pool));
}

static void wake_up(struct solo_pool *pool, struct solo__pool_worker *worker)
{
    worker->sleeping = false;
    pool->sleeping--;
}

/*
 * With the lock held: whether very many quick jobs have come since this worker was last without work. Asked once each
 * time that it is.
 */
static bool come_thick(const struct solo_pool *pool, struct solo__pool_worker *worker)
{
    bool many = pool->last_number - worker->seen >= FAST_MIN;
    worker->seen = pool->last_number;
    return many && is_fast(pool, worker);
}

/*
 * With the lock held, which is left meanwhile. Where quick jobs come thick and the reactor thread is awake, it will
 * most likely queue more of them, now or as soon as it has seen the reports of the last ones; and to sleep and be woken
 * takes longer than they do. So one worker stays up, and gives others its turn of the processor, until a job comes or
 * the reactor sleeps.
 */
static void linger(struct solo_pool *pool)
{
    struct solo_world *world = pool->object.world;
    uint64_t now_ns = world->clock->now_ns(world), until_ns = now_ns + LINGER_NS, before_ns;
    pool->lingers = true;
    solo__pool_leave(pool);
    do {
        before_ns = now_ns;
        world->clock->sleep_until(world, 0);
        now_ns = world->clock->now_ns(world);
    } while (!solo__pool_has_mail(pool) && !solo__reactor_sleeps(pool->reactor) && now_ns < until_ns &&
             now_ns - before_ns < TURN_NS);
    solo__pool_enter(pool);
    pool->lingers = false;
}

/*
 * With the lock held. While others do quick jobs, for which nobody is woken, one of those that sleep watches: should
 * one of those jobs turn out to be long, what waits behind it is not kept waiting. It goes on watching as long as jobs
 * come thick, also when all are done for the moment.
 */
static void sleep_until_woken(struct solo_pool *pool, struct solo__pool_worker *worker, bool thick)
{
    struct solo_world *world = pool->object.world;
    const struct solo_wait why = {SOLO_WAIT_JOB, pool->object.id, NULL};
    bool watches = (pool->fast > 0 || thick) && !pool->watched && !pool->held;
    worker->sleeping = worker->slept = true;
    worker->watches = watches;
    pool->sleeping++;
    pool->watched = pool->watched || watches;
    if (!pool->chooses && solo__pool_attend(pool)) {
        wake_up(pool, worker);
    }
    uint64_t deadline_ns = watches && worker->sleeping ? world->clock->now_ns(world) + WATCH_NS : SOLO_NEVER;
    while (worker->sleeping) {
        int status = world->threads->wait(world, &worker->gate, &pool->lock, &why, deadline_ns);
        if (status < 0 && worker->sleeping) {
            wake_up(pool, worker);
        }
    }
    pool->watched = pool->watched && !watches;
    worker->watches = false;
}

/*
 * With the lock held: nothing is there to do. Claimed work may have been there when the worker was asked to stay, and
 * have been begun since, without the lock; then it is not asked again: nobody would wake it to quit.
 */
static void wait_for_work(struct solo_pool *pool, struct solo__pool_worker *worker)
{
    if (must_quit(pool)) {
        return;
    }
    bool thick = come_thick(pool, worker);
    if (thick && !pool->lingers && !pool->held) {
        linger(pool);
        solo__pool_settle(pool);
        if (has_work(pool) || must_quit(pool)) {
            return;
        }
    }
    sleep_until_woken(pool, worker, thick);
}

bool solo__pool_has_just_drained(struct solo_pool *pool)
{
    if (!pool->closing || pool->finishing || pool->note_posted || pool->worker_count > 0 || pool->queued > 0 ||
        pool->finished.first != NULL) {
        return false;
    }
    pool->note_posted = true;
    return true;
}

/* Takes the worker out of the pool, to be joined by whoever comes by. True: the last, the reactor should know. */
static bool depart(struct solo_pool *pool, struct solo__pool_worker *worker)
{
    pool->leaving -= pool->leaving > 0;
    solo__pool_unlink_worker(pool, worker);
    worker->next = pool->ended;
    pool->ended = worker;
    return solo__pool_has_just_drained(pool);
}

/* The next job to run, or NULL: the worker has left the pool. */
static struct solo__job *next_job(struct solo_pool *pool, struct solo__pool_worker *worker)
{
    struct solo_world *world = pool->object.world;
    bool drained = false;
    solo__announce(world, SOLO_PROBE_JOB_WANTED, SOLO_ACCESS_WRITE, pool->object.id, 0);
    solo__pool_enter(pool);
    worker->thread = solo__self;
    for (solo__pool_settle(pool); worker->job == NULL && !must_quit(pool); solo__pool_settle(pool)) {
        take(pool, worker);
        if (worker->job == NULL) {
            wait_for_work(pool, worker);
        }
    }
    if (pool->finishing) {
        solo__pool_take_back(pool, worker);
    }
    struct solo__job *job = worker->job;
    worker->running = job != NULL;
    if (job != NULL) {
        worker->since_ns = world->clock->now_ns(world);
        worker->fast = !pool->chooses && is_fast(pool, worker);
        pool->fast += worker->fast;
    }
    if (!pool->chooses) {
        solo__pool_wake_for_queue(pool); /* there may be more than this one can do */
    }
    if (job == NULL) {
        drained = depart(pool, worker);
    }
    solo__pool_leave(pool);
    if (drained) {
        (void)solo__reactor_post(pool->reactor, &pool->note, true);
    } else if (job == NULL) {
        (void)solo__pool_start_needed(pool); /* for what came while this one was on its way out */
    }
    return job;
}

/* ---- Running and reporting ---- */

static void run(struct solo_pool *pool, struct solo__job *job)
{
    struct solo_world *world = pool->object.world; /* the reactor may be gone when the job returns */
    SOLO_ANNOTATE_HAPPENS_AFTER(job);
    SOLO_ANNOTATE_HAPPENS_AFTER(&pool->held); /* a remote control may have let it begin */
    uint32_t id = job->call.provenance.object;
    solo__self->work = &job->call.provenance;
    solo__self->context = job->context;
    solo__unit_begin(world, id);
    solo__announce(world, SOLO_PROBE_CALL_BEGUN, SOLO_ACCESS_WRITE, id, 0);
    solo__argument_run(world, id);
    job->run(job);
    solo__announce(world, SOLO_PROBE_CALL_ENDED, SOLO_ACCESS_WRITE, id, 0);
    solo__unit_end(world);
    solo__self->work = NULL;
    solo__self->context = NULL;
    SOLO_ANNOTATE_HAPPENS_BEFORE(job);
}

void solo__job_report(struct solo__job *job)
{
    if (!job->reports) {
        solo__job_release(job);
        return;
    }
    solo__announce(job->pool->object.world, SOLO_PROBE_JOB_FINISHED, SOLO_ACCESS_WRITE, job->call.provenance.object, 0);
    (void)solo__reactor_post(job->call.reactor, &job->call,
                             true); /* the stop waits for this worker: it cannot be refused */
}

void solo__pool_has_reported(struct solo_pool *pool)
{
    solo__pool_enter(pool);
    pool->reporting--;
    if (pool->finishing) {
        pool->object.world->threads->wake(pool->object.world, &pool->gate, true);
    }
    solo__pool_leave(pool);
}

void solo__pool_note_drained(struct solo_pool *pool)
{
    solo__pool_enter(pool);
    bool drained = solo__pool_has_just_drained(pool);
    pool->reporting += drained;
    solo__pool_leave(pool);
    if (drained) {
        (void)solo__reactor_post(pool->reactor, &pool->note, true);
        solo__pool_has_reported(pool);
    }
}

void solo__pool_report_held(struct solo_pool *pool, struct solo__job *job)
{
    solo__job_report(job);
    solo__pool_note_drained(pool);
    solo__pool_has_reported(pool);
}

/* The job has ended: says so in the pool's books. What becomes of its report: */
enum outcome { REPORT, HOLD, ABANDONED };

static enum outcome finish(struct solo_pool *pool, struct solo__pool_worker *worker, struct solo__job *job)
{
    enum outcome outcome = ABANDONED;
    solo__pool_enter(pool);
    if (!worker->abandoned) {
        outcome = pool->held && !job->report_asked && !pool->finishing ? HOLD : REPORT;
        job->state = SOLO_JOB_FINISHED;
        worker->ran = solo__pool_begun(worker);
        pool->ran += worker->ran - worker->counted;
        pool->fast -= worker->fast;
        worker->fast = false;
        worker->job = NULL;
        worker->claim = 0;
        worker->running = false;
        __atomic_store_n(&worker->between, false, __ATOMIC_RELAXED);
        pool->busy--;
        if (outcome == HOLD) {
            solo__job_list_add(&pool->finished, job);
        }
        if (pool->finishing) {
            pool->object.world->threads->wake(pool->object.world, &pool->gate, true);
        }
    }
    solo__pool_leave(pool);
    return outcome;
}

/* Runs what the worker has claimed and reports each before it begins the next; returns the last one, not reported. */
static struct solo__job *run_claimed(struct solo_pool *pool, struct solo__pool_worker *worker, struct solo__job *job)
{
    for (;;) {
        run(pool, job);
        __atomic_store_n(&worker->between, true, __ATOMIC_RELAXED); /* known to whoever sees the next one begun */
        struct solo__job *next = solo__pool_advance(worker);
        if (next == NULL) {
            return job;
        }
        solo__job_report(job);
        __atomic_store_n(&worker->between, false, __ATOMIC_RELEASE);
        job = next;
    }
}

void solo__pool_worker_main(void *arg)
{
    struct solo__pool_worker *worker = arg;
    struct solo_pool *pool = worker->pool;
    struct solo__job *job;
    SOLO_ANNOTATE_HAPPENS_BEFORE(&pool->ended); /* for whoever reaps: what the thread did that made this worker */
    solo__self->serves = &pool->reactor->owner;
    while ((job = next_job(pool, worker)) != NULL) {
        job = run_claimed(pool, worker, job);
        enum outcome outcome = finish(pool, worker, job);
        if (outcome == ABANDONED) {
            solo__pool_drop(pool, worker);
            (void)pool->object.world->threads->join(pool->object.world, solo__self); /* nobody else will */
            return;
        }
        if (outcome == REPORT) {
            SOLO_ANNOTATE_HAPPENS_AFTER(&pool->held); /* a remote control may have let it report */
            solo__job_report(job);
        }
    }
}

/* ---- After the end ---- */

void solo__pool_reap(struct solo_pool *pool)
{
    solo__pool_enter(pool);
    struct solo__pool_worker *worker = pool->ended;
    pool->ended = NULL;
    pool->reporting += worker != NULL; /* the pool may not end with some of its workers out of sight */
    solo__pool_leave(pool);
    if (worker == NULL) {
        return;
    }
    SOLO_ANNOTATE_HAPPENS_AFTER(&pool->ended);
    while (worker != NULL) {
        struct solo__pool_worker *next = worker->next;
        if (worker->thread == solo__self) { /* on its way out, it starts another one */
            solo__pool_enter(pool);
            worker->next = pool->ended;
            pool->ended = worker;
            solo__pool_leave(pool);
        } else {
            (void)solo__thread_reap(worker->thread);
            pool->object.world->memory->release(pool->object.world, worker);
        }
        worker = next;
    }
    solo__pool_has_reported(pool);
}

void solo__pool_drop(struct solo_pool *pool, struct solo__pool_worker *worker)
{
    struct solo_world *world = pool->object.world;
    solo__pool_enter(pool);
    bool last = --worker->holders == 0;
    solo__pool_leave(pool);
    if (last) {
        solo__job_release(worker->job);
        world->memory->release(world, worker);
    }
}
