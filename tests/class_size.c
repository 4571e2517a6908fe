/*
 * class_size.c - turns of a schedule, what comes before each, and how many orders they have.
 *
 * Orders are counted forwards. A cut says how many of its turns each thread has done; all cuts of one layer have done
 * equally many together, and how many ways lead to a cut is the sum over what may have been its last turn. Where a
 * layer is full, further cuts are left out, those to which the fewest ways lead: what is counted are fewer then.
 */
#include "class_size.h"
#include "draw.h"
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

enum { THREADS_MAX = 64, TURNS_MAX = RECORDER_STEPS_MAX };
enum { LAYER_MAX = 1 << 12, SLOTS_MAX = 1 << 14, WORK_MAX = 1 << 16 };
#define MOST 1e300 /* orders are not counted any further */

/* Thorough, because what it returns is added up. */
static uint64_t mix(uint64_t hash, uint64_t value)
{
    uint64_t seed = hash ^ value * UINT64_C(0x9e3779b97f4a7c15);
    return solo__draw(&seed);
}

/* ---- What a step is ---- */

static uint32_t touches_end(const struct solo__dpor_state *record, uint32_t step)
{
    return step + 1 < record->step_count ? record->steps[step + 1].first_touch : record->touch_count;
}

/* That a thread which was woken will find what it waits for taken: the search notes it at once, though it never ran. */
static bool is_silent(const struct solo__dpor_state *record, uint32_t step)
{
    uint32_t first = record->steps[step].first_touch;
    return first + 1 == touches_end(record, step) && record->touches[first].in_vain == SOLO__DPOR_TRIED &&
           !record->touches[first].waits;
}

static bool is_in_vain(const struct recorder *recorder, uint32_t step)
{
    const struct solo__dpor_state *record = recorder->record;
    uint32_t first = record->steps[step].first_touch, end = touches_end(record, step);
    bool in_vain = first < end || (recorder->marks[step] & RECORDER_LATER) != 0;
    for (uint32_t i = first; i < end; i++) {
        in_vain = in_vain && record->touches[i].in_vain != SOLO__DPOR_DONE;
    }
    return in_vain;
}

/* Whether its thread has another step before time passes. */
static bool goes_on(const struct solo__dpor_state *record, uint32_t step)
{
    uint32_t next = step + 1;
    while (next < record->step_count && record->steps[next].thread != SOLO__DPOR_TIME &&
           (record->steps[next].thread != record->steps[step].thread || is_silent(record, next))) {
        next++;
    }
    return next < record->step_count && record->steps[next].thread == record->steps[step].thread;
}

static bool leaves_pool(const struct solo__dpor_state *record, uint32_t step)
{
    for (uint32_t i = record->steps[step].first_touch; i < touches_end(record, step); i++) {
        if ((record->touches[i].key & SOLO__KEY_STAFF) != 0 && record->touches[i].way != SOLO__READS) {
            return true;
        }
    }
    return false;
}

/*
 * From here on what was in vain comes before and after what it touches like all else: all of it, or where somebody is
 * at rest in it when time passes.
 */
static void take_seriously(struct recorder *recorder, bool all)
{
    struct solo__dpor_state *record = recorder->record;
    for (uint32_t step = 0; step < record->step_count; step++) {
        if (is_silent(record, step) || !(all || (is_in_vain(recorder, step) && !goes_on(record, step)))) {
            continue;
        }
        recorder->marks[step] &= (uint8_t)~RECORDER_LATER;
        for (uint32_t i = record->steps[step].first_touch; i < touches_end(record, step); i++) {
            record->touches[i].in_vain = SOLO__DPOR_DONE;
        }
    }
}

/* ---- Turns ---- */

struct turn {
    uint16_t thread;             /* its place */
    uint16_t needs[THREADS_MAX]; /* how many turns of each thread come before it; of its own: all */
    uint64_t number;             /* for what comes before it as the search sees it */
    uint32_t stretch;            /* the first turn after time passed last */
};

static struct turns {
    struct turn list[TURNS_MAX]; /* the first `count` of them */
    uint32_t count, thread_count;
    uint16_t place_of[SOLO_SIM_THREADS_MAX];    /* of a thread, + 1; 0: it has none so far */
    uint32_t turn_of[TURNS_MAX];                /* of a step, + 1; 0: it is none */
    uint16_t counted[THREADS_MAX][TURNS_MAX];   /* of a thread's first n steps so many are turns */
    uint16_t number_of[THREADS_MAX][TURNS_MAX]; /* of a thread's n-th turn */
    uint32_t last[THREADS_MAX];                 /* step of a thread, + 1 */
    uint16_t done[THREADS_MAX];                 /* turns so far */
    uint16_t left[THREADS_MAX];                 /* turns up to where it left its pool */
} turns;

