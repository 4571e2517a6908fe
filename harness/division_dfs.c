/*
 * division_dfs.c - the parts of a search by strategy_dfs.c.
 *
 * A scout runs the schedule that begins with some answers and goes on plainly. Along it the schedules below those
 * answers fall into groups, by where they leave it first. A stretch is the groups of positions that follow each other,
 * with, at the end, the scout's schedule itself. How many schedules a group has within the bound is guessed from the
 * choices that the scout met: that all paths meet as many. The largest stretch is cut in two where half of its
 * schedules lie on either side; one of a single position into the answers that can be given there, with a scout for
 * each. A wrong guess makes parts of unlike size, nothing else: a part is told by where it begins, and goes on to where
 * the next one does.
 */
#include "division.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum {
    BUDGET_MAX = 6 /* guesses go no further */,
    SEEN_MAX = 4096,
    SCHEDULES_A_PART = 4096,
    ANSWERS_MAX = SOLO_STEP_OPTIONS_MAX /* at one position that is cut */
};
#define MOST 1e300

/* What a scout has seen. */
struct scout {
    struct solo__dfs_entry *entries;
    double *groups; /* of schedules that leave it here; behind the last one: those that do not */
    uint32_t depth; /* positions that are known */
};

struct stretch {
    const struct scout *scout;
    uint32_t from, to; /* positions */
    bool to_the_end;   /* and the scout's own schedule */
    double schedules;
};

struct cutting {
    struct solo__scouting *scouting;
    struct scout *scouts;
    struct stretch *stretches;
    uint32_t scout_count, count, room; /* a scout makes a stretch, and each cut at one position follows one in two */
    uint32_t bound;
};

static bool is_bounded(const struct cutting *cutting)
{
    return cutting->bound != SOLO_DELAY_UNBOUNDED;
}

/* ---- Guessing ---- */

/* Schedules that go on from a position within a budget; `after`: those from the next one, for each budget. */
static double count_leaving(const struct cutting *cutting, const struct solo__dfs_state *state, uint32_t position,
                            const double *after, unsigned budget)
{
    const struct solo__dfs_entry *entry = &state->path[position];
    double sum = 0;
    for (unsigned option = 1; option < entry->count; option++) {
        unsigned cost = is_bounded(cutting) ? solo__dfs_cost(state, entry, option) : 0;
        sum += cost <= budget ? after[budget - cost] : 0;
    }
    return sum < MOST ? sum : MOST;
}

static void guess(const struct cutting *cutting, const struct solo__dfs_state *state, struct scout *scout)
{
    uint64_t left = is_bounded(cutting) ? cutting->bound - state->spent : 0;
    unsigned most = left < BUDGET_MAX ? (unsigned)left : BUDGET_MAX;
    double counts[BUDGET_MAX + 1];
    for (unsigned budget = 0; budget <= most; budget++) {
        counts[budget] = 1;
    }
    for (uint32_t position = state->depth; position-- > 0;) {
        if (position + 1 == scout->depth) {
            scout->groups[scout->depth] = counts[most];
        }
        for (unsigned budget = most + 1; budget-- > 0;) { /* each needs only those below it */
            double leaving = count_leaving(cutting, state, position, counts, budget);
            if (budget == most && position < scout->depth) {
                scout->groups[position] = leaving;
            }
            counts[budget] = counts[budget] + leaving < MOST ? counts[budget] + leaving : MOST;
        }
    }
    if (scout->depth == 0) {
        scout->groups[0] = counts[most];
    }
}

static double guess_stretch(const struct stretch *stretch)
{
    double sum = stretch->to_the_end ? stretch->scout->groups[stretch->scout->depth] : 0;
    for (uint32_t i = stretch->from; i < stretch->to; i++) {
        sum += stretch->scout->groups[i];
    }
    return sum < MOST ? sum : MOST;
}

/* ---- Scouts ---- */

static int keep_scout(struct cutting *cutting)
{
    struct solo__division *division = cutting->scouting->division;
    const struct solo__dfs_state *state = &cutting->scouting->scout.region->strategy.dfs;
    struct scout *scout = &cutting->scouts[cutting->scout_count];
    scout->depth = state->depth < SEEN_MAX || is_bounded(cutting) ? state->depth : SEEN_MAX;
    scout->entries = malloc((scout->depth + (size_t)1) * sizeof *scout->entries);
    scout->groups = calloc(scout->depth + (size_t)1, sizeof *scout->groups);
    cutting->scout_count++;
    if (scout->entries == NULL || scout->groups == NULL) {
        free(scout->entries);
        free(scout->groups);
        cutting->scout_count--;
        return -ENOMEM;
    }
    memcpy(scout->entries, state->path, scout->depth * sizeof *scout->entries);
    division->seen[division->seen_count++] = scout->entries;
    guess(cutting, state, scout);
    return 0;
}

