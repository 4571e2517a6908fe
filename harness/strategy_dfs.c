/*
 * strategy_dfs.c - tries every schedule, depth first, up to a bound on delays, or on preemptions.
 *
 * A delay passes over one option of the plain order (Emmi, Qadeer, Rakamaric, POPL 2011): taking option k costs k,
 * except that letting time pass and a fault cost 1. The cost of a schedule is the sum. With a bound c the search goes
 * in rounds 0, 1, ... c; round r runs the schedules that cost exactly r, so the simplest failing schedule is met first.
 * About k^c / c! schedules of k choices are tried, whatever the number of threads.
 *
 * In a round the budget is spent as early as possible and given back on the way: then only schedules that end before
 * they could spend it were seen in an earlier round (solo__dfs_is_repeat). Without a bound the order is plain depth
 * first.
 *
 * Bounded by preemptions (Musuvathi, Qadeer, PLDI 2007) it is the same search with other costs: to take the turn from a
 * thread that could go on costs 1, and so does every other answer than the plain one; but who runs next where a thread
 * has blocked, ended or yielded costs nothing.
 *
 * A search can be cut into parts (division.h): stretches of one round in the order in which it tries its paths, from
 * where one path begins up to where another does. A part whose schedule turns out to lie behind its end gives it up
 * uncounted: the next part has it.
 *
 * The path survives the schedule. Invariant: path[0 .. depth) are the answers of the schedule that ran last, `spent` is
 * their cost, and every schedule that lies before it in the order of the round has been run.
 */
#include "strategy.h"

static bool is_bounded(const struct solo__dfs_state *state)
{
    return state->delay_bound != SOLO_DELAY_UNBOUNDED;
}

uint32_t solo__dfs_cost(const struct solo__dfs_state *state, const struct solo__dfs_entry *entry, unsigned option)
{
    bool is_time = entry->last_is_time && option == entry->count - 1u;
    if (option == 0) {
        return 0;
    }
    if (state->preemptions) {
        return is_time || !entry->gave_way;
    }
    return is_time || entry->kind == SOLO_CHOICE_FAULT ? 1 : option;
}

/* Sets the entry to the dearest option at or below `from` that the round can still pay for. */
static void take_at_most(struct solo__dfs_state *state, struct solo__dfs_entry *entry, unsigned from)
{
    while (solo__dfs_cost(state, entry, from) > state->round - state->spent) {
        state->refused = 1;
        from--;
    }
    entry->chosen = (uint16_t)from;
    state->spent += solo__dfs_cost(state, entry, from);
}

/* Moves to the next path of the round; false when there is none left. */
static bool backtrack_bounded(struct solo__dfs_state *state)
{
    while (state->depth > 0) {
        struct solo__dfs_entry *entry = &state->path[state->depth - 1];
        state->spent -= solo__dfs_cost(state, entry, entry->chosen);
        if (entry->chosen > 0) {
            take_at_most(state, entry, entry->chosen - 1u);
            return true;
        }
        state->depth--;
    }
    return false;
}

static bool backtrack_unbounded(struct solo__dfs_state *state)
{
    for (; state->depth > 0; state->depth--) {
        struct solo__dfs_entry *entry = &state->path[state->depth - 1];
        if (entry->chosen + 1 < entry->count) {
            entry->chosen++;
            return true;
        }
    }
    return false;
}

/* ---- Parts ---- */

/* Whether `option` comes after the end's in the order of the search: dear ones come first where there is a bound. */
static bool is_after(const struct solo__dfs_state *state, uint32_t option, uint32_t end)
{
    return is_bounded(state) ? option < end : option > end;
}

/* The last entry of the path is new: where does it lie, if all before it were those of the part's end? */
static void compare_with_end(struct solo__dfs_state *state)
{
    uint32_t last = state->depth - 1;
    uint32_t chosen = state->path[last].chosen;
    if (!state->along_end) {
        return;
    }
    state->along_end = chosen == state->end[last].chosen;
    state->behind_end = is_after(state, chosen, state->end[last].chosen);
    if (state->along_end && state->depth == state->end_depth) {
        state->along_end = 0;
        state->behind_end = 1;
    }
}

/* Whether the path, which is the beginning of the end's, will go on as that does, or behind it: it is known how. */
static bool goes_on_to_end(struct solo__dfs_state *state)
{
    uint64_t spent = state->spent;
    bool at_end = true;
    for (uint32_t i = state->depth; i < state->end_depth; i++) {
        struct solo__dfs_entry entry = state->end[i];
        if (is_bounded(state)) {
            take_at_most(state, &entry, entry.count - 1u);
        } else {
            entry.chosen = 0;
        }
        if (entry.chosen != state->end[i].chosen) {
            at_end = is_after(state, entry.chosen, state->end[i].chosen);
            break;
        }
    }
    state->spent = spent;
    return at_end;
}

