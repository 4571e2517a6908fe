/*
 * shapes_sort.c - quicksort by three sorters, main one of them: ranges of cards lie on a table, and whoever has split
 * one puts a part back.
 *
 * A board says where a range lies ready and how many sorters are busy; it is one word, so every look and every change
 * is one step. It is over when nothing is ready and nobody is busy. But a sorter takes its range off the board first
 * and says that it is busy second, and in between it is not seen. Somebody knew: a sorter that finds nothing looks four
 * times before it closes the board, and main sorts the range that a late one may have put back by then. Nobody thought
 * of two. So two have to be late, each in a window of one point with a range worth splitting, and the third one has to
 * look four times meanwhile. 3 threads; the board races.
 */
#include "shape.h"

enum { SORTERS = 3, LOOKS = 4 };
/* Large ranges are split once, little ones of a card or two not at all; each with a card after it that lies right. */
enum { LARGE = 2, LARGE_CARDS = 4, LITTLE = 6, CARDS_MAX = LARGE * (LARGE_CARDS + 1) + LITTLE * 3 };
/* Places on the table: the large ranges, the little ones, and the parts of the large ones. */
enum { RANGES = LARGE + LITTLE, PLACES = RANGES + LARGE };

static struct range {
    shape_word from, end;
} table[PLACES];

enum {
    READY = (1 << PLACES) - 1, /* a bit for each place */
    ONE_BUSY = 1 << PLACES,
    BUSY = SORTERS * ONE_BUSY,
    CLOSED = ONE_BUSY << 2,
};
static shape_word board;

/* For whoever waits until the board changes. */
static struct solo_mutex *mutex;
static struct solo_condition *changed;
static bool is_twin;
static shape_word cards[CARDS_MAX];

/* ---- Cards ---- */

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

/* ---- The board ---- */

/* Reads and writes in one step; returns what is there then. */
static shape_word add(shape_word more)
{
    solo_access_write(&board, sizeof board);
    return board += more;
}

/* Takes the range off the board, in one step. False: the board is not as it was seen. */
static bool take(int place, shape_word seen)
{
    solo_access_write(&board, sizeof board);
    if (board != seen) {
        return false;
    }
    board = seen - (1 << place) + (is_twin ? ONE_BUSY : 0);
    return true;
}

static int last_ready(shape_word seen)
{
    int place = PLACES - 1;
    while ((seen & (1 << place)) == 0) {
        place--;
    }
    return place;
}

static void say_changed(void)
{
    LOCK(mutex);
    (void)solo_condition_broadcast(changed);
    UNLOCK(mutex);
}

static void close_board(void)
{
    solo_access_write(&board, sizeof board);
    board |= CLOSED;
    say_changed();
}

/* Others are busy and may put something back. */
static bool is_to_wait(void)
{
    shape_word seen = GET(board);
    return (seen & (READY | CLOSED)) == 0 && (seen & BUSY) != 0;
}

static void wait_for_change(void)
{
    LOCK(mutex);
    while (is_to_wait()) {
        (void)solo_condition_wait(changed, mutex, SOLO_NEVER);
    }
    UNLOCK(mutex);
}

/* ---- Sorters ---- */

static void sort_range(int place)
{
    struct range range = table[place];
    if (place < LARGE) {
        shape_word middle = split(range);
        table[RANGES + place] = (struct range){range.from, middle};
        (void)add(1 << (RANGES + place));
        say_changed();
        range.from = middle + 1;
    }
    insert_all(range);
}

static void work(int place)
{
    if (!is_twin) {
        (void)add(ONE_BUSY);
    }
    sort_range(place);
    if ((add(-ONE_BUSY) & BUSY) == 0) {
        say_changed();
    }
}

static void sort_until_closed(struct shape_thread *self)
{
    (void)self;
    for (int looks = 0; looks < LOOKS;) {
        shape_word seen = GET(board);
        if ((seen & CLOSED) != 0) {
            return;
        }
        if ((seen & (READY | BUSY)) == 0) {
            looks++;
            continue;
        }
        looks = 0;
        if ((seen & READY) == 0) {
            wait_for_change();
        } else if (take(last_ready(seen), seen)) {
            work(last_ready(seen));
        }
    }
    close_board();
}

/* ---- Beginning and end ---- */

/* Lays so many cards from a place on, and one that lies right; returns how many lie there then. */
static shape_word lay(int place, shape_word from, int count)
{
    static const shape_word mixed[][LARGE_CARDS + 1] = {[1] = {0, 1}, {1, 0, 2}, [LARGE_CARDS] = {1, 2, 0, 3, 4}};
    table[place] = (struct range){from, from + count};
    for (int i = 0; i <= count; i++) {
        cards[from + i] = from + mixed[count][i];
    }
    return from + count + 1;
}

void quicksort(bool twin)
{
    is_twin = twin;
    struct shape_thread *self = shape_main();
    mutex = shape_mutex();
    changed = shape_condition();
    shape_word count = 0;
    for (int i = 0; i < RANGES; i++) {
        count = lay(i, count, i < LARGE ? LARGE_CARDS : 1 + i % 2);
    }
    board = (1 << RANGES) - 1;
    for (unsigned i = 1; i < SORTERS; i++) {
        shape_start(sort_until_closed, i);
    }
    sort_until_closed(self);
    shape_join();
    if ((board & READY) != 0) {
        sort_range(last_ready(board)); /* a part, so it splits nothing */
    }
    for (shape_word i = 1; i < count; i++) {
        shape_check(cards[i - 1] <= cards[i]);
    }
}
