/*
 * division_dpor.c - the parts of a search with reduction: each is all that lies below some first choices.
 *
 * Why nothing is missed. dpor.h tries, at a choice, only who may be needed there, which it learns from schedules below
 * it; whoever searches only one part learns of its own schedules alone. So at the choices above the parts everybody is
 * tried who can run, whether needed or not: then no schedule of any part can ask for more there. What is left out above
 * is what may be left out without looking below. Who sleeps is: a choice's answers are gone through in their order, and
 * below each of them those before it sleep, as in one search, because all that follows them is searched too, by
 * whoever has that part; the order is the same for all, so no two parts rely on each other in a circle. And of idle
 * workers with the same past the first one that is awake stands for all. What a sleeper is about to touch was seen by
 * the scout that let it go first; where that scout had to choose once more before the sleeper's step was over, the step
 * is taken to touch everything, which wakes it too early and never too late. Below a part's choices the search is the
 * one of dpor.h.
 *
 * The price: above the parts answers are tried that one search would have found needless. So they are few and near the
 * root, and a search that ends soon is not divided at all.
 */
#include "division.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>

uint64_t solo__division_undivided_max = 256;

#define MOST 1e300

/* The first choices of a part, and what its scout saw behind them. */
struct subtree {
    struct solo__dpor_path path;
    struct solo__dpor_node next; /* the choice behind the path; count 0: none was met */
    struct solo__dpor_option *options;
    double schedules;                 /* guessed: as if every choice had all its answers tried */
    struct solo__footprint footprint; /* of what its last answer does first */
};

struct cutting {
    struct solo__scouting *scouting;
    struct subtree *subtrees;
    uint32_t count, room;
};

static struct solo__dpor_state *state_of(const struct cutting *cutting)
{
    return &cutting->scouting->scout.region->strategy.dpor;
}

static void release(struct subtree *subtree)
{
    free(subtree->path.nodes);
    free(subtree->path.options);
    free(subtree->options);
    memset(subtree, 0, sizeof *subtree);
}

/* ---- Scouts ---- */

static int note_next(struct subtree *subtree, const struct solo__dpor_state *state)
{
    uint32_t length = subtree->path.length;
    subtree->schedules = 1;
    for (uint32_t i = length; i < state->depth; i++) {
        subtree->schedules *= subtree->schedules < MOST ? state->nodes[i].count : 1;
    }
    if (state->depth <= length) {
        return 0;
    }
    subtree->next = state->nodes[length];
    size_t size = subtree->next.count * sizeof *subtree->options;
    subtree->options = malloc(size);
    if (subtree->options == NULL) {
        return -ENOMEM;
    }
    memcpy(subtree->options, &state->options[subtree->next.first_option], size);
    return 0;
}

static int send_scout(struct cutting *cutting, struct subtree *subtree)
{
    struct solo__dpor_state *state = state_of(cutting);
    solo__dpor_begin_part(state, &subtree->path);
    int result = solo__scouting_run(cutting->scouting, 1);
    if (result < 0) {
        return result;
    }
    result = note_next(subtree, state);
    subtree->footprint = solo__footprint_of_all();
    if (result == 0 && subtree->path.length != 0 && subtree->next.kind == SOLO_CHOICE_THREAD &&
        subtree->next.count != 0) {
        const struct solo__dpor_node *last = &state->nodes[subtree->path.length - 1];
        subtree->footprint = state->options[last->first_option + last->chosen].footprint;
    }
    return result;
}

/* ---- Cutting ---- */

/* Whether this answer to the choice behind the subtree's path has to be tried. */
static bool is_needed(const struct subtree *subtree, uint16_t answer)
{
    const struct solo__dpor_option *option = &subtree->options[answer];
    if (subtree->next.kind != SOLO_CHOICE_THREAD) {
        return option->wanted != 0;
    }
    for (uint16_t i = 0; i < answer && option->past != 0; i++) {
        if (subtree->options[i].past == option->past && !subtree->options[i].asleep) {
            return false;
        }
    }
    return !option->asleep;
}

/* The path with one more choice, whose earlier answers are done. */
static int extend(const struct subtree *subtree, uint16_t answer, const struct solo__dpor_option *options,
                  struct solo__dpor_path *ret_path)
{
    const struct solo__dpor_path *path = &subtree->path;
    struct solo__dpor_path longer = {path->length + 1, path->option_count + subtree->next.count, NULL, NULL};
    longer.nodes = malloc(longer.length * sizeof *longer.nodes);
    longer.options = malloc(longer.option_count * sizeof *longer.options);
    if (longer.nodes == NULL || longer.options == NULL) {
        free(longer.nodes);
        free(longer.options);
        return -ENOMEM;
    }
    if (path->length != 0) {
        memcpy(longer.nodes, path->nodes, path->length * sizeof *longer.nodes);
        memcpy(longer.options, path->options, path->option_count * sizeof *longer.options);
    }
    longer.nodes[path->length] = subtree->next;
    longer.nodes[path->length].first_option = path->option_count;
    longer.nodes[path->length].chosen = answer;
    memcpy(&longer.options[path->option_count], options, subtree->next.count * sizeof *options);
    longer.options[path->option_count + answer].footprint = (struct solo__footprint){.reads = {0}};
    *ret_path = longer;
    return 0;
}

