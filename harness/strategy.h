/*
 * strategy.h - the strategies of the explorer, and the state each keeps.
 *
 * All state lies in memory that the explorer shares with its children, so it survives a crash: `begin` in the next
 * child goes on from what the last one left. Hence no pointers in it, and a `begin` that copes with a schedule that
 * never got its `end`.
 */
#ifndef SOLO__STRATEGY_H
#define SOLO__STRATEGY_H

#include "dpor.h"
#include "sampling.h"
#include "turns.h"
#include <solo/explore.h>
#include <solo/token.h>

/*
 * Limits of what is kept. Small where that matters: memcheck looks through all memory whenever a child ends, and
 * torture tests at the limits.
 */
#if defined(SOLO_VALGRIND) || defined(SOLO_TORTURE)
enum { SOLO__CHOICES_MAX = 1 << 13, SOLO__DFS_DEPTH_MAX = 1 << 10 };
#else
enum { SOLO__CHOICES_MAX = SOLO_TOKEN_CHOICES_MAX, SOLO__DFS_DEPTH_MAX = 1 << 16 };
#endif

/* ---- plain: answers 0; one schedule is all there is ---- */

struct solo__fifo_state {
    uint32_t begun;
};
extern const struct solo_strategy solo__strategy_fifo;

/* ---- random ---- */

struct solo__random_state {
    uint64_t random;
};
extern const struct solo_strategy solo__strategy_random;

/* ---- pct, pos, urw, surw, hold, locks, and the portfolio of them: sampling.h ---- */

/* ---- exhaustive depth-first, with a bound on delays ---- */

/* One answer on the path from the root of the tree. */
struct solo__dfs_entry {
    uint16_t chosen;
    uint16_t count;
    uint16_t check;
    uint8_t kind;
    uint8_t last_is_time; /* the last option lets time pass */
    uint8_t gave_way;     /* taking the turn from the thread that asks is no preemption */
};

struct solo__dfs_state {
    uint32_t delay_bound; /* SOLO_DELAY_UNBOUNDED: none */
    uint32_t preemptions; /* that is what the bound is on, not delays */
    uint32_t round;       /* this round tries the schedules that cost exactly this many delays */
    uint32_t depth;       /* entries of the path */
    uint32_t position;    /* in the running schedule */
    uint64_t spent;       /* delays of all entries */
    uint32_t begun;
    uint32_t finished;    /* everything within the bound was tried */
    uint32_t complete;    /* and nothing lies beyond the bound */
    uint32_t refused;     /* an option was too dear in this round */
    uint32_t cut;         /* a schedule had more choices than the path can hold: only its first ones were varied */
    uint32_t diverged_at; /* number of the choice that was not the same as before, 0 if all were */
    uint32_t is_part;     /* of one round, up to a path that it does not run any more, if it has such an end */
    uint32_t has_end, end_depth;
    uint32_t along_end;  /* the path so far is the end's */
    uint32_t behind_end; /* the schedule that ran belongs to the next part */
    uint32_t plainly;    /* no search: the schedule goes on plainly behind its path */
    struct solo__dfs_entry path[SOLO__DFS_DEPTH_MAX];
    struct solo__dfs_entry end[SOLO__DFS_DEPTH_MAX];
};
extern const struct solo_strategy solo__strategy_dfs, solo__strategy_preempt;

/* A path, which may differ in its last answer from the one that its entries were seen on. */
struct solo__dfs_path {
    const struct solo__dfs_entry *entries;
    uint32_t length;
    int32_t last; /* -1: as in its entries */
};

static inline unsigned solo__dfs_path_at(const struct solo__dfs_path *path, uint32_t index)
{
    return index + 1 == path->length && path->last >= 0 ? (unsigned)path->last : path->entries[index].chosen;
}

/* What it costs to answer with this option. */
uint32_t solo__dfs_cost(const struct solo__dfs_state *state, const struct solo__dfs_entry *entry, unsigned option);
/*
 * Lets a state that was prepared search one part of a round: from where `first` begins up to where `end` does (NULL: up
 * to the end of the round).
 */
void solo__dfs_begin_part(struct solo__dfs_state *state, const struct solo__dfs_path *first,
                          const struct solo__dfs_path *end, uint32_t round);

/* Whether the schedule that just ran was run in an earlier round too, or is another part's, so it does not count. */
static inline bool solo__dfs_is_repeat(const struct solo__dfs_state *state)
{
    if (state->behind_end) {
        return true;
    }
    return state->delay_bound != SOLO_DELAY_UNBOUNDED && state->spent < state->round;
}

/* ---- exhaustive with reduction: dpor.h ---- */

extern const struct solo_strategy solo__strategy_dpor;

/* ---- replay of a token ---- */

struct solo__replay_state {
    uint32_t strict;
    uint32_t choices;     /* in the recorded schedule */
    uint32_t open;        /* it may go on after them */
    uint32_t spacing;     /* choices per check character */
    uint32_t next;        /* deviation that comes next */
    uint32_t diverged_at; /* strict: number of the first choice that did not fit, 0 if none */
    uint32_t misfits;     /* lenient: deviations that could not be followed */
    uint32_t end_check;
    uint32_t deviation_count;
    char checks[SOLO_TOKEN_CHECKS_MAX + 4];
    uint32_t by_turns; /* lenient: `turns` say who runs, instead of deviations */
    struct solo_deviation deviations[SOLO__CHOICES_MAX];
    struct solo__turns turns;
};
extern const struct solo_strategy solo__strategy_replay;

/* Loads a token. Lenient: what does not fit is answered plainly. -E2BIG: more deviations than SOLO__CHOICES_MAX. */
int solo__replay_load(struct solo__replay_state *state, const struct solo_token *token, bool strict);
/* Loads deviations alone, for lenient replay. */
void solo__replay_load_deviations(struct solo__replay_state *state, const struct solo_deviation *deviations,
                                  uint32_t count);
void solo__replay_load_answers(struct solo__replay_state *state, const struct solo_answer *answers, uint32_t count);
/* After a strict replay that ended by itself: notices a schedule that ended too early. Returns diverged_at. */
uint32_t solo__replay_close(struct solo__replay_state *state, uint32_t answers_count, uint32_t last_check);

/* ---- bytes: somebody's bytes are the answers ---- */

struct solo__bytes_state {
    uint32_t loaded, size, next;
    uint8_t bytes[SOLO_BYTES_MAX];
};
extern const struct solo_strategy solo__strategy_bytes;

/* ---- interactive: somebody else answers ---- */

struct solo__interactive_state {
    uint32_t given; /* answers that are given already: not asked again */
    uint32_t stopped;
    uint16_t answers[SOLO__CHOICES_MAX];
};
extern const struct solo_strategy solo__strategy_interactive;

/* Asks; returns the option, or SIZE_MAX to stop the run. Set in the child that runs the schedule. */
typedef size_t (*solo__ask_fn)(const struct solo_choice *choice, void *arg);
void solo__interactive_set_ask(solo__ask_fn ask, void *arg);

/* ---- all of them ---- */

/* Whether this strategy is one of the bounded searches of strategy_dfs.c. */
bool solo__strategy_is_bounded(const char *name);
/* Whether this strategy draws schedules, without end, and does not search for all of them. */
bool solo__strategy_samples(const char *name);

union solo__strategy_state {
    struct solo__fifo_state fifo;
    struct solo__random_state random;
    struct solo__sampling_state sampling;
    struct solo__dfs_state dfs;
    struct solo__dpor_state dpor;
    struct solo__replay_state replay;
    struct solo__bytes_state bytes;
    struct solo__interactive_state interactive;
};

#endif
