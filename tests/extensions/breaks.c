/*
 * breaks.c - a guest book that breaks three promises: it says that signing is for any thread and does not lock; that
 * publishing is for the reactor thread only and does not look; and its two ways to move a page take two locks in
 * opposite orders.
 */
#include <solo/extension.h>
#include <solo/solo.h>

struct book {
    struct solo_reactor *reactor;
    struct solo_mutex *left, *right;
    unsigned signatures, published;
};

static int book_sign(struct book *book)
{
    book->signatures++;
    return 0;
}

static int book_publish(struct book *book)
{
    book->published++;
    return 0;
}

static int move_page(struct solo_mutex *from, struct solo_mutex *to)
{
    (void)solo_mutex_lock(from);
    (void)solo_mutex_lock(to);
    (void)solo_mutex_unlock(to);
    (void)solo_mutex_unlock(from);
    return 0;
}

static int exercise_sign(void *state)
{
    return book_sign(state);
}

static int exercise_publish(void *state)
{
    return book_publish(state);
}

static int exercise_move_right(void *state)
{
    struct book *book = state;
    return move_page(book->left, book->right);
}

static int exercise_move_left(void *state)
{
    struct book *book = state;
    return move_page(book->right, book->left);
}

static int set_up(struct solo_reactor *reactor, void **ret_state)
{
    static struct book book;
    book = (struct book){.reactor = reactor};
    *ret_state = &book;
    int error = solo_mutex_create(&book.left);
    return error < 0 ? error : solo_mutex_create(&book.right);
}

static void tear_down(void *state)
{
    struct book *book = state;
    (void)solo_mutex_destroy(book->left);
    (void)solo_mutex_destroy(book->right);
}

static const struct solo_extension_entry entries[] = {
    {"book_sign", SOLO_CONTRACT_ANY_THREAD, exercise_sign},
    {"book_publish", SOLO_CONTRACT_REACTOR_ONLY, exercise_publish},
    {"book_move_right", SOLO_CONTRACT_ANY_THREAD, exercise_move_right},
    {"book_move_left", SOLO_CONTRACT_ANY_THREAD, exercise_move_left},
};

SOLO_PUBLIC extern const struct solo_extension solo_extension;
const struct solo_extension solo_extension = {
    SOLO_EXTENSION_VERSION, "breaks", entries, sizeof entries / sizeof entries[0], set_up, tear_down};
