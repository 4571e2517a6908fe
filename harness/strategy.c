/* strategy.c - the strategies that `explore` can be asked for, by name. */
#include "strategy.h"
#include <stdlib.h>
#include <string.h>

#define SAMPLES(word)                                                                                                  \
    {                                                                                                                  \
        .name = word, .begin = solo__sampling_begin, .choose = solo__sampling_choose, .step = solo__sampling_step,     \
        .find_pass = solo__sampling_find_pass, .skips_choices = true                                                   \
    }

static const struct solo_strategy pct = SAMPLES("pct");
static const struct solo_strategy pos = SAMPLES("pos");
static const struct solo_strategy urw = SAMPLES("urw");
static const struct solo_strategy surw = SAMPLES("surw");
static const struct solo_strategy hold = SAMPLES("hold");
static const struct solo_strategy locks = SAMPLES("locks");
static const struct solo_strategy portfolio = SAMPLES("portfolio");

/* What follows the colon: from min to max; both 0: nothing may. */
static const struct row {
    const struct solo_strategy *strategy;
    size_t state_size;
    enum solo__sampler sampler;
    unsigned min, max;
    const char *about;
} rows[] = {
    {&portfolio, sizeof(struct solo__sampling_state), SOLO__SAMPLE_PLAIN, 0, 0,
     "takes turns among hold, pos, surw, pct, urw and random, and says which one found the defect"},
    {&solo__strategy_random, sizeof(struct solo__random_state), SOLO__SAMPLE_RANDOM, 0, 0,
     "a random walk: every option is equally likely"},
    {&pct, sizeof(struct solo__sampling_state), SOLO__SAMPLE_PCT, 1, SOLO__PCT_DEPTH_MAX,
     "pct[:D]: thread priorities that change D - 1 times (without D: 0 to 4 times, in turn)"},
    {&pos, sizeof(struct solo__sampling_state), SOLO__SAMPLE_POS, 0, 0,
     "priorities of operations, drawn anew where they conflict"},
    {&urw, sizeof(struct solo__sampling_state), SOLO__SAMPLE_URW, 0, 0,
     "every interleaving is equally likely, as far as was seen"},
    {&surw, sizeof(struct solo__sampling_state), SOLO__SAMPLE_SURW, 0, 0,
     "every order of the operations on one object is, another object each time"},
    {&hold, sizeof(struct solo__sampling_state), SOLO__SAMPLE_HOLD, 0, 0,
     "threads wait at one place of the program after the other while all else goes on"},
    {&locks, sizeof(struct solo__sampling_state), SOLO__SAMPLE_LOCKS, 0, 0,
     "whoever holds a lock waits before it takes another one while all else goes on"},
    {&solo__strategy_fifo, sizeof(struct solo__fifo_state), SOLO__SAMPLERS, 0, 0, "the plain schedule, once"},
    {&solo__strategy_dfs, sizeof(struct solo__dfs_state), SOLO__SAMPLERS, 0, SOLO_DELAY_UNBOUNDED,
     "dfs[:B]: every schedule with at most B delays, those with fewest first"},
    {&solo__strategy_preempt, sizeof(struct solo__dfs_state), SOLO__SAMPLERS, 0, SOLO_DELAY_UNBOUNDED,
     "preempt[:B]: every schedule with at most B preemptions, those with fewest first"},
    {&solo__strategy_dpor, sizeof(struct solo__dpor_state), SOLO__SAMPLERS, 0, 0,
     "each order of operations that depend on each other, once"},
    {&solo__strategy_bytes, sizeof(struct solo__bytes_state), SOLO__SAMPLERS, 0, 0,
     "the bytes given by solo_strategy_bytes are the answers, for fuzzers; without them the plain schedule, once"},
};

enum { ROWS = sizeof rows / sizeof rows[0] };

static bool takes_argument(const struct row *row)
{
    return row->max != 0;
}

/* The number after the colon. False: it is not one, or not from min to max. */
static bool read_argument(const struct row *row, const char *text, unsigned *ret_argument)
{
    char *end;
    unsigned long long value = strtoull(text, &end, 10);
    if (!takes_argument(row) || text[0] < '0' || text[0] > '9' || *end != '\0' || value < row->min ||
        value > row->max) {
        return false;
    }
    *ret_argument = (unsigned)value;
    return true;
}

static const struct row *find_row(const char *name)
{
    if (name == NULL) {
        return NULL;
    }
    size_t length = strcspn(name, ":");
    for (unsigned i = 0; i < ROWS; i++) {
        const char *known = rows[i].strategy->name;
        unsigned argument;
        if (strlen(known) == length && memcmp(known, name, length) == 0 &&
            (name[length] == '\0' || read_argument(&rows[i], name + length + 1, &argument))) {
            return &rows[i];
        }
    }
    return NULL;
}

const struct solo_strategy *solo_strategy_find(const char *name, size_t *ret_state_size)
{
    const struct row *row = find_row(name);
    if (row != NULL && ret_state_size != NULL) {
        *ret_state_size = row->state_size;
    }
    return row != NULL ? row->strategy : NULL;
}

unsigned solo_strategy_argument(const char *name, unsigned otherwise)
{
    const struct row *row = find_row(name);
    const char *colon = row != NULL ? strchr(name, ':') : NULL;
    unsigned argument = otherwise;
    if (colon != NULL) {
        (void)read_argument(row, colon + 1, &argument);
    }
    return argument;
}

const char *solo_strategy_at(unsigned index)
{
    return index < ROWS ? rows[index].strategy->name : NULL;
}

const char *solo_strategy_about(unsigned index)
{
    return index < ROWS ? rows[index].about : NULL;
}

int solo_strategy_prepare(const struct solo_strategy *strategy, void *state, unsigned argument)
{
    const struct row *row = strategy != NULL && state != NULL ? find_row(strategy->name) : NULL;
    if (row == NULL || row->strategy != strategy) {
        return -EINVAL;
    }
    if (strategy == &solo__strategy_dfs || strategy == &solo__strategy_preempt) {
        struct solo__dfs_state *dfs = state;
        memset(dfs, 0, offsetof(struct solo__dfs_state, path));
        dfs->delay_bound = argument;
        dfs->preemptions = strategy == &solo__strategy_preempt;
    } else if (strategy == &solo__strategy_dpor) {
        struct solo__dpor_state *dpor = state;
        memset(dpor, 0, offsetof(struct solo__dpor_state, nodes)); /* it knows how much of its tables is in use */
        dpor->word_count = 0;
    } else if (row->state_size == sizeof(struct solo__sampling_state)) {
        unsigned depth = takes_argument(row) && argument <= row->max ? argument : 0;
        solo__sampling_prepare(state, row->sampler, strategy == &portfolio, depth);
    } else {
        memset(state, 0, row->state_size);
    }
    return 0;
}

const char *solo_strategy_member(const struct solo_strategy *strategy, const void *state)
{
    if (strategy == NULL || state == NULL) {
        return "";
    }
    return strategy == &portfolio ? solo__sampling_name(state) : strategy->name;
}

bool solo__strategy_is_bounded(const char *name)
{
    const struct row *row = find_row(name);
    return row != NULL && (row->strategy == &solo__strategy_dfs || row->strategy == &solo__strategy_preempt);
}

bool solo__strategy_samples(const char *name)
{
    const struct row *row = find_row(name);
    return row != NULL && row->sampler != SOLO__SAMPLERS;
}
