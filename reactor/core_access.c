/*
 * core_access.c - words of memory as objects of a run.
 *
 * A word gets the next number when it is first touched, so its name is the same whenever the schedule is, wherever the
 * program was loaded. The numbers are kept by address in a table of open addressing in the run's arena, which begins
 * empty, doubles before it is three quarters full, and is gone with the run.
 */
#include "core_private.h"
#include <string.h>

enum { WORDS_FIRST = 64 };

struct core_word {
    uintptr_t word; /* address / 8; 0: free */
    uint32_t object;
};

static struct core_word *find(const struct core_words *words, uintptr_t word)
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
static uint32_t object_of(struct core *core, uintptr_t word)
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

void core_access(struct core *core, enum solo_probe_kind kind, enum solo_access access, uintptr_t address,
                 uint32_t size)
{
    struct core_thread *current = core->current;
    current->pending->address = address;
    current->pending->size = size;
    core_announce(core, kind, access, object_of(core, address / 8), 0);
    current->pending->address = 0;
    current->pending->size = 0;
}