static int add_answer(struct cutting *cutting, const struct subtree *subtree, uint16_t answer,
                      struct solo__dpor_option *options)
{
    struct subtree *below = &cutting->subtrees[cutting->count];
    int result = extend(subtree, answer, options, &below->path);
    if (result < 0) {
        return result;
    }
    cutting->count++;
    result = send_scout(cutting, below);
    if (subtree->next.kind == SOLO_CHOICE_THREAD) {
        options[answer].done = 1;
        options[answer].footprint = below->footprint;
    }
    return result;
}

/* Puts a subtree for each answer that is needed in place of this one. */
static int cut_subtree(struct cutting *cutting, uint32_t index)
{
    struct subtree subtree = cutting->subtrees[index];
    size_t size = subtree.next.count * sizeof *subtree.options;
    struct solo__dpor_option *options = malloc(size);
    int result = 0;
    if (options == NULL) {
        return -ENOMEM;
    }
    memcpy(options, subtree.options, size);
    for (uint16_t i = 0; i < subtree.next.count; i++) {
        options[i].wanted = is_needed(&subtree, i);
        options[i].done = 0;
    }
    cutting->subtrees[index] = cutting->subtrees[--cutting->count];
    memset(&cutting->subtrees[cutting->count], 0, sizeof subtree);
    for (uint16_t i = 0; i < subtree.next.count && result == 0; i++) {
        if (options[i].wanted) {
            result = add_answer(cutting, &subtree, i, options);
        }
    }
    free(options);
    release(&subtree);
    return result;
}

static bool can_be_cut(const struct subtree *subtree)
{
    bool some = false;
    for (uint16_t i = 0; i < subtree->next.count; i++) {
        some = some || is_needed(subtree, i);
    }
    return some && subtree->next.count <= SOLO_STEP_OPTIONS_MAX;
}

/* The largest one, of equal ones that nearest to the root; UINT32_MAX: none can be cut. */
static uint32_t find_largest(const struct cutting *cutting)
{
    uint32_t best = UINT32_MAX;
    for (uint32_t i = 0; i < cutting->count; i++) {
        const struct subtree *subtree = &cutting->subtrees[i];
        const struct subtree *known = best != UINT32_MAX ? &cutting->subtrees[best] : NULL;
        bool better = known == NULL || subtree->schedules > known->schedules ||
                      (subtree->schedules >= known->schedules && subtree->path.length < known->path.length);
        if (better && can_be_cut(subtree)) {
            best = i;
        }
    }
    return best;
}

static int cut(struct cutting *cutting)
{
    int result = 0;
    while (result == 0 && cutting->count < cutting->scouting->wanted && !cutting->scouting->ended) {
        uint32_t largest = find_largest(cutting);
        if (largest == UINT32_MAX) {
            break;
        }
        result = cut_subtree(cutting, largest);
    }
    return result;
}

/* ---- Parts ---- */

static int compare(const void *one, const void *other)
{
    const struct solo__dpor_path *a = &((const struct solo__part *)one)->below;
    const struct solo__dpor_path *b = &((const struct solo__part *)other)->below;
    for (uint32_t i = 0; i < a->length && i < b->length; i++) {
        if (a->nodes[i].chosen != b->nodes[i].chosen) {
            return a->nodes[i].chosen < b->nodes[i].chosen ? -1 : 1;
        }
    }
    return a->length < b->length ? -1 : a->length > b->length; /* none is the beginning of another */
}

static int make_parts(struct cutting *cutting)
{
    struct solo__division *division = cutting->scouting->division;
    const struct solo__dpor_state *state = state_of(cutting);
    int result = solo__scouting_reserve(cutting->scouting, cutting->count);
    division->words = malloc((state->word_count + (size_t)1) * sizeof *division->words);
    if (result < 0 || division->words == NULL) {
        return -ENOMEM;
    }
    memcpy(division->words, state->words, state->word_count * sizeof *division->words);
    division->word_count = state->word_count;
    for (uint32_t i = 0; i < cutting->count; i++) {
        division->parts[i].below = cutting->subtrees[i].path;
        memset(&cutting->subtrees[i].path, 0, sizeof cutting->subtrees[i].path);
    }
    division->count = cutting->count;
    qsort(division->parts, division->count, sizeof *division->parts, compare);
    return 0;
}

/* Whether it ends before it is worth while to divide it. */
static int try_undivided(struct cutting *cutting, bool *ret_ended)
{
    struct solo__region *region = cutting->scouting->scout.region;
    const struct solo_strategy *strategy = &solo__strategy_dpor;
    (void)solo_strategy_prepare(strategy, &region->strategy, 0);
    int result = solo__scouting_run(cutting->scouting, solo__division_undivided_max);
    *ret_ended = region->ledger.strategy_ended != 0;
    (void)solo_strategy_prepare(strategy, &region->strategy, 0);
    return result;
}

int solo__division_of_orders(struct solo__scouting *scouting)
{
    struct cutting cutting = {.scouting = scouting, .room = scouting->wanted + 2 * SOLO_STEP_OPTIONS_MAX};
    bool ended = false;
    cutting.subtrees = calloc(cutting.room, sizeof *cutting.subtrees);
    int result = cutting.subtrees != NULL ? try_undivided(&cutting, &ended) : -ENOMEM;
    if (result == 0) {
        cutting.count = 1;
        result = ended || scouting->ended ? 0 : send_scout(&cutting, &cutting.subtrees[0]);
    }
    if (result == 0 && !ended) {
        result = cut(&cutting);
    }
    if (result == 0) {
        result = make_parts(&cutting);
    }
    for (uint32_t i = 0; i < cutting.count; i++) {
        release(&cutting.subtrees[i]);
    }
    free(cutting.subtrees);
    return result;
}
