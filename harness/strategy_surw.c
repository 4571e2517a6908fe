/*
 * strategy_surw.c - selective uniform random walk (Zhao, Wolff, Mathur, Roychoudhury, ASPLOS 2025).
 *
 * Each schedule draws one object that several threads touch; the order of operations on it is drawn evenly, that of all
 * others by thread priorities. Who touches the object next is drawn beforehand, by how often each thread will touch it
 * yet ("intended"); any other thread that comes to the object waits until that has happened. Where nobody else can run
 * the wait ends: the counts were wrong, or the intended thread is blocked.
 *
 * Of objects that a lock guards always, only the lock is looked at; and a lock that somebody holds is not touched by
 * who would only wait for it, so that what is ordered evenly is who takes it next.
 *
 * One time in SOLO__STEER the object is one that calls with a contract, or the state of a loop, hang on, if there is
 * any: there the wrong-thread calls, the lost wake-ups and the work lost at shutdown are.
 */
#include "draw.h"
#include "sampling.h"
#include <string.h>

static bool is_candidate(const struct solo__profile *profile, uint32_t index, bool interesting)
{
    return solo__profile_is_contended(profile, (uint16_t)index) &&
           !solo__profile_is_guarded(profile, (uint16_t)index) &&
           (!interesting || profile->objects[index].interest != 0);
}

/* An object, with a weight of how often it is touched; SOLO__NO_INDEX if there is none. */
static uint16_t draw_object(struct solo__sampling_state *state, bool interesting)
{
    const struct solo__profile *profile = &state->profile;
    uint64_t all = 0;
    for (uint32_t i = 0; i < profile->object_count; i++) {
        all += is_candidate(profile, i, interesting) ? profile->objects[i].accesses : 0;
    }
    if (all == 0) {
        return SOLO__NO_INDEX;
    }
    uint64_t drawn = solo__draw(&state->random) % all;
    uint32_t i = 0;
    for (;; i++) {
        uint64_t share = is_candidate(profile, i, interesting) ? profile->objects[i].accesses : 0;
        if (drawn < share) {
            return (uint16_t)i;
        }
        drawn -= share;
    }
}

static void begin(struct solo__sampling_state *state)
{
    struct solo__surw *surw = &state->surw;
    bool steer = solo__draw(&state->random) % SOLO__STEER == 0;
    surw->object = draw_object(state, steer);
    if (surw->object == SOLO__NO_INDEX) {
        surw->object = draw_object(state, false);
    }
    if (surw->object != SOLO__NO_INDEX) {
        solo__profile_sum_on(&state->profile, surw->object, surw->left);
    }
    surw->intended = SOLO__NO_INDEX;
    surw->met_count = 0;
    memset(surw->met, 0, sizeof surw->met);
}

/* A thread that appears takes its share of the object, and may take the intention, from who started it. */
static void meet(struct solo__sampling_state *state, uint16_t thread)
{
    struct solo__surw *surw = &state->surw;
    if (surw->met[thread]) {
        return;
    }
    surw->met[thread] = 1;
    surw->met_count++;
    uint16_t path = solo__profile_path(&state->profile, thread);
    uint16_t parent = state->profile.paths[path].parent;
    if (parent == SOLO__NO_INDEX) {
        return;
    }
    int32_t before = surw->left[parent];
    surw->left[parent] -= surw->left[path];
    if (surw->intended == parent && before > 0 &&
        (int64_t)(solo__draw(&state->random) % (uint64_t)before) < surw->left[path]) {
        surw->intended = path;
    }
}

static uint32_t weight(const struct solo__sampling_state *state, const struct solo_option *option)
{
    int32_t left = state->surw.left[solo__profile_path(&state->profile, option->thread)];
    return left > 0 ? (uint32_t)left : 0;
}

