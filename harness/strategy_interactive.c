/*
 * strategy_interactive.c - somebody else answers: a person at the terminal, or a test.
 *
 * Answers given before are repeated first, without asking: undo is a new run with one answer less.
 */
#include "strategy.h"

static solo__ask_fn ask_fn;
static void *ask_arg;

void solo__interactive_set_ask(solo__ask_fn ask, void *arg)
{
    ask_fn = ask;
    ask_arg = arg;
}

static int begin(void *state, uint64_t seed)
{
    (void)seed;
    ((struct solo__interactive_state *)state)->stopped = 0;
    return 0;
}

static size_t choose(void *state, const struct solo_choice *choice)
{
    struct solo__interactive_state *interactive = state;
    if (choice->index < interactive->given) {
        return interactive->answers[choice->index];
    }
    size_t chosen = ask_fn != NULL && choice->index < SOLO__CHOICES_MAX ? ask_fn(choice, ask_arg) : 0;
    if (chosen >= choice->count) {
        interactive->stopped = 1;
        return choice->count;
    }
    if (choice->index < SOLO__CHOICES_MAX) {
        interactive->answers[choice->index] = (uint16_t)chosen;
        interactive->given = choice->index + 1;
    }
    return chosen;
}

const struct solo_strategy solo__strategy_interactive = {.name = "interactive", .begin = begin, .choose = choose};
