/*
 * shapes_sort.c - quicksort by two workers: whoever splits its range puts one part on the desk of an idle one.
 *
 * Two sorters, each with a desk, and a board that says which desk is in use. A desk is declared in use before its lock
 * is taken: a sorter who looks up just then begins with whatever lies there from last time, is done at once, and sleeps
 * through the range that comes after. 3 threads; what is on the desks races.
 */
#include "shape.h"

enum { SORTERS = 2, CARDS = 40, WORTH_SHARING = 5, SMALL = 7, RANGES_MAX = 32 };
enum use { FREE, IN_USE, CLOSED };

struct range {
    shape_word from, end;
};

static struct desk {
    shape_word use;       /* enum use */
    shape_word from, end; /* the range that was put there */
    struct solo_mutex *mutex;
    struct solo_condition *changed;
} desks[SORTERS];
static struct solo_mutex *board;
static shape_word free_desks;
static bool is_twin;
static shape_word cards[CARDS];

/* Straight insertion, for what is not worth splitting. */
static void insert_all(struct range range)
{
    for (shape_word i = range.from + 1; i < range.end; i++) {
        shape_word card = GET(cards[i]);
        shape_word at = i;
        for (; at > range.from && GET(cards[at - 1]) > card; at--) {
            SET(cards[at], GET(cards[at - 1]));
        }
        SET(cards[at], card);
    }
}

/* Brings cards below the middle one to its left and the others to its right; returns where it lies then. */
static shape_word split(struct range range)
{
    shape_word left = range.from, right = range.end - 1;
    shape_word pivot = GET(cards[(left + right) / 2]);
    for (;;) {
        while (GET(cards[left]) < pivot) {
            left++;
        }
        while (GET(cards[right]) > pivot) {
            right--;
        }
        if (left >= right) {
            return left;
        }
        shape_word card = GET(cards[left]);
        SET(cards[left], GET(cards[right]));
        SET(cards[right], card);
    }
}

static void put_on_desk(struct desk *desk, struct range range)
{
    SET(desk->from, range.from);
    SET(desk->end, range.end);
    (void)solo_condition_signal(desk->changed);
    UNLOCK(desk->mutex);
}

/* Puts the range on a free desk. False: there is none. */
static bool share(struct range range)
{
    struct desk *found = NULL;
    LOCK(board);
    for (int i = 0; i < SORTERS && found == NULL; i++) {
        found = GET(desks[i].use) == FREE ? &desks[i] : NULL;
    }
    if (found != NULL) {
        ADD(free_desks, -1);
        if (is_twin) {
            LOCK(found->mutex);
        }
        SET(found->use, IN_USE);
        if (!is_twin) {
            LOCK(found->mutex);
        }
        put_on_desk(found, range);
    }
    UNLOCK(board);
    return found != NULL;
}

static void sort_range(struct range range)
{
    struct range kept[RANGES_MAX];
    unsigned count = 0;
    kept[count++] = range;
    while (count > 0) {
        struct range now = kept[--count];
        if (now.end - now.from < SMALL) {
            insert_all(now);
            continue;
        }
        shape_word middle = split(now);
        struct range below = {now.from, middle}, above = {middle + 1, now.end};
        bool worth = below.end - below.from > WORTH_SHARING && above.end - above.from > WORTH_SHARING;
        kept[count++] = above;
        if (!worth || !share(below)) {
            kept[count++] = below;
        }
    }
}

static void close_other_desks(unsigned self)
{
    for (unsigned i = 0; i < SORTERS; i++) {
        if (i != self) {
            LOCK(desks[i].mutex);
            SET(desks[i].use, CLOSED);
            (void)solo_condition_signal(desks[i].changed);
            UNLOCK(desks[i].mutex);
        }
    }
}

/* Whether all desks are free now: then the work is done. */
static bool leave_desk(unsigned self)
{
    LOCK(board);
    SET(desks[self].use, FREE);
    ADD(free_desks, 1);
    bool is_last = GET(free_desks) == SORTERS;
    if (is_last) {
        close_other_desks(self);
    }
    UNLOCK(board);
    return is_last;
}

static void sit_at_desk(struct shape_thread *self)
{
    struct desk *desk = &desks[self->number];
    bool is_over = false;
    while (!is_over) {
        LOCK(desk->mutex);
        while (GET(desk->use) == FREE) {
            (void)solo_condition_wait(desk->changed, desk->mutex, SOLO_NEVER);
        }
        is_over = GET(desk->use) == CLOSED;
        UNLOCK(desk->mutex);
        if (!is_over) {
            struct range range = {GET(desk->from), GET(desk->end)};
            sort_range(range);
            is_over = leave_desk(self->number);
        }
    }
}

void quicksort(bool twin)
{
    is_twin = twin;
    (void)shape_main();
    board = shape_mutex();
    for (int i = 0; i < CARDS; i++) {
        cards[i] = (i * 31 + 11) % CARDS; /* 31 and CARDS have no common divisor: each number once */
    }
    for (int i = 0; i < SORTERS; i++) {
        desks[i] = (struct desk){.mutex = shape_mutex(), .changed = shape_condition()};
    }
    free_desks = SORTERS;
    for (unsigned i = 0; i < SORTERS; i++) {
        shape_start(sit_at_desk, i);
    }
    LOCK(desks[0].mutex);
    ADD(free_desks, -1);
    SET(desks[0].use, IN_USE);
    put_on_desk(&desks[0], (struct range){0, CARDS});
    shape_join();
    for (int i = 1; i < CARDS; i++) {
        shape_check(cards[i - 1] <= cards[i]);
    }
}
