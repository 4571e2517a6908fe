/*
 * calls_out.c - a program that fires a Deferred with a lock of its own held.
 *
 * `main` fires while it holds `book`; the callback was registered without it and writes to a log that has a lock too.
 * Beside it a thread takes either lock, not both at once. What the argument names is different:
 *
 *   (nothing)     the callback takes `log` under `book`
 *   unlocked      `book` is unlocked first
 *   attempt, deadline    `log` is only attempted, or waited for until a deadline
 *   readers       everybody only reads under `book`
 *   one-writer    the other thread writes under it
 *   readers-of-log    nobody but readers takes `log`
 *   reads-again    everybody only reads under `book`, and the callback does so once more
 *   recursive     `book` may be taken again, and the callback does that
 *   error-check   the same, and is refused
 *   kit           `book` is a lock of the kit, which the callback asks for again
 */
#include <pthread.h>
#include <solo/solo.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

static pthread_mutex_t book = PTHREAD_MUTEX_INITIALIZER, log_lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_rwlock_t shared_book = PTHREAD_RWLOCK_INITIALIZER, shared_log = PTHREAD_RWLOCK_INITIALIZER;
static struct solo_mutex *kits_book;
static const char *what = "";

static bool is(const char *name)
{
    return strcmp(what, name) == 0;
}

static bool book_is_shared(void)
{
    return is("readers") || is("reads-again") || is("one-writer");
}

static bool lock_book(void)
{
    int result = is("kit")          ? solo_mutex_lock(kits_book)
                 : book_is_shared() ? pthread_rwlock_rdlock(&shared_book)
                                    : pthread_mutex_lock(&book);
    return result == 0;
}

static void unlock_book(void)
{
    if (is("kit")) {
        (void)solo_mutex_unlock(kits_book);
    } else if (book_is_shared()) {
        pthread_rwlock_unlock(&shared_book);
    } else {
        pthread_mutex_unlock(&book);
    }
}

static void write_to_log(void)
{
    if (is("attempt")) {
        if (pthread_mutex_trylock(&log_lock) != 0) {
            return;
        }
    } else if (is("deadline")) {
        struct timespec until;
        clock_gettime(CLOCK_REALTIME, &until);
        until.tv_sec++;
        if (pthread_mutex_timedlock(&log_lock, &until) != 0) {
            return;
        }
    } else if (is("readers-of-log")) {
        pthread_rwlock_rdlock(&shared_log);
        pthread_rwlock_unlock(&shared_log);
        return;
    } else {
        pthread_mutex_lock(&log_lock);
    }
    pthread_mutex_unlock(&log_lock);
}

/* The callback. */
static struct solo_result note(struct solo_result previous, void *arg)
{
    (void)arg;
    if (is("recursive") || is("error-check")) {
        if (pthread_mutex_lock(&book) == 0) {
            pthread_mutex_unlock(&book);
        }
    } else if (is("kit")) {
        (void)solo_mutex_lock(kits_book);
    } else if (is("reads-again")) {
        if (lock_book()) {
            unlock_book();
        }
    } else {
        write_to_log();
    }
    return previous;
}

static void *use_both(void *arg)
{
    if (is("one-writer")) {
        pthread_rwlock_wrlock(&shared_book);
        pthread_rwlock_unlock(&shared_book);
    } else {
        (void)lock_book();
        unlock_book();
    }
    write_to_log();
    return arg;
}

static void make_book(void)
{
    pthread_mutexattr_t attributes;
    pthread_mutexattr_init(&attributes);
    pthread_mutexattr_settype(&attributes, is("error-check") ? PTHREAD_MUTEX_ERRORCHECK : PTHREAD_MUTEX_RECURSIVE);
    if (is("recursive") || is("error-check")) {
        pthread_mutex_init(&book, &attributes);
    }
    (void)solo_mutex_create(&kits_book);
}

static void publish(struct solo_deferred *published)
{
    bool locked = lock_book();
    if (is("unlocked")) {
        unlock_book();
        locked = false;
    }
    (void)solo_deferred_fire(published, solo_value(NULL));
    if (locked) {
        unlock_book();
    }
}

SOLO_SET_UP int main(int argc, char **argv)
{
    struct solo_reactor *reactor;
    struct solo_deferred *published;
    pthread_t thread;
    what = argc > 1 ? argv[1] : "";
    make_book();
    if (solo_reactor_create(NULL, &reactor) < 0 || solo_deferred_create(reactor, NULL, NULL, &published) < 0 ||
        solo_deferred_add(published, note, NULL, NULL) < 0 || pthread_create(&thread, NULL, use_both, NULL) != 0) {
        return 2;
    }
    publish(published);
    pthread_join(thread, NULL);
    (void)solo_deferred_release(published);
    (void)solo_reactor_destroy(reactor);
    (void)solo_mutex_destroy(kits_book);
    return 0;
}
