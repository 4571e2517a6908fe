/*
 * keeps.c - a guest book that keeps its promises: signing and counting from any thread, publishing on the reactor
 * thread only, and waiting for a signature anywhere but there.
 */
#include <solo/extension.h>
#include <solo/solo.h>
#include <stdlib.h>

struct book {
    struct solo_reactor *reactor;
    struct solo_mutex *mutex;
    unsigned signatures, published;
};

static int book_sign(struct book *book)
{
    (void)solo_mutex_lock(book->mutex);
    book->signatures++;
    (void)solo_mutex_unlock(book->mutex);
    return 0;
}

static int book_count(struct book *book)
{
    (void)solo_mutex_lock(book->mutex);
    unsigned count = book->signatures;
    (void)solo_mutex_unlock(book->mutex);
    return (int)count;
}

static int book_publish(struct book *book)
{
    bool here;
    if (solo_reactor_is_reactor_thread(book->reactor, &here) < 0 || !here) {
        return SOLO_EWRONGTHREAD;
    }
    book->published = (unsigned)book_count(book);
    return 0;
}

static struct solo_result publish(void *arg)
{
    return solo_failure(book_publish(arg));
}

/* Has the book published, and waits until it is. */
static int book_publish_and_wait(struct book *book)
{
    return solo_blocking_call_from_thread(book->reactor, publish, book, NULL);
}

static int exercise_sign(void *state)
{
    return book_sign(state);
}

static int exercise_count(void *state)
{
    return book_count(state);
}

static int exercise_publish(void *state)
{
    return book_publish(state);
}

static int exercise_publish_and_wait(void *state)
{
    return book_publish_and_wait(state);
}

static int set_up(struct solo_reactor *reactor, void **ret_state)
{
    static struct book book; /* one at a time: each schedule sets it up anew */
    book = (struct book){.reactor = reactor};
    *ret_state = &book;
    return solo_mutex_create(&book.mutex);
}

static void tear_down(void *state)
{
    (void)solo_mutex_destroy(((struct book *)state)->mutex);
}

static const struct solo_extension_entry entries[] = {
    {"book_sign", SOLO_CONTRACT_ANY_THREAD, exercise_sign},
    {"book_count", SOLO_CONTRACT_ANY_THREAD, exercise_count},
    {"book_publish", SOLO_CONTRACT_REACTOR_ONLY, exercise_publish},
    {"book_publish_and_wait", SOLO_CONTRACT_NOT_ON_REACTOR, exercise_publish_and_wait},
};

SOLO_PUBLIC extern const struct solo_extension solo_extension;
const struct solo_extension solo_extension = {
    SOLO_EXTENSION_VERSION, "keeps", entries, sizeof entries / sizeof entries[0], set_up, tear_down};
