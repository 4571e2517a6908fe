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

static const struct solo__sampler_table plain = {.name = "plain", .choose = choose_plain, .wants_profile = true};

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
    memset(&state->pass, 0, sizeof state->pass);
    state->passes = 0;
    memset(state->priorities, 0, sizeof state->priorities);
    state->profiles = needs_profile(state);
    if (state->profiles) {
        solo__profile_end(&state->profile); /* here, because a schedule that ends in a crash has no end */
        solo__profile_begin(&state->profile, !samplers[state->sampler]->misses_words);
        state->profiles = state->profile.learns || samplers[state->sampler]->wants_profile;
    }
    if (samplers[state->sampler]->begin != NULL) {
        samplers[state->sampler]->begin(state);
    }
    return 0;
}

/* Takes account of the choices that were not asked for since the last one. */
static inline void count_passed(struct solo__sampling_state *state)
{
    state->choices += state->pass.used;
    state->fair.picks += state->pass.used; /* the same thread had them all, but for those who were alone meanwhile */
    state->pass.used = 0;
}

/* What the pass says of the option's word: of one that only its thread touches, that this thread goes on. */
static inline uint8_t pass_of(struct solo__sampling_state *state, const struct solo__sampler_table *sampler,
                              const struct solo_option *option)
{
    uint16_t object = solo__profile_object(&state->profile, option);
    if (solo__profile_is_contended(&state->profile, object)) {
        return sampler->pass(state, object);
    }
    return solo__profile_is_own(&state->profile, option) ? (uint8_t)(option->thread + 1) : 0;
}

/* Until something changes, the thread that has the turn needs to ask only where the sampler wants it to. */
static inline void give_pass(struct solo__sampling_state *state, const struct solo__sampler_table *sampler,
                             const struct solo_choice *choice)
{
    if (state->profile.learns) {
        return;
    }
    const struct solo_option *option = choice->options[0];
    uint32_t word = solo__profile_word(option->object);
    if (option->address != 0 && option->thread == choice->thread && word < SOLO_PASS_WORDS) {
        state->pass.word[word] = pass_of(state, sampler, option);
    }
    uint32_t picks = state->fair.picks;
    state->pass.left = picks < SOLO__FAIR_PICKS_MAX ? SOLO__FAIR_PICKS_MAX - picks : 0;
}

static inline size_t choose_thread(struct solo__sampling_state *state, const struct solo__sampler_table *sampler,
                                   const struct solo_choice *choice)
{
    bool offers_time = choice->options[choice->count - 1]->tag == SOLO_TAG_TIME;
    bool keeps = state->passes && state->pass.left != 0 && choice->options[0]->thread == choice->thread;
    size_t threads = choice->count - offers_time;
    count_passed(state);
    state->pass.left = 0;
    state->choices++;
    if (state->profiles) {
        solo__profile_options(&state->profile, choice, threads);
    }
    bool stays = keeps && sampler->stays(state, choice->options[0]);
    size_t chosen = stays ? 0 : sampler->choose(state, choice, threads);
    size_t demanded = solo__fair_is_content(&state->fair) ? choice->count : solo__fair_demand(&state->fair, choice);
    if (demanded < choice->count) {
        chosen = demanded;
    } else if (offers_time && solo__draw_time(&state->random, state->patience, choice)) {
        chosen = choice->count - 1;
    }
    solo__fair_took(&state->fair, choice, chosen, offers_time);
    if (sampler->pass != NULL) {
        give_pass(state, sampler, choice);
    }
    return chosen;
}

static size_t choose_value(struct solo__sampling_state *state, const struct solo_choice *choice)
{
    bool plainly = state->sampler == SOLO__SAMPLE_PLAIN || (state->sampler == SOLO__SAMPLE_HOLD && state->hold.plain);
    return plainly ? 0 : solo__draw_value(&state->random, choice);
}

size_t solo__sampling_choose(void *opaque, const struct solo_choice *choice)
{
    struct solo__sampling_state *state = opaque;
    const struct solo__sampler_table *sampler = samplers[state->sampler];
    bool orders = choice->kind == SOLO_CHOICE_THREAD;
    size_t chosen = orders ? choose_thread(state, sampler, choice) : choose_value(state, choice);
    if (sampler->asked != NULL) {
        sampler->asked(state, choice->thread);
    }
    return chosen;
}

void solo__sampling_step(void *opaque, const struct solo_event *event)
{
    struct solo__sampling_state *state = opaque;
    if (event->thread >= SOLO_SIM_THREADS_MAX) {
        return;
    }
    const struct solo__sampler_table *sampler = samplers[state->sampler];
    uint16_t object = state->profiles ? solo__profile_event(&state->profile, event) : SOLO__NO_INDEX;
    if (sampler->step != NULL) {
        sampler->step(state, event, object);
    }
}

struct solo_pass *solo__sampling_find_pass(void *state)
{
    struct solo__sampling_state *sampling = state;
    sampling->passes = 1;
    return &sampling->pass;
}
