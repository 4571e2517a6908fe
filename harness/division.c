/*
 * division.c - what is the same for both ways to divide a search: scouts, whose part is whose, and beginning with one.
 */
#include "division.h"
#include "hash.h"
#include "ledger.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* ---- Scouts ---- */

int solo__scouting_run(struct solo__scouting *scouting, uint64_t schedules)
{
    struct solo__region *region = scouting->scout.region;
    region->request = scouting->whole->region->request;
    region->request.schedules_max = schedules;
    region->request.distinct_max = 0;
    region->request.stop_at_first = 0;
    region->request.twin_every = 0;
    region->request.comes_in_pieces = 1;
    region->outcome.number = 0;
    solo__region_clear_ledger(region, 1);
    int result = scouting->scout.explore(&scouting->scout);
    const struct solo__ledger *ledger = &scouting->whole->region->ledger;
    scouting->ended =
        scouting->ended || region->ledger.killed != 0 || __atomic_load_n(&ledger->asked_to_stop, __ATOMIC_RELAXED) != 0;
    return result;
}

int solo__scouting_reserve(struct solo__scouting *scouting, uint32_t count)
{
    scouting->division->parts = calloc(count + (size_t)1, sizeof *scouting->division->parts);
    return scouting->division->parts != NULL ? 0 : -ENOMEM;
}

/* ---- The division ---- */

static uint64_t hash_path(uint64_t hash, const struct solo__part *part)
{
    for (uint32_t i = 0; i < part->first.length; i++) {
        const struct solo__dfs_entry *entry = &part->first.entries[i];
        uint32_t answer[3] = {solo__dfs_path_at(&part->first, i), entry->count, entry->check};
        hash = solo__hash(hash, answer, sizeof answer);
    }
    for (uint32_t i = 0; i < part->below.length; i++) {
        const struct solo__dpor_node *node = &part->below.nodes[i];
        uint32_t answer[3] = {node->chosen, node->count, node->check};
        hash = solo__hash(hash, answer, sizeof answer);
    }
    uint32_t lengths[2] = {part->first.length, part->below.length};
    return solo__hash(hash, lengths, sizeof lengths);
}

static uint32_t parts_wanted(uint32_t shards)
{
    uint32_t wanted = shards * SOLO__PARTS_A_SHARD;
    uint32_t most = 2 * shards > SOLO__PARTS_MAX ? 2 * shards : SOLO__PARTS_MAX;
    return wanted < SOLO__PARTS_MIN ? SOLO__PARTS_MIN : wanted > most ? most : wanted;
}

int solo__division_make(const struct solo__subject *subject, struct solo__division *division)
{
    memset(division, 0, sizeof *division);
    division->reduced = strcmp(subject->region->request.strategy, solo__strategy_dpor.name) == 0;
    division->shards = subject->shards != 0 ? subject->shards : 1;
    division->shard = subject->shard != 0 ? subject->shard - 1 : 0;
    struct solo__scouting scouting = {.whole = subject, .division = division, .wanted = parts_wanted(division->shards)};
    int result = solo__subject_copy(&scouting.scout, subject);
    if (result < 0) {
        return result;
    }
    result = division->reduced ? solo__division_of_orders(&scouting) : solo__division_of_paths(&scouting);
    solo__subject_finish(&scouting.scout);
    division->hash = SOLO__HASH_START;
    for (uint32_t i = 0; i < division->count; i++) {
        division->hash = hash_path(division->hash, &division->parts[i]);
    }
    return result;
}

void solo__division_finish(struct solo__division *division)
{
    for (uint32_t i = 0; i < division->count; i++) {
        free(division->parts[i].below.nodes);
        free(division->parts[i].below.options);
    }
    for (uint32_t i = 0; i < division->seen_count; i++) {
        free(division->seen[i]);
    }
    free(division->seen);
    free(division->parts);
    free(division->words);
    memset(division, 0, sizeof *division);
}

uint64_t solo__division_own(const struct solo__division *division)
{
    uint32_t before = division->shard;
    return division->count > before ? (division->count - before - 1) / division->shards + 1 : 0;
}

void solo__division_begin(const struct solo__division *division, struct solo__region *region, uint64_t index,
                          uint32_t round)
{
    const struct solo__request *request = &region->request;
    uint64_t number = division->shard + index * division->shards;
    const struct solo__part *part = &division->parts[number];
    (void)solo_strategy_prepare(solo_strategy_find(request->strategy, NULL), &region->strategy,
                                request->strategy_argument);
    if (division->reduced) {
        struct solo__dpor_state *state = &region->strategy.dpor;
        memcpy(state->words, division->words, division->word_count * sizeof state->words[0]);
        state->word_count = division->word_count;
        solo__dpor_begin_part(state, &part->below);
    } else {
        bool is_last = number + 1 == division->count;
        solo__dfs_begin_part(&region->strategy.dfs, &part->first, is_last ? NULL : &part[1].first, round);
    }
}

/* ---- Copies ---- */

static void copy_dfs(struct solo__dfs_state *to, const struct solo__dfs_state *from)
{
    memcpy(to, from, offsetof(struct solo__dfs_state, path));
    memcpy(to->path, from->path, from->depth * sizeof from->path[0]);
    memcpy(to->end, from->end, from->end_depth * sizeof from->end[0]);
}

static void copy_dpor(struct solo__dpor_state *to, const struct solo__dpor_state *from)
{
    const struct solo__dpor_node *last = from->depth != 0 ? &from->nodes[from->depth - 1] : NULL;
    uint32_t options = last != NULL ? last->first_option + last->count : 0;
    memcpy(to, from, offsetof(struct solo__dpor_state, nodes));
    memcpy(to->nodes, from->nodes, from->depth * sizeof from->nodes[0]);
    memcpy(to->options, from->options, options * sizeof from->options[0]);
    memcpy(to->steps, from->steps, from->step_count * sizeof from->steps[0]);
    memcpy(to->touches, from->touches, from->touch_count * sizeof from->touches[0]);
    memcpy(to->words, from->words, from->word_count * sizeof from->words[0]);
    to->word_count = from->word_count;
}

/* What a schedule begins with anew is left out. */
void solo__division_copy_state(struct solo__region *to, const struct solo__region *from)
{
    if (strcmp(from->request.strategy, solo__strategy_dpor.name) == 0) {
        copy_dpor(&to->strategy.dpor, &from->strategy.dpor);
    } else {
        copy_dfs(&to->strategy.dfs, &from->strategy.dfs);
    }
}

/* ---- All parts together ---- */

void solo__division_sum_up(struct solo__region *region)
{
    const struct solo__search *search = &region->ledger.search;
    if (strcmp(region->request.strategy, solo__strategy_dpor.name) == 0) {
        region->strategy.dpor.finished = search->finished;
        region->strategy.dpor.cut = search->cut;
        return;
    }
    struct solo__dfs_state *dfs = &region->strategy.dfs;
    dfs->delay_bound = region->request.strategy_argument;
    dfs->preemptions = strcmp(region->request.strategy, solo__strategy_preempt.name) == 0;
    dfs->finished = search->finished;
    dfs->complete = search->complete;
    dfs->cut = search->cut;
    dfs->round = search->round;
}
