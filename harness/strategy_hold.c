/*
 * strategy_hold.c - at one place of the program after the other, whoever gets there waits until nobody else can go on.
 *
 * Most defects of ordering need one thread, or all threads that run the same code, to be late at one place: between a
 * check and what relies on it, between two updates that belong together, before a notification. A program has few
 * places, however many threads run it, so each is tried in turn: a place is held again only when all have been held as
 * often.
 *
 * In the first round threads that come to the place run first, until they wait there, and all others in the plain
 * order. Later rounds hold two places of one object, so that who wins is drawn, and then single places again while the
 * others run by priorities. Where nobody else can go on, one of those who wait passes: in the first round the plain
 * one, later any, so that some of them can stay late for long. Within a round places of interesting operations come
 * first, then those of objects that threads contend for: those that no lock guards before the others, where waiting
 * often only keeps others out.
 */
#include "draw.h"
#include "sampling.h"
#include <string.h>

enum { ROUNDS = 3, ROUND_PLAIN = 0, ROUND_PAIR = 1, BANDS = 4 };

static unsigned band_of(const struct solo__profile *profile, const struct solo__place *place)
{
    if (place->operation == SOLO_PROBE_THREAD_BEGIN || place->operation == SOLO_PROBE_THREAD_START ||
        place->operation == SOLO_PROBE_THREAD_JOIN || place->operation == SOLO_PROBE_SLEEP) {
        return BANDS; /* not held */
    }
    if (place->interest) {
        return 0;
    }
    if (!solo__profile_is_contended(profile, place->object)) {
        return 3;
    }
    return solo__profile_is_guarded(profile, place->object) ? 2 : 1;
}

/* Which band each place is in changes only with what the profile learns. */
static void sort_places(struct solo__sampling_state *state)
{
    struct solo__profile *profile = &state->profile;
    if (state->hold.sorted == profile->learnt) {
        return;
    }
    state->hold.sorted = profile->learnt;
    for (uint32_t i = 0; i < profile->place_count; i++) {
        state->hold.bands[i] = (uint8_t)band_of(profile, &profile->places[i]);
    }
}

/* Places with a lower one go first; those that are not held have the highest there is. */
static inline uint64_t rank_of(const struct solo__sampling_state *state, uint32_t place)
{
    uint64_t band = state->hold.bands[place];
    return band == BANDS ? UINT64_MAX : (uint64_t)state->profile.places[place].held * BANDS + band;
}

/* A place among those that were held least often, the best band first; SOLO__NO_INDEX if there is none. */
static uint16_t draw_place(struct solo__sampling_state *state)
{
    uint32_t places = state->profile.place_count, equal = 0, last = 0;
    uint64_t best = UINT64_MAX;
    for (uint32_t i = 0; i < places; i++) {
        uint64_t rank = rank_of(state, i);
        equal = rank < best ? 1 : equal + (rank == best);
        best = rank < best ? rank : best;
        last = rank == best ? i : last;
    }
    if (best == UINT64_MAX) {
        return SOLO__NO_INDEX;
    }
    for (size_t left = solo__draw_below(solo__draw(&state->random), equal); left > 0; left--) {
        do {
            last--;
        } while (rank_of(state, last) != best);
    }
    return (uint16_t)last;
}

/* Another place of the same object; SOLO__NO_INDEX if there is none. */
static uint16_t draw_partner(struct solo__sampling_state *state, uint16_t first)
{
    const struct solo__profile *profile = &state->profile;
    uint16_t partner = SOLO__NO_INDEX;
    uint32_t seen = 0;
    for (uint32_t i = 0; i < profile->place_count; i++) {
        const struct solo__place *place = &profile->places[i];
        if (i != first && place->object == profile->places[first].object && state->hold.bands[i] < BANDS &&
            solo__draw_below(solo__draw(&state->random), ++seen) == 0) {
            partner = (uint16_t)i;
        }
    }
    return partner;
}