/* The schedule that begins with this path. It adds the stretch of all schedules that do. */
static int send_scout(struct cutting *cutting, const struct solo__dfs_path *path, uint32_t cost)
{
    struct solo__region *region = cutting->scouting->scout.region;
    const struct solo__request *request = &cutting->scouting->whole->region->request;
    (void)solo_strategy_prepare(solo_strategy_find(request->strategy, NULL), &region->strategy,
                                request->strategy_argument);
    solo__dfs_begin_part(&region->strategy.dfs, path, NULL, cost);
    region->strategy.dfs.plainly = 1;
    int result = solo__scouting_run(cutting->scouting, 1);
    if (result == 0 && region->strategy.dfs.depth >= path->length) {
        result = keep_scout(cutting);
        if (result == 0) {
            const struct scout *scout = &cutting->scouts[cutting->scout_count - 1];
            struct stretch *stretch = &cutting->stretches[cutting->count++];
            *stretch = (struct stretch){scout, path->length, scout->depth, true, 0};
            stretch->schedules = guess_stretch(stretch);
        }
    }
    return result;
}

/* ---- Cutting ---- */

static uint32_t cost_of_path(const struct cutting *cutting, const struct scout *scout, uint32_t length)
{
    const struct solo__dfs_state *state = &cutting->scouting->scout.region->strategy.dfs;
    uint32_t cost = 0;
    for (uint32_t i = 0; i < length && is_bounded(cutting); i++) {
        cost += solo__dfs_cost(state, &scout->entries[i], scout->entries[i].chosen);
    }
    return cost;
}

/* A single position into its answers. */
static int cut_position(struct cutting *cutting, uint32_t index)
{
    const struct stretch stretch = cutting->stretches[index];
    const struct solo__dfs_entry *entry = &stretch.scout->entries[stretch.from];
    uint32_t before = cost_of_path(cutting, stretch.scout, stretch.from);
    int result = 0;
    cutting->stretches[index] = cutting->stretches[--cutting->count];
    for (unsigned option = 1; option < entry->count && result == 0; option++) {
        struct solo__dfs_path path = {stretch.scout->entries, stretch.from + 1, (int32_t)option};
        uint32_t cost = before + solo__dfs_cost(&cutting->scouting->scout.region->strategy.dfs, entry, option);
        if (!is_bounded(cutting) || cost <= cutting->bound) {
            result = send_scout(cutting, &path, cost);
        }
    }
    return result;
}

/* In two: at the first position at which half of the schedules lie before it, but not at either end. */
static void cut_stretch(struct cutting *cutting, uint32_t index)
{
    struct stretch *stretch = &cutting->stretches[index];
    uint32_t last = stretch->to_the_end ? stretch->to : stretch->to - 1;
    uint32_t at = stretch->from + 1;
    double sum = stretch->scout->groups[stretch->from];
    for (; at < last && sum < stretch->schedules / 2; at++) {
        sum += stretch->scout->groups[at];
    }
    struct stretch *rest = &cutting->stretches[cutting->count++];
    *rest = (struct stretch){stretch->scout, at, stretch->to, stretch->to_the_end, 0};
    stretch->to = at;
    stretch->to_the_end = false;
    stretch->schedules = guess_stretch(stretch);
    rest->schedules = guess_stretch(rest);
}

static bool is_single(const struct stretch *stretch)
{
    return stretch->to - stretch->from == 1 && !stretch->to_the_end;
}

static bool can_be_cut(const struct stretch *stretch)
{
    return stretch->schedules >= 2 && stretch->from < stretch->to &&
           (!is_single(stretch) || stretch->scout->entries[stretch->from].count <= ANSWERS_MAX);
}

/* The largest one, of equal ones that nearest to the root; UINT32_MAX: none can be cut. */
static uint32_t find_largest(const struct cutting *cutting)
{
    uint32_t best = UINT32_MAX;
    for (uint32_t i = 0; i < cutting->count; i++) {
        const struct stretch *stretch = &cutting->stretches[i];
        const struct stretch *known = best != UINT32_MAX ? &cutting->stretches[best] : NULL;
        if (can_be_cut(stretch) && (known == NULL || stretch->schedules > known->schedules ||
                                    (stretch->schedules >= known->schedules && stretch->from < known->from))) {
            best = i;
        }
    }
    return best;
}

