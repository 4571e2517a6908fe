/*
 * test_timer_queue.c - the order of timers: against a simple model, far and near, few and very many, moved and taken
 * out. What programs see of it is tested in test_delayed_call.c.
 */
#include "runner.h"
#include "timer_queue.h"
#include <solo/world.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define MS UINT64_C(1000000)
#define HOUR (3600 * 1000 * MS)

#if defined(SOLO_TSAN) || defined(SOLO_ASAN) || defined(SOLO_VALGRIND)
enum { MANY = 3000, ROUNDS = 300 };
#else
enum { MANY = 20000, ROUNDS = 3000 };
#endif

static struct solo__timer_queue queue;
static uint64_t now, dice;

/* The model: by slot. */
static struct {
    uint64_t due, sequence;
    bool set;
} model[MANY];
static uint64_t model_sequence;
static uint32_t model_set;

static uint64_t draw(uint64_t below)
{
    dice = dice * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (dice >> 16) % below;
}

static void begin(uint32_t slots)
{
    memset(&queue, 0, sizeof queue);
    memset(model, 0, sizeof model);
    model_sequence = model_set = 0;
    now = 5 * HOUR + draw(HOUR);
    while (queue.capacity < slots) {
        uint32_t first = queue.capacity;
        CU_ASSERT_EQUAL_FATAL(solo__timer_queue_grow(&queue, solo_world_os(), now), 0);
        CU_ASSERT_EQUAL(queue.capacity, solo__timer_queue_capacity(&queue, 0));
        for (uint32_t slot = first; slot < queue.capacity; slot++) {
            solo__timer_of(&queue, slot)->place = SOLO__TIMER_NOT_SET;
        }
    }
}

static void set(uint32_t slot, uint64_t due)
{
    solo__timer_queue_add(&queue, slot, solo__timer_of(&queue, slot), due, now);
    model[slot].due = due;
    model[slot].sequence = model_sequence++;
    model[slot].set = true;
    model_set++;
}

static void take_out(uint32_t slot)
{
    solo__timer_queue_remove(&queue, solo__timer_of(&queue, slot));
    model[slot].set = false;
    model_set--;
}

/* Takes what is due and compares each with what came before. Returns how many there were. */
static uint32_t take(void)
{
    uint64_t last_due = 0, last_sequence = 0;
    uint32_t slot, count = 0;
    bool right = true;
    solo__timer_queue_take(&queue, now);
    while (solo__timer_queue_pop(&queue, &slot) != NULL) {
        right &= model[slot].set && model[slot].due <= now;
        right &= model[slot].due > last_due || (model[slot].due == last_due && model[slot].sequence >= last_sequence);
        last_due = model[slot].due;
        last_sequence = model[slot].sequence;
        model[slot].set = false;
        model_set--;
        count++;
    }
    CU_ASSERT_TRUE(right);
    CU_ASSERT_EQUAL(solo__timer_queue_count(&queue), model_set);
    return count;
}

static uint64_t model_next(uint32_t slots)
{
    uint64_t next = SOLO_NEVER;
    for (uint32_t slot = 0; slot < slots; slot++) {
        next = model[slot].set && model[slot].due < next ? model[slot].due : next;
    }
    return next;
}

static void finish(uint32_t slots)
{
    now = SOLO_NEVER;
    (void)take();
    CU_ASSERT_EQUAL(model_next(slots), SOLO_NEVER);
    CU_ASSERT_EQUAL(solo__timer_queue_next(&queue), SOLO_NEVER);
    solo__timer_queue_end(&queue, solo_world_os());
}

/* A delay of any magnitude: from nothing to centuries. */
static uint64_t any_delay(void)
{
    return draw(4) == 0 ? draw(3) : draw(UINT64_C(1) << (10 + draw(53)));
}

/* ---- */

static void run_model(uint32_t slots, uint64_t step_max)
{
    begin(slots);
    for (unsigned round = 0; round < ROUNDS; round++) {
        for (unsigned i = 0; i < 20; i++) {
            uint32_t slot = (uint32_t)draw(slots);
            if (!model[slot].set) {
                set(slot, now + any_delay() % (4 * step_max));
            } else if (draw(2) == 0) {
                take_out(slot);
            } else {
                take_out(slot);
                set(slot, now + any_delay() % (4 * step_max));
            }
        }
        uint64_t next = solo__timer_queue_next(&queue), right = model_next(slots);
        CU_ASSERT_TRUE(next <= right);
        now = draw(3) == 0 ? (right != SOLO_NEVER && right > now ? right : now) : now + draw(step_max);
        (void)take();
        CU_ASSERT_TRUE(model_next(slots) > now);
    }
    finish(slots);
}