static int place_of(uint16_t thread)
{
    if (turns.place_of[thread] == 0 && turns.thread_count < THREADS_MAX) {
        turns.place_of[thread] = (uint16_t)++turns.thread_count;
    }
    return turns.place_of[thread] - 1;
}

static void need(struct turn *turn, uint32_t place, uint16_t count)
{
    turn->needs[place] = turn->needs[place] < count ? count : turn->needs[place];
}

/* What the search's clock says. */
static void need_clock(const struct solo__dpor_state *record, uint32_t step, struct turn *turn)
{
    const uint32_t *clock = &record->clocks[(size_t)step * record->thread_count];
    for (uint32_t thread = 0; thread < record->thread_count; thread++) {
        if (clock[thread] != 0 && turns.place_of[thread] != 0) {
            uint32_t place = turns.place_of[thread] - 1u;
            uint16_t count = turns.counted[place][clock[thread]];
            need(turn, place, count);
            turn->number += count != 0 ? mix(mix(1, thread), count) : 0;
        }
    }
    turn->number = mix(turn->number, record->steps[step].thread);
}

/* What may be waited for without a word: by a loop that its workers have left, by whoever ends a worker its users. */
static void need_the_unsaid(const struct recorder *recorder, uint32_t step, struct turn *turn)
{
    bool loops = recorder->record->threads[recorder->record->steps[step].thread].loops != 0;
    bool comes_last = (recorder->marks[step] & RECORDER_LAST) != 0;
    for (uint32_t place = 0; place < turns.thread_count; place++) {
        need(turn, place, comes_last ? turns.done[place] : loops ? turns.left[place] : 0);
    }
}

/* Whoever was woken by a step had begun to wait before it. */
static void need_waiting(const struct solo__dpor_state *record, uint32_t step, int place)
{
    uint32_t before = turns.last[place], waker = record->steps[step].after;
    if (before != 0 && waker > before && turns.turn_of[before - 1] != 0 && turns.turn_of[waker - 1] != 0) {
        need(&turns.list[turns.turn_of[waker - 1] - 1], (uint32_t)place, turns.done[place]);
    }
}

static void add_turn(const struct recorder *recorder, uint32_t step, int place, uint32_t stretch)
{
    struct turn *turn = &turns.list[turns.count];
    *turn = (struct turn){.thread = (uint16_t)place, .stretch = stretch};
    need_clock(recorder->record, step, turn);
    need_the_unsaid(recorder, step, turn);
    turn->needs[place] = turns.done[place];
    need_waiting(recorder->record, step, place);
    turns.number_of[place][turns.done[place]++] = (uint16_t)turns.count++;
    turns.turn_of[step] = turns.count;
    if (leaves_pool(recorder->record, step)) {
        turns.left[place] = turns.done[place];
    }
}

/* Main's last turn ends the run: it comes after all others. */
static void end_with_main(const struct recorder *recorder)
{
    uint32_t last = turns.count;
    while (last > 0 && turns.list[last - 1].thread != turns.place_of[0] - 1) {
        last--;
    }
    if (recorder->ending == SOLO_ENDING_RETURNED && last > 0) {
        turns.list[last - 1].stretch = last - 1;
        turns.count = last;
    }
}

/* Lists the turns, with all that are in vain or without. -1: too many threads, or the search's tables were full. */
static int list_turns(struct recorder *recorder, bool with_those_in_vain)
{
    struct solo__dpor_state *record = recorder->record;
    uint32_t stretch = 0;
    take_seriously(recorder, with_those_in_vain);
    solo__dpor_find_races(record);
    memset(&turns.count, 0, sizeof turns - offsetof(struct turns, count));
    for (uint32_t step = 0; step < record->step_count && !record->cut; step++) {
        uint16_t thread = record->steps[step].thread;
        if (thread == SOLO__DPOR_TIME) {
            stretch = turns.count;
            continue;
        }
        int place = place_of(thread);
        if (place < 0) {
            return -1;
        }
        bool counts = with_those_in_vain ? !is_silent(record, step) : !is_in_vain(recorder, step);
        uint16_t *counted = turns.counted[place];
        counted[record->steps[step].number] = (uint16_t)(counted[record->steps[step].number - 1] + counts);
        if (counts) {
            add_turn(recorder, step, place, stretch);
        }
        if (!is_silent(record, step)) {
            turns.last[place] = step + 1;
        }
    }
    return record->cut ? -1 : 0;
}

static uint64_t number_of_class(const struct recorder *recorder)
{
    uint64_t number = turns.count;
    for (uint32_t i = 0; i < turns.count; i++) {
        number += turns.list[i].number;
    }
    for (uint32_t i = 0; i < SOLO_SIM_THREADS_MAX; i++) {
        number = recorder->histories[i] != 0 ? mix(number, mix(recorder->histories[i], i)) : number;
    }
    return number;
}

