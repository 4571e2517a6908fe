/*
 * core_access.c - words of memory as objects of a run.
 *
 * A word gets the next number when it is first touched, so its name is the same whenever the schedule is, wherever the
 * program was loaded. The numbers are kept by address in a table of open addressing in the run's arena, which begins
 * empty, doubles before it is three quarters full, and is gone with the run.
 */
#include "core_point.h"
#include <string.h>

enum { WORDS_FIRST = 64 };

struct core_word {
    uintptr_t word; /* address / 8; 0: free */
    uint32_t object;
};

static inline struct core_word *find(const struct core_words *words, uintptr_t word)
{
    size_t slot = (size_t)(word * UINT64_C(0x9e3779b97f4a7c15) >> 32) & words->mask;
    while (words->table[slot].word != 0 && words->table[slot].word != word) {
        slot = (slot + 1) & words->mask;
    }
    return &words->table[slot];
}

/* A table of `slots` with what the present one holds. False: no memory is left, and the present one stays. */
static bool grow(struct core *core, size_t slots)
{
    struct core_words *words = &core->words;
    struct core_words larger = {core_allocate(core, slots * sizeof *larger.table), slots - 1, words->count};
    if (larger.table == NULL) {
        return false;
    }
    memset(larger.table, 0, slots * sizeof *larger.table);
    for (size_t i = 0; words->table != NULL && i <= words->mask; i++) {
        if (words->table[i].word != 0) {
            *find(&larger, words->table[i].word) = words->table[i];
        }
    }
    *words = larger;
    return true;
}

/* The object id of the word; 0, which depends on nothing, where there is no memory to remember it. */
static inline uint32_t object_of(struct core *core, uintptr_t word)
{
    struct core_words *words = &core->words;
    if (words->table == NULL && !grow(core, WORDS_FIRST)) {
        return 0;
    }
    struct core_word *entry = find(words, word);
    if (entry->word == word) {
        return entry->object;
    }
    if (words->count >= words->mask / 4 * 3) {
        if (!grow(core, (words->mask + 1) * 2)) {
            return 0;
        }
        entry = find(words, word);
    }
    *entry = (struct core_word){word, solo__object_next_id(core_world(core), SOLO__MEMORY)};
    words->count++;
    return entry->object;
}

/* What the strategy's pass says about the word, 0 if the strategy is to be asked: choice.h. */
static inline unsigned take_pass(struct core *core, const struct core_thread *current, uint32_t object)
{
    struct solo_pass *pass = core->pass;
    uint32_t number = solo__object_number(object);
    if (pass->left == 0 || number >= SOLO_PASS_WORDS || (core->timed_count != 0 && core->let_time_pass)) {
        return 0;
    }
    unsigned word = pass->word[number];
    if (word != current->index + 1u && word < SOLO_PASS_ANYONE_TELLS) {
        return 0;
    }
    uint32_t choices = core->ready_count > 1;
    pass->left -= choices;
    pass->used += choices;
    return word;
}

void core_access(struct core *core, enum solo_probe_kind kind, enum solo_access access, uintptr_t address,
                 uint32_t size)
{
    struct core_thread *current = core->current;
    uint32_t object = object_of(core, address / 8);
    unsigned pass = take_pass(core, current, object);
    if (!core->closing) {
        struct solo_option *pending = current->pending;
        pending->operation = (uint8_t)kind;
        pending->access = (uint8_t)access;
        pending->object = object;
        pending->contract = 0;
        pending->address = address;
        pending->size = size;
        reschedule(core, current, pass != 0);
    }
    record(core, current->index, kind, access, object, 0, pass == 0 || pass == SOLO_PASS_ANYONE_TELLS);
}