static void test_timer_queue__agrees_with_a_model_while_timers_are_few(void)
{
    dice = runner_seed();
    run_model(15, 100 * MS);
}

static void test_timer_queue__agrees_with_a_model_with_a_wheel(void)
{
    dice = runner_seed();
    run_model(2000, 100 * MS);
}

static void test_timer_queue__agrees_with_a_model_over_centuries(void)
{
    dice = runner_seed();
    run_model(2000, UINT64_C(1) << 52);
}

static void test_timer_queue__agrees_with_a_model_within_one_tick(void)
{
    dice = runner_seed();
    run_model(2000, 300);
}

/* ---- */

static void test_timer_queue__equal_times_come_in_order_of_setting_wherever_they_waited(void)
{
    begin(2000);
    uint64_t due = now + 10 * HOUR;
    for (uint32_t slot = 0; slot < 2000; slot++) {
        set(slot, due);
        if (slot % 100 == 99) { /* the later ones are set from nearer and nearer */
            now += (due - now) / 2;
            CU_ASSERT_EQUAL(take(), 0);
        }
    }
    now = due;
    CU_ASSERT_EQUAL(take(), 2000); /* which compares the order */
    finish(2000);
}

static void test_timer_queue__the_next_time_is_exact_after_the_soonest_was_taken_out(void)
{
    begin(2000);
    for (uint32_t slot = 0; slot < 30; slot++) {
        set(slot, now + HOUR + slot * MS);
    }
    for (uint32_t slot = 0; slot < 29; slot++) {
        CU_ASSERT_EQUAL(solo__timer_queue_next(&queue), model[slot].due);
        take_out(slot);
    }
    CU_ASSERT_EQUAL(solo__timer_queue_next(&queue), model[29].due);
    finish(2000);
}

static void test_timer_queue__looks_in_vain_once_at_most_for_very_many_that_left(void)
{
    begin(MANY);
    for (uint32_t slot = 0; slot < MANY; slot++) {
        set(slot, now + 20 * HOUR + slot);
    }
    for (uint32_t slot = 0; slot < MANY - 1; slot++) {
        take_out(slot);
    }
    unsigned vain = 0;
    while (model_set > 0) {
        uint64_t next = solo__timer_queue_next(&queue);
        CU_ASSERT_TRUE_FATAL(next <= model[MANY - 1].due && vain < 3);
        now = next;
        vain += take() == 0;
    }
    CU_ASSERT_TRUE(vain <= 1);
    finish(MANY);
}

static void test_timer_queue__moving_over_and_over_needs_no_memory(void)
{
    begin(2000);
    for (uint32_t slot = 0; slot < 1500; slot++) {
        set(slot, now + 60000 * MS);
    }
    for (unsigned i = 0; i < 50 * 1500; i++) { /* each time a mark stays behind; they are swept out in time */
        uint32_t slot = i % 1500;
        take_out(slot);
        set(slot, now + 60000 * MS + i);
    }
    now += 70000 * MS;
    CU_ASSERT_EQUAL(take(), 1500);
    finish(2000);
}

static void test_timer_queue__one_tick_may_hold_more_than_is_sorted_at_once(void)
{
    begin(MANY);
    uint64_t due = now + HOUR;
    for (uint32_t slot = 0; slot < MANY; slot++) {
        set(slot, due + draw(1000));
    }
    now = due + 500;
    uint32_t first = take();
    CU_ASSERT_TRUE(first > 0 && first < MANY);
    now = due + 1000;
    CU_ASSERT_EQUAL(first + take(), MANY);
    finish(MANY);
}

static void test_timer_queue__what_the_batch_holds_can_be_taken_out_or_moved(void)
{
    begin(2000);
    for (uint32_t slot = 0; slot < 2000; slot++) {
        set(slot, now + HOUR + slot % 7);
    }
    now += 2 * HOUR;
    solo__timer_queue_take(&queue, now);
    CU_ASSERT_EQUAL(solo__timer_queue_count(&queue), 2000);
    for (uint32_t slot = 0; slot < 2000; slot += 2) {
        take_out(slot);
        if (slot % 4 == 0) {
            set(slot, now + MS);
        }
    }
    uint32_t slot, count = 0;
    while (solo__timer_queue_pop(&queue, &slot) != NULL) {
        CU_ASSERT_EQUAL(slot % 2, 1);
        model[slot].set = false;
        model_set--;
        count++;
    }
    CU_ASSERT_EQUAL(count, 1000);
    CU_ASSERT_EQUAL(solo__timer_queue_count(&queue), 500);
    now += MS;
    CU_ASSERT_EQUAL(take(), 500);
    finish(2000);
}

