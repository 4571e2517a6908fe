/* shapes_wait.c - between two critical sections somebody else was there: bounded buffer, string buffer. */
#include "shape.h"

static struct solo_mutex *mutex;
static bool is_twin;

/*
 * ---- bounded buffer: whoever waited for a ticket lets go of the counter's lock once more before taking it ----
 *
 * Two printers fill a tray that holds two tickets, two clerks empty it. A clerk has seen a ticket in the tray, lets go
 * of the lock to call the visitor, and then takes for granted that the ticket is still there. 5 threads, 24 critical
 * sections and as many waits as the tray makes necessary; only what is read before the lock races.
 */

enum { TRAY_SLOTS = 3, TICKETS_EACH = 4 };

static struct {
    struct solo_condition *taken, *printed;
    shape_word first, end; /* of the tickets in the tray; equal: there is none */
    shape_word printers_waiting, clerks_waiting;
    shape_word tickets[TRAY_SLOTS];
    shape_word is_open;
} tray;

static shape_word after(shape_word slot)
{
    return (slot + 1) % TRAY_SLOTS;
}

static void wait_for_room(void)
{
    while (after(GET(tray.end)) == GET(tray.first)) {
        ADD(tray.printers_waiting, 1);
        (void)solo_condition_wait(tray.taken, mutex, SOLO_NEVER);
        ADD(tray.printers_waiting, -1);
    }
}

static void wait_for_ticket(void)
{
    while (GET(tray.end) == GET(tray.first)) {
        ADD(tray.clerks_waiting, 1);
        (void)solo_condition_wait(tray.printed, mutex, SOLO_NEVER);
        ADD(tray.clerks_waiting, -1);
    }
}

static void print_tickets(struct shape_thread *self)
{
    for (unsigned i = 0; i < TICKETS_EACH; i++) {
        shape_turn(self);
        (void)GET(tray.is_open);
        LOCK(mutex);
        wait_for_room();
        shape_word at = GET(tray.end);
        SET(tray.tickets[at], (shape_word)i);
        SET(tray.end, after(at));
        if (GET(tray.clerks_waiting) > 0) {
            (void)solo_condition_signal(tray.printed);
        }
        UNLOCK(mutex);
    }
}

/* False: the ticket that was there is gone. */
static bool take_ticket(void)
{
    shape_word at = GET(tray.first);
    if (at == GET(tray.end)) {
        return false;
    }
    (void)GET(tray.tickets[at]);
    SET(tray.first, after(at));
    return true;
}

static void serve_visitors(struct shape_thread *self)
{
    bool has_ticket = true;
    for (unsigned i = 0; i < TICKETS_EACH && has_ticket; i++) {
        shape_turn(self);
        (void)GET(tray.is_open);
        LOCK(mutex);
        wait_for_ticket();
        if (!is_twin) {
            UNLOCK(mutex);
            LOCK(mutex);
        }
        has_ticket = take_ticket();
        shape_check(has_ticket);
        if (GET(tray.printers_waiting) > 0) {
            (void)solo_condition_signal(tray.taken);
        }
        UNLOCK(mutex);
    }
}

void bounded_buffer(bool twin)
{
    is_twin = twin;
    (void)shape_main();
    mutex = shape_mutex();
    tray.taken = shape_condition();
    tray.printed = shape_condition();
    tray.first = tray.end = tray.printers_waiting = tray.clerks_waiting = 0;
    tray.is_open = true;
    shape_start(print_tickets, 0);
    shape_start(print_tickets, 1);
    shape_start(serve_visitors, 0);
    shape_start(serve_visitors, 1);
    shape_join();
}

/*
 * ---- string buffer: asks for the length, lets go, and then copies that much ----
 *
 * A banner of three letters is changed by main, letter by letter, first taken down and then put up anew; a photographer
 * counts the letters and then takes a picture of so many. 2 threads, 4 critical sections, 4 + 3 N accesses for N
 * letters, none of which races.
 */

enum { LETTERS = 3, LETTERS_MAX = 8 };
enum { OWN_LETTER = 8, OWN_PHOTOGRAPHER = 5 }; /* fitted: docs/explore-benchmarks.md */

static struct {
    shape_word count;
    shape_word letters[LETTERS_MAX];
} banner;
static shape_word picture[LETTERS_MAX];

static void take_down(struct shape_thread *self)
{
    LOCK(mutex);
    shape_word count = GET(banner.count);
    for (shape_word i = 0; i < count; i++) {
        shape_own(self, OWN_LETTER);
        SET(banner.letters[i], 0);
    }
    SET(banner.count, 0);
    UNLOCK(mutex);
}

static void put_up(struct shape_thread *self, shape_word letters)
{
    LOCK(mutex);
    for (shape_word i = 0; i < letters; i++) {
        shape_own(self, OWN_LETTER);
        SET(banner.letters[i], 'a');
    }
    SET(banner.count, letters);
    UNLOCK(mutex);
}

static void photograph(struct shape_thread *self)
{
    shape_own(self, OWN_PHOTOGRAPHER);
    LOCK(mutex);
    shape_word expected = GET(banner.count);
    if (!is_twin) {
        UNLOCK(mutex);
        LOCK(mutex);
    }
    shape_word there = GET(banner.count);
    shape_check(expected <= there);
    for (shape_word i = 0; i < expected && i < there; i++) {
        shape_own(self, OWN_LETTER);
        SET(picture[i], GET(banner.letters[i]));
    }
    UNLOCK(mutex);
}

void stringbuffer(bool twin)
{
    is_twin = twin;
    struct shape_thread *self = shape_main();
    mutex = shape_mutex();
    banner.count = LETTERS;
    shape_start(photograph, 0);
    take_down(self);
    put_up(self, LETTERS);
    shape_join();
}