/* Who is to touch the object next: drawn among the threads that will. False: as far as is known, nobody. */
static bool intend(struct solo__sampling_state *state, const struct solo_choice *choice, size_t threads)
{
    uint64_t all = 0;
    for (size_t i = 0; i < threads; i++) {
        all += weight(state, choice->options[i]);
    }
    if (all == 0) {
        return false;
    }
    uint64_t drawn = solo__draw(&state->random) % all;
    size_t i = 0;
    while (drawn >= weight(state, choice->options[i])) {
        drawn -= weight(state, choice->options[i++]);
    }
    state->surw.intended = solo__profile_path(&state->profile, choice->options[i]->thread);
    return true;
}

static bool touches(struct solo__sampling_state *state, const struct solo_option *option)
{
    return option->access != SOLO_ACCESS_NONE && state->surw.object != SOLO__NO_INDEX &&
           solo__profile_object(&state->profile, option) == state->surw.object;
}

/* A thread that is about to touch the object waits where a lock is held, or somebody else is intended. */
static bool must_wait(struct solo__sampling_state *state, const struct solo_choice *choice, size_t threads,
                      const struct solo_option *option, bool *nobody)
{
    if (solo__profile_is_held(&state->profile, option)) {
        return true;
    }
    if (state->surw.intended == SOLO__NO_INDEX && !*nobody) {
        *nobody = !intend(state, choice, threads);
    }
    return state->surw.intended != SOLO__NO_INDEX &&
           state->surw.intended != solo__profile_path(&state->profile, option->thread);
}

static int64_t priority_of(struct solo__sampling_state *state, const struct solo_option *option)
{
    int64_t *priority = &state->priorities[option->thread];
    if (*priority == 0) {
        *priority = 1 + (int64_t)(solo__draw(&state->random) >> 2);
    }
    return *priority;
}

static size_t choose(struct solo__sampling_state *state, const struct solo_choice *choice, size_t threads)
{
    if (state->surw.object != SOLO__NO_INDEX && state->surw.met_count != state->profile.met_count) {
        for (size_t i = 0; i < threads; i++) {
            meet(state, choice->options[i]->thread);
        }
    }
    size_t best = choice->count, best_of_all = 0;
    int64_t highest = 0, highest_of_all = 0; /* their priorities */
    bool nobody = false;
    for (size_t i = 0; i < threads; i++) {
        const struct solo_option *option = choice->options[i];
        int64_t priority = priority_of(state, option);
        if (priority > highest_of_all) {
            highest_of_all = priority;
            best_of_all = i;
        }
        if (touches(state, option) && must_wait(state, choice, threads, option, &nobody)) {
            continue;
        }
        if (priority > highest) {
            highest = priority;
            best = i;
        }
    }
    if (best == choice->count) { /* all wait for a thread that cannot come */
        state->surw.intended = SOLO__NO_INDEX;
        best = best_of_all;
    }
    return best;
}

static void step(struct solo__sampling_state *state, const struct solo_event *event, uint16_t object)
{
    if (object != SOLO__NO_INDEX && object == state->surw.object && event->access != SOLO_ACCESS_NONE) {
        state->surw.left[solo__profile_path(&state->profile, event->thread)]--;
        state->surw.intended = SOLO__NO_INDEX;
        state->pass.left = 0;
    }
    if (event->kind == SOLO_PROBE_YIELD) {
        state->priorities[event->thread] = 1;
        state->pass.left = 0;
    } else if (event->kind == SOLO_PROBE_UNLOCK) {
        state->pass.left = 0; /* who waited where a lock was held may go on */
    }
}

static bool stays(struct solo__sampling_state *state, const struct solo_option *option)
{
    return !touches(state, option);
}

/*
 * Whoever has the turn keeps it until it comes to the object. Where somebody's priority changes, or the reason why
 * somebody waits, step ends the pass.
 */
static uint8_t pass(const struct solo__sampling_state *state, uint16_t object)
{
    return object != state->surw.object ? SOLO_PASS_ANYONE : 0;
}

const struct solo__sampler_table solo__sample_surw = {.name = "surw",
                                                      .begin = begin,
                                                      .choose = choose,
                                                      .step = step,
                                                      .pass = pass,
                                                      .stays = stays,
                                                      .wants_profile = true,
                                                      .misses_words = true};
