/* strategy.c - the strategies that `explore` can be asked for, by name. */
#include "strategy.h"
#include <string.h>

static const struct {
    const struct solo_strategy *strategy;
    size_t state_size;
} strategies[] = {
    {&solo__strategy_random, sizeof(struct solo__random_state)},
    {&solo__strategy_fifo, sizeof(struct solo__fifo_state)},
    {&solo__strategy_dfs, sizeof(struct solo__dfs_state)},
};

enum { STRATEGIES = sizeof strategies / sizeof strategies[0] };

const struct solo_strategy *solo_strategy_find(const char *name, size_t *ret_state_size)
{
    for (unsigned i = 0; name != NULL && i < STRATEGIES; i++) {
        if (strcmp(strategies[i].strategy->name, name) == 0) {
            if (ret_state_size != NULL) {
                *ret_state_size = strategies[i].state_size;
            }
            return strategies[i].strategy;
        }
    }
    return NULL;
}

const char *solo_strategy_at(unsigned index)
{
    return index < STRATEGIES ? strategies[index].strategy->name : NULL;
}

int solo_strategy_prepare(const struct solo_strategy *strategy, void *state, unsigned delay_bound)
{
    if (strategy == NULL || state == NULL) {
        return -EINVAL;
    }
    if (strategy == &solo__strategy_dfs) {
        struct solo__dfs_state *dfs = state;
        memset(dfs, 0, offsetof(struct solo__dfs_state, path));
        dfs->delay_bound = delay_bound;
    } else if (strategy == &solo__strategy_random) {
        memset(state, 0, sizeof(struct solo__random_state));
    } else if (strategy == &solo__strategy_fifo) {
        memset(state, 0, sizeof(struct solo__fifo_state));
    } else {
        return -EINVAL;
    }
    return 0;
}
