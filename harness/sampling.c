/* sampling.c - what all strategies that draw schedules do alike, and the portfolio that takes turns among them. */
#include "sampling.h"
#include "draw.h"
#include <string.h>

static size_t choose_plain(struct solo__sampling_state *state, const struct solo_choice *choice, size_t threads)
{
    (void)state;
    (void)choice;
    (void)threads;
    return 0;
}

static const struct solo__sampler_table plain = {"plain", NULL, choose_plain, NULL, true};

static const struct solo__sampler_table *const samplers[SOLO__SAMPLERS] = {[SOLO__SAMPLE_PLAIN] = &plain,
                                                                           [SOLO__SAMPLE_RANDOM] = &solo__sample_random,
                                                                           [SOLO__SAMPLE_PCT] = &solo__sample_pct,
                                                                           [SOLO__SAMPLE_POS] = &solo__sample_pos,
                                                                           [SOLO__SAMPLE_URW] = &solo__sample_urw,
                                                                           [SOLO__SAMPLE_SURW] = &solo__sample_surw,
                                                                           [SOLO__SAMPLE_HOLD] = &solo__sample_hold,
                                                                           [SOLO__SAMPLE_LOCKS] = &solo__sample_locks};

/*
 * The portfolio's round, after the first schedule, which is the plain one. Two fifths of the budget hold threads at
 * places, which finds most defects within one schedule a place, however many threads there are; two fifths order the
 * operations on one object evenly, which finds those that need two threads to be late; the rest is shared by those that
 * miss nothing in the long run.
 */
static const uint8_t rounds[] = {
    SOLO__SAMPLE_HOLD, SOLO__SAMPLE_SURW, SOLO__SAMPLE_HOLD, SOLO__SAMPLE_SURW, SOLO__SAMPLE_POS,  SOLO__SAMPLE_HOLD,
    SOLO__SAMPLE_SURW, SOLO__SAMPLE_HOLD, SOLO__SAMPLE_SURW, SOLO__SAMPLE_URW,  SOLO__SAMPLE_HOLD, SOLO__SAMPLE_SURW,
    SOLO__SAMPLE_HOLD, SOLO__SAMPLE_SURW, SOLO__SAMPLE_POS,  SOLO__SAMPLE_HOLD, SOLO__SAMPLE_SURW, SOLO__SAMPLE_HOLD,
    SOLO__SAMPLE_SURW, SOLO__SAMPLE_PCT,  SOLO__SAMPLE_HOLD, SOLO__SAMPLE_SURW, SOLO__SAMPLE_HOLD, SOLO__SAMPLE_SURW,
    SOLO__SAMPLE_POS,  SOLO__SAMPLE_HOLD, SOLO__SAMPLE_SURW, SOLO__SAMPLE_HOLD, SOLO__SAMPLE_SURW, SOLO__SAMPLE_RANDOM};

enum { ROUND = sizeof rounds / sizeof rounds[0] };

void solo__sampling_prepare(struct solo__sampling_state *state, enum solo__sampler sampler, bool rotates,
                            uint32_t argument)
{
    memset(state, 0, sizeof *state);
    state->sampler = (uint16_t)sampler;
    state->rotates = rotates;
    state->argument = argument;
}

const char *solo__sampling_name(const struct solo__sampling_state *state)
{
    return samplers[state->sampler]->name;
}

static bool needs_profile(const struct solo__sampling_state *state)
{
    return state->rotates || samplers[state->sampler]->wants_profile;
}

int solo__sampling_begin(void *opaque, uint64_t seed)
{
    struct solo__sampling_state *state = opaque;
    if (state->rotates) {
        state->sampler = state->begun == 0 ? SOLO__SAMPLE_PLAIN : rounds[(state->begun - 1) % ROUND];
    }
    state->begun++;
    state->longest = state->choices > state->longest ? state->choices : state->longest;
    state->choices = 0;
    state->random = seed;
    state->patience = solo__draw_patience(&state->random);
    solo__fair_begin(&state->fair);
    memset(state->priorities, 0, sizeof state->priorities);
    state->profiles = needs_profile(state);
    if (state->profiles) {
        solo__profile_end(&state->profile); /* here, because a schedule that ends in a crash has no end */
        solo__profile_begin(&state->profile);
    }
    if (samplers[state->sampler]->begin != NULL) {
        samplers[state->sampler]->begin(state);
    }
    return 0;
}

static size_t choose_thread(struct solo__sampling_state *state, const struct solo_choice *choice)
{
    bool offers_time = solo__offers_time(choice);
    size_t threads = choice->count - offers_time;
    if (state->profiles) {
        solo__profile_options(&state->profile, choice, threads);
    }
    state->choices++;
    size_t chosen = samplers[state->sampler]->choose(state, choice, threads);
    bool content = solo__fair_is_content(&state->fair);
    size_t demanded = content ? choice->count : solo__fair_demand(&state->fair, choice);
    if (demanded < choice->count) {
        chosen = demanded;
    } else if (offers_time && solo__draw_time(&state->random, state->patience, choice)) {
        chosen = choice->count - 1;
    }
    return solo__fair_took(&state->fair, choice, chosen);
}

size_t solo__sampling_choose(void *opaque, const struct solo_choice *choice)
{
    struct solo__sampling_state *state = opaque;
    if (choice->kind == SOLO_CHOICE_THREAD) {
        return choose_thread(state, choice);
    }
    bool plainly = state->sampler == SOLO__SAMPLE_PLAIN || (state->sampler == SOLO__SAMPLE_HOLD && state->hold.plain);
    return plainly ? 0 : solo__draw_value(&state->random, choice);
}

/* Out of line, so that what is not listened to costs next to nothing. */
static __attribute__((noinline)) void hear(struct solo__sampling_state *state, const struct solo_event *event)
{
    if (event->thread >= SOLO_SIM_THREADS_MAX) {
        return;
    }
    uint16_t object = state->profiles ? solo__profile_event(&state->profile, event) : SOLO__NO_INDEX;
    if (samplers[state->sampler]->step != NULL) {
        samplers[state->sampler]->step(state, event, object);
    }
}

void solo__sampling_step(void *opaque, const struct solo_event *event)
{
    struct solo__sampling_state *state = opaque;
    if (event->kind != SOLO_PROBE_CHOICE || state->sampler == SOLO__SAMPLE_POS) {
        hear(state, event); /* choices are half of all events, and one strategy asks who asked */
    }
}
