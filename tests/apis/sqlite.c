/*
 * sqlite.c - one database connection that lives as long as the program, on a worker of its own.
 *
 * Thirty requests come from jobs of the pool. None of them touches the connection, and none waits for a lock: each
 * gives its piece of work to the one worker that owns the connection, which does them one after another. Answers go to
 * the reactor thread. Prints what the table holds in the end. With the argument "lock" the jobs share the connection
 * and a mutex instead: the same answer, but they stand in line on the pool's threads.
 */
#include <solo/solo.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { REQUESTS = 30 };

struct request {
    int number;
    int status;
};

static struct solo_reactor *reactor;
static struct solo_worker *owner; /* of `database` */
static struct solo_mutex *mutex;
static sqlite3 *database;
static struct request requests[REQUESTS];
static int answered, failed;
static long long rows, sum;

/* ---- On the connection's worker ---- */

static int execute(const char *text)
{
    return sqlite3_exec(database, text, NULL, NULL, NULL);
}

static void open_database(void *arg)
{
    int *status = arg;
    *status =
        sqlite3_open_v2(":memory:", &database, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX, NULL);
    if (*status == SQLITE_OK) {
        *status = execute("create table requests (number integer primary key)");
    }
}

static void insert(void *arg)
{
    struct request *request = arg;
    sqlite3_stmt *statement = NULL;
    request->status = sqlite3_prepare_v2(database, "insert into requests values (?)", -1, &statement, NULL);
    if (request->status == SQLITE_OK) {
        (void)sqlite3_bind_int(statement, 1, request->number);
        request->status = sqlite3_step(statement) == SQLITE_DONE ? SQLITE_OK : SQLITE_ERROR;
    }
    (void)sqlite3_finalize(statement);
}

static void add_up(void *arg)
{
    sqlite3_stmt *statement = NULL;
    (void)arg;
    if (sqlite3_prepare_v2(database, "select count(*), sum(number) from requests", -1, &statement, NULL) == SQLITE_OK &&
        sqlite3_step(statement) == SQLITE_ROW) {
        rows = sqlite3_column_int64(statement, 0);
        sum = sqlite3_column_int64(statement, 1);
    }
    (void)sqlite3_finalize(statement);
}

static void close_database(void *arg)
{
    (void)arg;
    (void)sqlite3_close(database);
}

/* ---- On the reactor thread ---- */

static void stop(void *arg)
{
    (void)arg;
    (void)solo_reactor_stop(reactor);
}

/* On the worker, after add_up. */
static void added_up(int status, void *arg)
{
    (void)status;
    (void)solo_reactor_call_from_thread(reactor, stop, arg, NULL);
}

static void answer(void *arg)
{
    const struct request *request = arg;
    failed += request->status != SQLITE_OK;
    if (++answered == REQUESTS) {
        (void)solo_worker_do(owner, add_up, NULL, added_up);
    }
}

/* On the worker, after insert. */
static void inserted(int status, void *arg)
{
    (void)status;
    (void)solo_reactor_call_from_thread(reactor, answer, arg, NULL);
}

/* ---- On the pool ---- */

static void serve(void *arg)
{
    (void)solo_worker_do(owner, insert, arg, inserted);
}

static void serve_in_line(void *arg)
{
    (void)solo_mutex_lock(mutex);
    insert(arg);
    (void)solo_mutex_unlock(mutex);
    (void)solo_reactor_call_from_thread(reactor, answer, arg, NULL);
}

int main(int argc, char **argv)
{
    solo_call_fn how = argc > 1 && strcmp(argv[1], "lock") == 0 ? serve_in_line : serve;
    struct solo_reactor_options options = {.pool_max = 3};
    int opened = SQLITE_ERROR;
    if (solo_reactor_create(&options, &reactor) < 0 || solo_mutex_create(&mutex) < 0 ||
        (how == serve ? solo_thread_worker_create(&owner) : solo_lock_worker_create(&owner)) < 0) {
        return 2;
    }
    (void)solo_worker_do(owner, open_database, &opened, NULL);
    for (int i = 0; i < REQUESTS; i++) {
        requests[i].number = i + 1;
        (void)solo_reactor_call_in_thread(reactor, how, &requests[i], NULL);
    }
    (void)solo_reactor_run(reactor);
    (void)solo_worker_do(owner, close_database, NULL, NULL);
    (void)solo_worker_destroy(owner); /* waits for it: nobody uses the connection any more */
    (void)solo_reactor_destroy(reactor);
    (void)solo_mutex_destroy(mutex);
    printf("%s: %lld rows, sum %lld, %d failed\n", opened == SQLITE_OK ? "open" : "not open", rows, sum, failed);
    return opened == SQLITE_OK && failed == 0 && rows == REQUESTS ? 0 : 1;
}