static int cut(struct cutting *cutting, uint32_t wanted)
{
    int result = 0;
    while (result == 0 && cutting->count < wanted && !cutting->scouting->ended) {
        uint32_t largest = find_largest(cutting);
        if (largest == UINT32_MAX) {
            break;
        }
        const struct stretch *stretch = &cutting->stretches[largest];
        bool single = is_single(stretch);
        if (single && (cutting->count + ANSWERS_MAX >= cutting->room ||
                       cutting->scout_count + ANSWERS_MAX >= 2 * cutting->room)) {
            break;
        }
        if (single) {
            result = cut_position(cutting, largest);
        } else {
            cut_stretch(cutting, largest);
        }
    }
    return result;
}

/* ---- In the order of the search ---- */

/* Where a stretch begins. With a bound what leaves the scout first comes first, without one what leaves it last. */
static struct solo__dfs_path beginning_of(const struct cutting *cutting, const struct stretch *stretch)
{
    if (is_bounded(cutting) || stretch->to_the_end) {
        return (struct solo__dfs_path){stretch->scout->entries, stretch->from, -1};
    }
    return (struct solo__dfs_path){stretch->scout->entries, stretch->to, 1};
}

static int compare(const struct solo__part *one, const struct solo__part *other, bool dear_first)
{
    uint32_t shorter = one->first.length < other->first.length ? one->first.length : other->first.length;
    for (uint32_t i = 0; i < shorter; i++) {
        unsigned a = solo__dfs_path_at(&one->first, i);
        unsigned b = solo__dfs_path_at(&other->first, i);
        if (a != b) {
            return (a < b) == dear_first ? 1 : -1;
        }
    }
    return one->first.length < other->first.length ? -1 : one->first.length > other->first.length;
}

static int compare_dear_first(const void *one, const void *other)
{
    return compare(one, other, true);
}

static int compare_plain_first(const void *one, const void *other)
{
    return compare(one, other, false);
}

static int make_parts(const struct cutting *cutting)
{
    struct solo__division *division = cutting->scouting->division;
    int result = solo__scouting_reserve(cutting->scouting, cutting->count);
    if (result < 0) {
        return result;
    }
    for (uint32_t i = 0; i < cutting->count; i++) {
        division->parts[i].first = beginning_of(cutting, &cutting->stretches[i]);
    }
    division->count = cutting->count;
    qsort(division->parts, division->count, sizeof *division->parts,
          is_bounded(cutting) ? compare_dear_first : compare_plain_first);
    division->parts[0].first.length = 0; /* whatever comes before it is its own */
    return 0;
}

/* As many as are wanted, and more of a search that is large. */
static uint32_t parts_wanted(const struct cutting *cutting)
{
    uint32_t wanted = cutting->scouting->wanted;
    double schedules = cutting->count != 0 ? cutting->stretches[0].schedules : 0;
    uint32_t fit = schedules < (double)SOLO__PARTS_MAX * SCHEDULES_A_PART ? (uint32_t)(schedules / SCHEDULES_A_PART)
                                                                          : SOLO__PARTS_MAX;
    return fit > wanted ? fit : wanted;
}

int solo__division_of_paths(struct solo__scouting *scouting)
{
    struct solo__division *division = scouting->division;
    uint32_t most = scouting->wanted > SOLO__PARTS_MAX ? scouting->wanted : SOLO__PARTS_MAX;
    struct cutting cutting = {.scouting = scouting, .room = most + 2 * ANSWERS_MAX};
    const struct solo__dfs_path root = {NULL, 0, -1};
    cutting.bound = scouting->whole->region->request.strategy_argument;
    cutting.scouts = calloc(2 * (size_t)cutting.room, sizeof *cutting.scouts);
    cutting.stretches = calloc(cutting.room, sizeof *cutting.stretches);
    division->seen = calloc(2 * (size_t)cutting.room, sizeof *division->seen);
    int result = cutting.scouts != NULL && cutting.stretches != NULL && division->seen != NULL ? 0 : -ENOMEM;
    if (result == 0) {
        result = send_scout(&cutting, &root, 0);
    }
    if (result == 0) {
        result = cut(&cutting, parts_wanted(&cutting));
    }
    if (result == 0) {
        result = make_parts(&cutting);
    }
    for (uint32_t i = 0; i < cutting.scout_count; i++) {
        free(cutting.scouts[i].groups);
    }
    free(cutting.scouts);
    free(cutting.stretches);
    return result;
}