/* Whether the path lies at or behind the end of the part. */
static bool is_at_end(struct solo__dfs_state *state)
{
    uint32_t i = 0;
    state->along_end = state->behind_end = 0;
    if (!state->has_end) {
        return false;
    }
    while (i < state->depth && i < state->end_depth && state->path[i].chosen == state->end[i].chosen) {
        i++;
    }
    if (i == state->end_depth) {
        return true;
    }
    state->along_end = i == state->depth;
    return state->along_end ? goes_on_to_end(state) : is_after(state, state->path[i].chosen, state->end[i].chosen);
}

void solo__dfs_begin_part(struct solo__dfs_state *state, const struct solo__dfs_path *first,
                          const struct solo__dfs_path *end, uint32_t round)
{
    state->is_part = 1;
    state->round = round;
    for (uint32_t i = 0; i < first->length; i++) {
        struct solo__dfs_entry *entry = &state->path[state->depth++];
        unsigned chosen = solo__dfs_path_at(first, i);
        *entry = first->entries[i];
        entry->chosen = (uint16_t)chosen;
        if (is_bounded(state)) {
            take_at_most(state, entry, chosen);
        }
        if (entry->chosen != chosen) {
            break; /* too dear for this round, which goes on with what comes after it */
        }
    }
    state->has_end = end != NULL;
    state->end_depth = end != NULL ? end->length : 0;
    for (uint32_t i = 0; i < state->end_depth; i++) {
        state->end[i] = end->entries[i];
        state->end[i].chosen = (uint16_t)solo__dfs_path_at(end, i);
    }
}

static bool advance_in_part(struct solo__dfs_state *state)
{
    bool another = is_bounded(state) ? backtrack_bounded(state) : backtrack_unbounded(state);
    return another && !state->behind_end && !is_at_end(state);
}

/* ---- The search ---- */

/* The next path, in this round or the next one; false when the search is over. */
static bool advance(struct solo__dfs_state *state)
{
    if (state->is_part) {
        return advance_in_part(state);
    }
    if (!is_bounded(state)) {
        state->complete = 1;
        return backtrack_unbounded(state);
    }
    if (backtrack_bounded(state)) {
        return true;
    }
    if (!state->refused) {
        state->complete = 1;
        return false;
    }
    if (state->round == state->delay_bound) {
        return false;
    }
    state->round++;
    state->refused = 0;
    return true;
}

static int begin(void *state, uint64_t seed)
{
    struct solo__dfs_state *dfs = state;
    (void)seed;
    if (dfs->finished || dfs->diverged_at != 0) {
        return 1;
    }
    if (dfs->begun ? !advance(dfs) : is_at_end(dfs)) {
        dfs->finished = 1;
        return 1;
    }
    dfs->begun = 1;
    dfs->position = 0;
    return 0;
}

static bool is_same(const struct solo__dfs_entry *entry, const struct solo_choice *choice)
{
    return entry->count == choice->count && entry->check == choice->check && entry->kind == choice->kind;
}

/* The thread that asks cannot go on, or said that it need not. */
static uint8_t gave_way(const struct solo_choice *choice)
{
    const struct solo_option *plain = choice->options[0];
    return choice->kind == SOLO_CHOICE_THREAD &&
           (plain->thread != choice->thread || plain->operation == SOLO_PROBE_YIELD);
}

static size_t extend(struct solo__dfs_state *state, const struct solo_choice *choice)
{
    if (state->depth == SOLO__DFS_DEPTH_MAX || choice->count > UINT16_MAX) {
        state->cut = 1;
        return 0;
    }
    struct solo__dfs_entry *entry = &state->path[state->depth++];
    *entry = (struct solo__dfs_entry){0,
                                      (uint16_t)choice->count,
                                      choice->check,
                                      (uint8_t)choice->kind,
                                      choice->options[choice->count - 1]->tag == SOLO_TAG_TIME,
                                      gave_way(choice)};
    state->position++;
    if (is_bounded(state) && !state->plainly) {
        take_at_most(state, entry, (unsigned)choice->count - 1);
    }
    compare_with_end(state);
    return entry->chosen;
}

static size_t choose(void *state, const struct solo_choice *choice)
{
    struct solo__dfs_state *dfs = state;
    if (dfs->position == dfs->depth) {
        return extend(dfs, choice);
    }
    const struct solo__dfs_entry *entry = &dfs->path[dfs->position];
    if (!is_same(entry, choice)) {
        dfs->diverged_at = dfs->position + 1;
        return choice->count;
    }
    dfs->position++;
    return entry->chosen;
}

/* A schedule that ended before the end of its path was not the same as before: the tree has no such branch. */
static void end(void *state, int ending)
{
    struct solo__dfs_state *dfs = state;
    (void)ending;
    if (dfs->position < dfs->depth && dfs->diverged_at == 0) {
        dfs->diverged_at = dfs->position + 1;
    }
}

const struct solo_strategy solo__strategy_dfs = {.name = "dfs", .begin = begin, .choose = choose, .end = end};
const struct solo_strategy solo__strategy_preempt = {.name = "preempt", .begin = begin, .choose = choose, .end = end};
