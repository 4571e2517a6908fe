/*
 * strategy_replay.c - answers as a token says.
 *
 * Strict: the first choice that is not what the token was made from stops the run (SOLO_ENDING_DIVERGED) and is named.
 * Lenient, for shrinking: a deviation that does not fit is answered plainly and counted.
 */
#include "strategy.h"
#include <string.h>

int solo__replay_load(struct solo__replay_state *state, const struct solo_token *token, bool strict)
{
    if (token->deviation_count > SOLO__CHOICES_MAX) {
        return -E2BIG;
    }
    solo__replay_load_deviations(state, token->deviations, token->deviation_count);
    state->strict = strict;
    state->choices = token->choices;
    state->open = token->open;
    state->spacing = token->spacing;
    state->end_check = token->end_check;
    memcpy(state->checks, token->checks, sizeof token->checks);
    return 0;
}

void solo__replay_load_deviations(struct solo__replay_state *state, const struct solo_deviation *deviations,
                                  uint32_t count)
{
    memset(state, 0, offsetof(struct solo__replay_state, deviations));
    state->deviation_count = count;
    if (count != 0) {
        memcpy(state->deviations, deviations, count * sizeof *deviations);
    }
}

void solo__replay_load_answers(struct solo__replay_state *state, const struct solo_answer *answers, uint32_t count)
{
    solo__replay_load_deviations(state, NULL, 0);
    for (uint32_t i = 0; i < count; i++) {
        if (answers[i].chosen != 0) {
            state->deviations[state->deviation_count++] =
                (struct solo_deviation){i, answers[i].chosen, answers[i].kind, 0};
        }
    }
}

static int begin(void *state, uint64_t seed)
{
    struct solo__replay_state *replay = state;
    (void)seed;
    replay->next = 0;
    replay->diverged_at = 0;
    replay->misfits = 0;
    solo__turns_begin(&replay->turns);
    return 0;
}

/* Whether the recorded schedule had this choice, as far as its checks can tell. */
static bool fits(const struct solo__replay_state *state, const struct solo_choice *choice)
{
    uint32_t number = choice->index + 1;
    if (number > state->choices) {
        return state->open != 0;
    }
    if (number % state->spacing == 0 &&
        state->checks[number / state->spacing - 1] != solo_token_check_character(choice->check)) {
        return false;
    }
    return number != state->choices || state->open || state->end_check == choice->check;
}

static size_t diverge(struct solo__replay_state *state, const struct solo_choice *choice)
{
    if (!state->strict) {
        state->misfits++;
        return 0;
    }
    state->diverged_at = choice->index + 1;
    return choice->count;
}

static size_t choose(void *state, const struct solo_choice *choice)
{
    struct solo__replay_state *replay = state;
    if (replay->by_turns) {
        return solo__turns_choose(&replay->turns, choice);
    }
    if (replay->strict && !fits(replay, choice)) {
        return diverge(replay, choice);
    }
    if (replay->next == replay->deviation_count || replay->deviations[replay->next].index != choice->index) {
        return 0;
    }
    const struct solo_deviation *deviation = &replay->deviations[replay->next++];
    if (deviation->kind != choice->kind || deviation->chosen >= choice->count) {
        return diverge(replay, choice);
    }
    return deviation->chosen;
}

static void step(void *state, const struct solo_event *event)
{
    struct solo__replay_state *replay = state;
    if (replay->by_turns) {
        solo__turns_step(&replay->turns, event);
    }
}

uint32_t solo__replay_close(struct solo__replay_state *state, uint32_t answers_count, uint32_t last_check)
{
    bool early = answers_count < state->choices && !state->open;
    bool other = answers_count == state->choices && !state->open && (last_check & 0xffff) != state->end_check;
    if (state->strict && state->diverged_at == 0 && (early || other)) {
        state->diverged_at = early ? answers_count + 1 : answers_count;
    }
    return state->diverged_at;
}

const struct solo_strategy solo__strategy_replay = {.name = "replay", .begin = begin, .choose = choose, .step = step};
