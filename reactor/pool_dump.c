/*
 * pool_dump.c - what each worker is doing, for whoever asks: as records, and in words.
 *
 * A text is cut off where its buffer ends, and nothing here allocates or waits: it is wanted most when everything else
 * has come to a stop.
 */
#include "pool_internal.h"
#include <solo/thread.h>
#include <stdarg.h>
#include <stdio.h>

enum { NAME_MAX = 48, NAMED_MAX = 6 }; /* queued jobs that a text names */

/* ---- Words ---- */

void solo__text_add(struct solo__text *text, const char *format, ...)
{
    size_t room = text->size > text->used ? text->size - text->used : 0;
    va_list arguments;
    va_start(arguments, format);
    int count = vsnprintf(room > 0 ? text->buffer + text->used : NULL, room, format, arguments);
    va_end(arguments);
    text->length += (size_t)count;
    if (room > 0) {
        text->used += (size_t)count < room ? (size_t)count : room - 1;
    }
}

static void add_worker_name(struct solo__text *text, const struct solo__pool_worker *worker)
{
    const char *name = worker->pool->name;
    solo__text_add(text, "pool%s%s#%u", name[0] != '\0' ? "/" : "", name, worker->number);
}

static void add_job(struct solo__text *text, const struct solo__job *job)
{
    char name[NAME_MAX], by[NAME_MAX];
    solo__text_add(text, "%s (queued by %s)", solo_object_name(job->call.provenance.object, name, sizeof name),
                   solo__thread_print_name(job->call.provenance.by, by, sizeof by));
}

void solo__text_add_running(struct solo__text *text, const struct solo__pool_worker *worker)
{
    const char *separator = "";
    for (unsigned named = 0; worker != NULL && named < NAMED_MAX; worker = worker->next) {
        if (worker->job != NULL) {
            solo__text_add(text, "%s", separator);
            add_worker_name(text, worker);
            solo__text_add(text, " runs ");
            add_job(text, worker->job);
            separator = ", ";
            named++;
        }
    }
}

void solo__text_add_queue(struct solo__text *text, const struct solo_pool *pool)
{
    const char *separator = "";
    unsigned named = 0;
    for (const struct solo__job *job = pool->queue.first; job != NULL && named < NAMED_MAX; job = job->next) {
        solo__text_add(text, "%s", separator);
        add_job(text, job);
        separator = ", ";
        named++;
    }
    if (pool->queued > named) {
        solo__text_add(text, " and %zu more", pool->queued - named);
    }
}

/* ---- The dump ---- */

static void add_worker(struct solo__text *text, const struct solo__pool_worker *worker, uint64_t now_ns)
{
    const struct solo__job *job = worker->job;
    add_worker_name(text, worker);
    if (job == NULL) {
        solo__text_add(text, " is idle\n");
        return;
    }
    uint64_t ms = now_ns > worker->since_ns ? (now_ns - worker->since_ns) / 1000000 : 0;
    solo__text_add(text, " runs job %u, ", job->number);
    add_job(text, job);
    solo__text_add(text, ", for %llu.%03u s\n", (unsigned long long)(ms / 1000), (unsigned)(ms % 1000));
}

/* With the lock held. */
static void add_pool(struct solo__text *text, const struct solo_pool *pool, uint64_t now_ns)
{
    solo__text_add(text, "pool%s%s: %u of %u workers, %u idle, %u busy, %zu queued\n", pool->name[0] != '\0' ? "/" : "",
                   pool->name, pool->worker_count, pool->max, pool->worker_count - pool->busy, pool->busy,
                   pool->queued);
    for (const struct solo__pool_worker *worker = pool->workers; worker != NULL; worker = worker->next) {
        add_worker(text, worker, now_ns);
    }
    if (pool->queued > 0) {
        solo__text_add(text, "queued: ");
        solo__text_add_queue(text, pool);
        solo__text_add(text, "\n");
    }
}

int solo_pool_dump(struct solo_pool *pool, char *buffer, size_t size, size_t *ret_length)
{
    SOLO__LIVE_OBJECT(solo_pool_dump, pool, SOLO__POOL, SOLO006_USE_AFTER_END);
    if (buffer == NULL && size > 0) {
        return -EINVAL;
    }

    struct solo_world *world = pool->object.world;
    struct solo__text text = {buffer, size, 0, 0};
    uint64_t now_ns = world->clock->now_ns(world);
    solo__pool_enter(pool);
    solo__pool_recall(pool);
    add_pool(&text, pool, now_ns);
    solo__pool_leave(pool);
    if (ret_length != NULL) {
        *ret_length = text.length;
    }
    return 0;
}

/* ---- Records ---- */

static void describe(const struct solo__pool_worker *worker, struct solo_pool_worker *ret_worker)
{
    const struct solo__job *job = worker->job;
    struct solo__text name = {ret_worker->thread, sizeof ret_worker->thread, 0, 0};
    *ret_worker = (struct solo_pool_worker){.number = worker->number};
    add_worker_name(&name, worker);
    if (job != NULL) {
        ret_worker->job = job->number;
        ret_worker->since_ns = worker->since_ns;
        ret_worker->queued_from = job->call.provenance.frames[0];
        (void)solo__thread_print_name(job->call.provenance.by, ret_worker->queued_by, sizeof ret_worker->queued_by);
    }
}

int solo_pool_workers(struct solo_pool *pool, struct solo_pool_worker *workers, size_t workers_max, size_t *ret_count)
{
    SOLO__LIVE_OBJECT(solo_pool_workers, pool, SOLO__POOL, SOLO006_USE_AFTER_END);
    if (ret_count == NULL || (workers == NULL && workers_max > 0)) {
        return -EINVAL;
    }

    size_t count = 0;
    solo__pool_enter(pool);
    solo__pool_recall(pool);
    for (const struct solo__pool_worker *worker = pool->workers; worker != NULL; worker = worker->next) {
        if (count < workers_max) {
            describe(worker, &workers[count]);
        }
        count++;
    }
    solo__pool_leave(pool);
    *ret_count = count;
    return 0;
}
