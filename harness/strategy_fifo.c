/* strategy_fifo.c - the plain schedule: always option 0. There is one, so a second schedule is not begun. */
#include "strategy.h"

static int begin(void *state, uint64_t seed)
{
    struct solo__fifo_state *fifo = state;
    (void)seed;
    if (fifo->begun) {
        return 1;
    }
    fifo->begun = 1;
    return 0;
}

static size_t choose(void *state, const struct solo_choice *choice)
{
    (void)state;
    (void)choice;
    return 0;
}

const struct solo_strategy solo__strategy_fifo = {.name = "fifo", .begin = begin, .choose = choose};