static void begin(struct solo__sampling_state *state)
{
    struct solo__hold *hold = &state->hold;
    memset(hold->been, 0, sizeof hold->been);
    sort_places(state);
    hold->places[0] = draw_place(state);
    hold->places[1] = SOLO__NO_INDEX;
    hold->plain = 1;
    if (hold->places[0] != SOLO__NO_INDEX) {
        uint32_t round = state->profile.places[hold->places[0]].held++ % ROUNDS;
        hold->plain = round == ROUND_PLAIN;
        if (round == ROUND_PAIR) {
            hold->places[1] = draw_partner(state, hold->places[0]);
        }
    }
    if (hold->plain) {
        state->patience = 0;
    }
}

static bool is_held(struct solo__sampling_state *state, const struct solo_option *option)
{
    uint16_t place = solo__profile_place(&state->profile, option);
    return place != SOLO__NO_INDEX && (place == state->hold.places[0] || place == state->hold.places[1]);
}

/* Who goes first: threads on their way to a place where they will wait, others, those that wait. */
enum { ON_THE_WAY = 0, FREE, WAITS };

static uint64_t visitors_of(const struct solo__sampling_state *state, uint16_t place)
{
    return place != SOLO__NO_INDEX ? state->profile.places[place].visitors : 0;
}

/* `comers`: the paths that come to the places. */
static inline unsigned standing_of(struct solo__sampling_state *state, const struct solo_option *option,
                                   uint64_t comers)
{
    const struct solo__hold *hold = &state->hold;
    if (is_held(state, option)) {
        return WAITS;
    }
    bool comes = (comers >> (solo__profile_path(&state->profile, option->thread) % 64) & 1) != 0;
    return comes && !hold->been[option->thread] ? ON_THE_WAY : FREE;
}

static int64_t priority_of(struct solo__sampling_state *state, const struct solo_option *option)
{
    int64_t *priority = &state->priorities[option->thread];
    if (*priority == 0) {
        *priority = 2 + (int64_t)(solo__draw(&state->random) >> 2);
    }
    return *priority;
}

/* All that could go on wait: one of them passes. */
static size_t release(struct solo__sampling_state *state, const struct solo_choice *choice, size_t threads)
{
    size_t released = state->hold.plain ? 0 : solo__draw_below(solo__draw(&state->random), threads);
    state->hold.been[choice->options[released]->thread] = 1;
    return released;
}

static size_t choose(struct solo__sampling_state *state, const struct solo_choice *choice, size_t threads)
{
    size_t best[WAITS] = {choice->count, choice->count};
    uint64_t comers = visitors_of(state, state->hold.places[0]) | visitors_of(state, state->hold.places[1]);
    for (size_t i = 0; i < threads; i++) {
        unsigned standing = standing_of(state, choice->options[i], comers);
        if (standing == WAITS) {
            continue;
        }
        size_t *at = &best[standing];
        if (*at == choice->count ||
            (!state->hold.plain && priority_of(state, choice->options[i]) > priority_of(state, choice->options[*at]))) {
            *at = i;
        }
    }
    for (unsigned standing = 0; standing < WAITS; standing++) {
        if (best[standing] != choice->count) {
            return best[standing];
        }
    }
    return release(state, choice, threads);
}

static void step(struct solo__sampling_state *state, const struct solo_event *event, uint16_t object)
{
    (void)object;
    if (event->kind == SOLO_PROBE_YIELD) {
        state->priorities[event->thread] = 1;
        state->pass.left = 0;
    }
}

static bool stays(struct solo__sampling_state *state, const struct solo_option *option)
{
    return !is_held(state, option);
}

static bool is_held_at(const struct solo__sampling_state *state, uint16_t object)
{
    const uint16_t *places = state->hold.places;
    return (places[0] != SOLO__NO_INDEX && state->profile.places[places[0]].object == object) ||
           (places[1] != SOLO__NO_INDEX && state->profile.places[places[1]].object == object);
}

/* Whoever has the turn keeps it until it comes to a place of the object; what it passes before makes the place. */
static uint8_t pass(const struct solo__sampling_state *state, uint16_t object)
{
    return is_held_at(state, object) ? 0 : SOLO_PASS_ANYONE_TELLS;
}

const struct solo__sampler_table solo__sample_hold = {.name = "hold",
                                                      .begin = begin,
                                                      .choose = choose,
                                                      .step = step,
                                                      .pass = pass,
                                                      .stays = stays,
                                                      .wants_profile = true};
