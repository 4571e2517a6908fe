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

/* A table for a run that has touched nothing. It is full. */
static struct core_word nothing;

void core_forget_words(struct core *core)
{
    core->words = (struct core_words){&nothing, 0, 0};
}

/* Where the word is, or would be. */
static inline struct core_word *find(const struct core_words *words, uintptr_t word)
{
    size_t slot = (size_t)(word * UINT64_C(0x9e3779b97f4a7c15) >> 32) & words->mask;
    while (words->table[slot].word != word && words->table[slot].word != 0) {
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
    for (size_t i = 0; i <= words->mask; i++) {
        if (words->table[i].word != 0) {
            *find(&larger, words->table[i].word) = words->table[i];
        }
    }
    *words = larger;
    return true;
}

/* The word is touched for the first time. Its id; 0, which depends on nothing, if there is no memory to remember it. */
static __attribute__((noinline)) uint32_t name_word(struct core *core, uintptr_t word)
{
    struct core_words *words = &core->words;
    size_t slots = words->mask + 1;
    if (words->count >= slots / 4 * 3 && !grow(core, slots < WORDS_FIRST ? WORDS_FIRST : slots * 2)) {
        return 0;
    }
    struct core_word *entry = find(words, word);
    *entry = (struct core_word){word, solo__object_next_id(core_world(core), SOLO__MEMORY)};
    words->count++;
    return entry->object;
}

/* What the strategy's pass says about the word, 0 if the strategy is to be asked: choice.h. */
static inline unsigned take_pass(struct core *core, const struct core_thread *current, uint32_t object)
{
    struct solo_pass *pass = core->pass;
    uint32_t number = solo__object_number(object), choices = core->ready_count > 1;
    if (pass->left < choices || number >= SOLO_PASS_WORDS || (core->timed_count != 0 && core->let_time_pass)) {
        return 0;
    }
    unsigned word = pass->word[number];
    if (word != current->index + 1u && word < SOLO_PASS_ANYONE_TELLS) {
        return 0;
    }
    pass->left -= choices;
    pass->used += choices;
    return word;
}

/* The current thread asks who goes first, it or another. */
static __attribute__((noinline)) void ask_and_access(struct core *core, enum solo_probe_kind kind,
                                                     enum solo_access access, uint32_t object, uintptr_t address,
                                                     uint32_t size)
{
    struct core_thread *current = core->current;
    if (!core->closing) {
        struct solo_option *pending = current->pending;
        pending->operation = (uint8_t)kind;
        pending->access = (uint8_t)access;
        pending->object = object;
        pending->contract = 0;
        pending->address = address;
        pending->size = size;
        reschedule(core, current);
    }
    record(core, current->index, kind, access, object, 0);
}

/* The current thread goes on, and somebody hears of it. */
static __attribute__((noinline)) void pass_and_tell(struct core *core, enum solo_probe_kind kind,
                                                    enum solo_access access, uint32_t object, bool tells)
{
    if (core->ready_count > 1) {
        uint16_t check = check_of(core->log, core->ready_count);
        record_answer(core, SOLO_CHOICE_THREAD, core->ready_count, check, 0, false);
    }
    unsigned thread = core->current->index;
    core->log->trace_hash = mix(core->log->trace_hash, core, thread, kind, object, 0);
    core->log->events_count++;
    tell(core, thread, kind, access, object, 0, tells);
}

static __attribute__((noinline)) void access_new_word(struct core *core, enum solo_probe_kind kind,
                                                      enum solo_access access, uintptr_t address, uint32_t size)
{
    if (name_word(core, address / 8) != 0) {
        core_access(core, kind, access, address, size);
    } else {
        ask_and_access(core, kind, access, 0, address, size);
    }
}

/* Most accesses are of the last kind, which calls nothing. */
void core_access(struct core *core, enum solo_probe_kind kind, enum solo_access access, uintptr_t address,
                 uint32_t size)
{
    const struct core_word *entry = find(&core->words, address / 8);
    if (__builtin_expect(entry->word != address / 8, 0)) {
        access_new_word(core, kind, access, address, size);
        return;
    }
    uint32_t object = entry->object;
    unsigned pass = take_pass(core, core->current, object);
    if (pass == 0) {
        ask_and_access(core, kind, access, object, address, size);
        return;
    }
    struct solo_sim_log *log = core->log;
    if (pass == SOLO_PASS_ANYONE_TELLS || is_noted(core, log->events_count + 2)) {
        pass_and_tell(core, kind, access, object, pass == SOLO_PASS_ANYONE_TELLS);
        return;
    }
    bool chooses = core->ready_count > 1;
    if (chooses) {
        write_answer(log, SOLO_CHOICE_THREAD, core->ready_count, check_of(log, core->ready_count), 0);
    }
    log->events_count += chooses + 1u;
    log->trace_hash = mix(log->trace_hash, core, core->current->index, kind, object, 0);
}