static uint32_t listed;
static uint64_t listed_due;

static void list_one(uint32_t slot, void *arg)
{
    CU_ASSERT_TRUE(model[slot].set && model[slot].due >= listed_due);
    listed_due = model[slot].due;
    listed++;
    (void)arg;
}

static void test_timer_queue__the_list_is_in_order_and_changes_nothing(void)
{
    begin(2000);
    for (uint32_t slot = 0; slot < 1800; slot++) {
        set(slot, now + any_delay() % HOUR);
    }
    for (size_t count = 1; count <= 2000; count += 333) {
        listed = 0;
        listed_due = 0;
        solo__timer_queue_list(&queue, count, list_one, NULL);
        CU_ASSERT_EQUAL(listed, count < 1800 ? count : 1800);
        CU_ASSERT_EQUAL(solo__timer_queue_next(&queue), model_next(2000));
    }
    now += HOUR;
    CU_ASSERT_EQUAL(take(), 1800);
    finish(2000);
}

static void test_timer_queue__there_is_time_until_the_very_end(void)
{
    begin(2000);
    for (uint32_t slot = 0; slot < 1000; slot++) {
        set(slot, SOLO_NEVER - slot);
    }
    set(1000, now + MS);
    now += MS;
    CU_ASSERT_EQUAL(take(), 1);
    CU_ASSERT_EQUAL(solo__timer_queue_next(&queue), SOLO_NEVER - 999);
    now = SOLO_NEVER - 500;
    CU_ASSERT_EQUAL(take(), 500);
    set(1001, SOLO_NEVER);
    now = SOLO_NEVER - 1;
    CU_ASSERT_EQUAL(take(), 499);
    CU_ASSERT_EQUAL(solo__timer_queue_next(&queue), SOLO_NEVER);
    finish(2000);
}

/*
 * Every other timer is moved once, within reach of the lowest level, and all become due in one pass: there are more
 * marks then than slots, and the batch has room for slots.
 */
static void test_timer_queue__marks_of_timers_that_moved_take_no_room_in_the_batch(void)
{
    enum { TICKS = 24 };
    begin(1);
    while (queue.wheel == NULL) {
        solo__timer_queue_end(&queue, solo_world_os());
        begin(queue.capacity + 1);
    }
    uint32_t slots = queue.capacity, each = slots / TICKS;
    for (uint32_t slot = 0; slot < slots; slot++) {
        set(slot, now + (2 + slot / each) * MS);
    }
    for (uint32_t slot = 1; slot < slots; slot += 2) {
        take_out(slot);
        set(slot, now + (4 + TICKS + slot / each) * MS);
    }
    now += 64 * MS;
    CU_ASSERT_EQUAL(take(), slots);
    finish(slots);
}

void suite_timer_queue(void);
void suite_timer_queue(void)
{
    SOLO_SUITE("timer_queue");
    SOLO_TEST(test_timer_queue__agrees_with_a_model_while_timers_are_few);
    SOLO_TEST(test_timer_queue__agrees_with_a_model_with_a_wheel);
    SOLO_TEST(test_timer_queue__agrees_with_a_model_over_centuries);
    SOLO_TEST(test_timer_queue__agrees_with_a_model_within_one_tick);
    SOLO_TEST(test_timer_queue__equal_times_come_in_order_of_setting_wherever_they_waited);
    SOLO_TEST(test_timer_queue__the_next_time_is_exact_after_the_soonest_was_taken_out);
    SOLO_TEST(test_timer_queue__looks_in_vain_once_at_most_for_very_many_that_left);
    SOLO_TEST(test_timer_queue__moving_over_and_over_needs_no_memory);
    SOLO_TEST(test_timer_queue__one_tick_may_hold_more_than_is_sorted_at_once);
    SOLO_TEST(test_timer_queue__what_the_batch_holds_can_be_taken_out_or_moved);
    SOLO_TEST(test_timer_queue__marks_of_timers_that_moved_take_no_room_in_the_batch);
    SOLO_TEST(test_timer_queue__the_list_is_in_order_and_changes_nothing);
    SOLO_TEST(test_timer_queue__there_is_time_until_the_very_end);
}
