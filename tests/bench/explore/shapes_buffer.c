/*
 * shapes_buffer.c - one puts, one takes, under one lock: circular buffer, queue, stack.
 *
 * In all of them a thread makes a fixed number of attempts, and counts attempts where it should count successes.
 */
#include "shape.h"

static struct solo_mutex *mutex;
static bool is_twin;

/* By how much the first thread is ahead, in circular buffer and stack; fitted: docs/explore-benchmarks.md. */
enum { OWN_LEAD = 30 };

/*
 * ---- circular buffer: parcels go down a chute one at a time, numbered by attempt ----
 *
 * Both ends make seven attempts, and one that finds the chute in the wrong state is used up all the same: from then on
 * the two ends do not agree about numbers. 3 threads, 14 critical sections, 27 accesses at least, none of which races.
 */

enum { CHUTE_ATTEMPTS = 7, CHUTE_SLOTS = 10 };

static struct {
    shape_word is_loaded, in, out;
    shape_word parcels[CHUTE_SLOTS];
} chute;

static void send_parcels(struct shape_thread *self)
{
    shape_word sent = 0;
    for (shape_word attempt = 0; attempt < CHUTE_ATTEMPTS; attempt++) {
        shape_turn(self);
        LOCK(mutex);
        if (!GET(chute.is_loaded)) {
            shape_word at = GET(chute.in);
            SET(chute.parcels[at], is_twin ? sent : attempt);
            SET(chute.in, at + 1);
            SET(chute.is_loaded, true);
            sent++;
        }
        UNLOCK(mutex);
    }
}

static void receive_parcels(struct shape_thread *self)
{
    shape_word received = 0;
    for (shape_word attempt = 0; attempt < CHUTE_ATTEMPTS; attempt++) {
        shape_turn(self);
        LOCK(mutex);
        if (GET(chute.is_loaded)) {
            shape_word at = GET(chute.out);
            shape_word parcel = GET(chute.parcels[at]);
            shape_check(parcel == (is_twin ? received : attempt));
            SET(chute.out, at + 1);
            SET(chute.is_loaded, false);
            received++;
        }
        UNLOCK(mutex);
    }
}

void circular_buffer(bool twin)
{
    is_twin = twin;
    struct shape_thread *self = shape_main();
    mutex = shape_mutex();
    chute.is_loaded = false;
    chute.in = chute.out = 0;
    shape_start(send_parcels, 0);
    shape_own(self, OWN_LEAD);
    shape_start(receive_parcels, 0);
    shape_join();
}

/*
 * ---- queue: letters are put into a letter box and noted in a list, at the place of the attempt ----
 *
 * The writer's first letter needs no empty box; each of the other nineteen does, and waits for no one: an attempt that
 * finds the box full is used up. The reader compares its twenty attempts with the list. 3 threads, 40 critical
 * sections, 69 accesses at least, none of which races.
 */

enum { LETTERS = 20 };

static struct {
    shape_word has_new, is_empty, written, read, waiting;
    shape_word letters[LETTERS], list[LETTERS];
} box;

static void put_letter(shape_word letter, shape_word at)
{
    shape_word place = GET(box.written);
    SET(box.letters[place], letter);
    SET(box.written, place + 1);
    ADD(box.waiting, 1);
    SET(box.list[at], letter);
}

static void write_letters(struct shape_thread *self)
{
    shape_word letter = 100;
    LOCK(mutex);
    put_letter(letter, 0);
    UNLOCK(mutex);
    shape_word put = 1;
    for (shape_word attempt = 1; attempt < LETTERS; attempt++) {
        shape_turn(self);
        LOCK(mutex);
        if (GET(box.is_empty)) {
            put_letter(++letter, is_twin ? put : attempt);
            put++;
            SET(box.is_empty, false);
            SET(box.has_new, true);
        }
        UNLOCK(mutex);
    }
}

static void read_letters(struct shape_thread *self)
{
    shape_word seen = 0;
    for (shape_word attempt = 0; attempt < LETTERS; attempt++) {
        shape_turn(self);
        LOCK(mutex);
        if (GET(box.has_new)) {
            shape_word place = GET(box.read);
            shape_word letter = GET(box.letters[place]);
            SET(box.read, place + 1);
            ADD(box.waiting, -1);
            shape_check(letter == GET(box.list[is_twin ? seen : attempt]));
            seen++;
            SET(box.has_new, false);
            SET(box.is_empty, true);
        }
        UNLOCK(mutex);
    }
}

void queue(bool twin)
{
    is_twin = twin;
    (void)shape_main();
    mutex = shape_mutex();
    box.has_new = false;
    box.is_empty = true;
    box.written = box.read = box.waiting = 0;
    for (unsigned i = 0; i < LETTERS; i++) {
        box.letters[i] = box.list[i] = 0;
    }
    shape_start(write_letters, 0);
    shape_start(read_letters, 0);
    shape_join();
}

/*
 * ---- stack: once there was a plate, whoever takes one believes that there always is one ----
 *
 * A cook puts ten plates on a pile, a waiter makes ten attempts to take one. That the pile was begun does not mean that
 * it was not used up again. 3 threads, 20 critical sections, 70 accesses at least, none of which races.
 */

enum { PLATES = 10 };

static struct {
    shape_word was_begun, height;
    shape_word plates[PLATES];
} pile;

static void pile_up(struct shape_thread *self)
{
    for (shape_word plate = 0; plate < PLATES; plate++) {
        shape_turn(self);
        LOCK(mutex);
        shape_word height = GET(pile.height);
        SET(pile.plates[height], plate);
        SET(pile.height, height + 1);
        SET(pile.was_begun, true);
        UNLOCK(mutex);
    }
}

static void take_plates(struct shape_thread *self)
{
    for (shape_word attempt = 0; attempt < PLATES; attempt++) {
        shape_turn(self);
        LOCK(mutex);
        if (GET(pile.was_begun)) {
            shape_word height = GET(pile.height);
            shape_check(height > 0 || is_twin);
            if (height > 0) {
                (void)GET(pile.plates[height - 1]);
                SET(pile.height, height - 1);
            }
        }
        UNLOCK(mutex);
    }
}

void stack(bool twin)
{
    is_twin = twin;
    struct shape_thread *self = shape_main();
    mutex = shape_mutex();
    pile.was_begun = false;
    pile.height = 0;
    shape_start(pile_up, 0);
    shape_own(self, OWN_LEAD);
    shape_start(take_plates, 0);
    shape_join();
}