/* ---- Orders ---- */

struct cut {
    uint16_t done[THREADS_MAX];
    uint64_t hash; /* of them: a sum over the threads */
    double ways;
};

struct layer {
    struct cut cuts[LAYER_MAX];
    uint32_t count, room;      /* for fewer cuts where each costs more */
    uint16_t slots[SLOTS_MAX]; /* the first slot_count, a power of two: cut + 1 */
    uint32_t slot_count;
};

static struct layer layers[2];

static void add_cut(struct layer *layer, const struct cut *from, uint32_t place)
{
    struct cut cut = *from;
    cut.hash += mix(place, ++cut.done[place]);
    uint32_t slot = (uint32_t)cut.hash & (layer->slot_count - 1);
    for (; layer->slots[slot] != 0; slot = (slot + 1) & (layer->slot_count - 1)) {
        struct cut *other = &layer->cuts[layer->slots[slot] - 1];
        if (other->hash == cut.hash && memcmp(other->done, cut.done, sizeof cut.done) == 0) {
            other->ways += cut.ways;
            return;
        }
    }
    if (layer->count < layer->room) {
        layer->cuts[layer->count++] = cut;
        layer->slots[slot] = (uint16_t)layer->count;
    }
}

static int most_ways_first(const void *one, const void *other)
{
    double a = ((const struct cut *)one)->ways, b = ((const struct cut *)other)->ways;
    return a > b ? -1 : a < b;
}

static bool can_follow(const struct cut *cut, const struct turn *turn)
{
    uint32_t place = 0;
    while (place < turns.thread_count && cut->done[place] >= turn->needs[place]) {
        place++;
    }
    return place == turns.thread_count;
}

static void follow(struct layer *from, struct layer *to, const uint16_t *end)
{
    to->count = 0;
    memset(to->slots, 0, to->slot_count * sizeof to->slots[0]);
    if (from->count == from->room) {
        qsort(from->cuts, from->count, sizeof from->cuts[0], most_ways_first);
    }
    for (uint32_t i = 0; i < from->count; i++) {
        const struct cut *cut = &from->cuts[i];
        for (uint32_t place = 0; place < turns.thread_count; place++) {
            uint32_t done = cut->done[place];
            if (done < end[place] && can_follow(cut, &turns.list[turns.number_of[place][done]])) {
                add_cut(to, cut, place);
            }
        }
    }
}

/* The orders of the turns from first to before end, after all those before; `done` counts on. */
static double count_orders_of(uint32_t first, uint32_t end, uint16_t *done)
{
    struct layer *from = &layers[0], *to = &layers[1];
    from->count = 1;
    from->cuts[0].hash = 0;
    from->cuts[0].ways = 1;
    memcpy(from->cuts[0].done, done, sizeof from->cuts[0].done);
    for (uint32_t i = first; i < end; i++) {
        done[turns.list[i].thread]++;
    }
    for (uint32_t i = first; i < end; i++) {
        follow(from, to, done);
        struct layer *followed = from;
        from = to;
        to = followed;
    }
    return from->cuts[0].ways;
}

static void make_room(struct layer *layer)
{
    uint32_t room = WORK_MAX / (turns.thread_count * turns.thread_count + 1);
    layer->room = room < LAYER_MAX ? room : LAYER_MAX;
    layer->slot_count = 1;
    while (layer->slot_count < 4 * layer->room) {
        layer->slot_count *= 2;
    }
}

static double count_orders(void)
{
    uint16_t done[THREADS_MAX] = {0};
    double orders = 1;
    make_room(&layers[0]);
    make_room(&layers[1]);
    for (uint32_t first = 0, end; first < turns.count; first = end) {
        end = first + 1;
        while (end < turns.count && turns.list[end].stretch == turns.list[first].stretch) {
            end++;
        }
        orders *= count_orders_of(first, end, done);
    }
    return orders < MOST ? orders : MOST;
}

int class_number_of(struct recorder *recorder, uint64_t *ret_number)
{
    if (recorder->record->step_count >= TURNS_MAX || list_turns(recorder, false) < 0) {
        return -1;
    }
    *ret_number = number_of_class(recorder);
    return 0;
}

int class_size_of(struct recorder *recorder, struct class_size *ret_size)
{
    struct class_size size;
    if (class_number_of(recorder, &size.number) < 0) {
        return -1;
    }
    uint32_t without = turns.count;
    end_with_main(recorder);
    size.alike = count_orders();
    if (list_turns(recorder, true) < 0) {
        return -1;
    }
    if (turns.count != without) {
        end_with_main(recorder);
        size.alike += count_orders();
    }
    *ret_size = size;
    return 0;
}
