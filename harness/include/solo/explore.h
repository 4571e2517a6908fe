/*
 * explore.h - running a scenario or a whole program under many schedules.
 *
 * A scenario runs many schedules in one process; a program (its main unchanged) is started once and forked for each
 * schedule. Either way exploration runs in a child, and each answer is written to shared memory before it takes effect,
 * so a crash or a hang keeps its schedule. The parent's wall-clock watchdog only kills: its finding is "unmodelled
 * block", and it marks the verdict incomplete.
 */
#ifndef SOLO_EXPLORE_H
#define SOLO_EXPLORE_H

#include <solo/detail.h>
#include <solo/expect.h>
#include <solo/sim.h>
#include <solo/trace.h>
#include <solo/violation.h>
#include <stdbool.h>
#include <stdio.h>

#ifdef __cplusplus
extern "C" {
#endif

struct solo_scenario {
    const char *name;          /* letters, digits, '-' and '_'; part of every token */
    void (*body)(void *arg);   /* main of the schedule; runs as virtual thread 0 */
    void (*set_up)(void *arg); /* before each schedule, outside the simulation; may be NULL */
    /* After each schedule that came to its end (no deadlock), outside the simulation: NULL if all is well, else one
     * sentence. May be NULL. */
    const char *(*invariant)(void *arg);
    void (*tear_down)(void *arg); /* after invariant; may be NULL */
    void *arg;
};

#define SOLO_DELAY_UNBOUNDED 0xffffffffu /* explore everything */

enum {
    SOLO_BYTES_MAX = 65536,
    SOLO_TOKEN_MAX = 4096,
    SOLO_FINDINGS_MAX = 32,
    SOLO_EVIDENCE_MAX = 512,
    SOLO_OUTPUT_MAX = 16384,
    SOLO_EXPLORATION_MAX = 512,
    SOLO_CYCLES_MAX = 64
};

enum { SOLO_JOBS_MAX = 256, SOLO_SHARDS_MAX = 65536 };

/* Where threads can be switched: at calls, or also at the memory accesses of a program built by `solo cc`. */
enum solo_wanted_granularity {
    SOLO_WANT_FINEST = 0, /* as the program was built */
    SOLO_WANT_SYNC,
    SOLO_WANT_ACCESS, /* -ENOTSUP if it was not built so */
};

struct solo_explore_options {
    const char *strategy;      /* "portfolio" (default), "pct:3", "dfs", ...; see solo_strategy_find */
    uint64_t seed;             /* of the first schedule; the next ones follow from it */
    uint64_t schedules_max;    /* 0: 1,000 distinct ones, at most 10,000 in all; "dfs": its end, at most 100,000 */
    unsigned delay_bound;      /* of "dfs" without a number; SOLO_DELAY_UNBOUNDED: none */
    enum solo_carrier carrier; /* of a program without libsolo it is always the token */
    enum solo_wanted_granularity granularity;
    uint64_t steps_max; /* 0: one million */
    uint32_t faults_max;
    bool let_time_pass;    /* default of solo_explore_defaults: true */
    bool stop_at_first;    /* stop at the first failing schedule */
    bool shrink;           /* shrink the first token of each finding */
    uint64_t watchdog_ns;  /* wall-clock limit of one schedule; 0: 10 s */
    const char *peer_file; /* peer script for programs, or NULL */
    enum solo_policy policy;
    FILE *progress;       /* NULL: none */
    uint32_t twice_every; /* run every n-th schedule twice and compare the traces (SOLO019); 0: never */
    bool dependences;     /* traces also say which earlier event each one depends on */
    /*
     * With any of the next three the schedules are cut into units of 128, each of which begins afresh: the result is
     * the same for every number of jobs, and that of all shards together the same as that of one. A search ("dfs",
     * "preempt", "dpor") is cut into parts at its first choices, after a few schedules that are not counted. The parts
     * of "dfs" and "preempt" have each schedule of the search once; those of "dpor" may have more than one search would
     * need, with the same findings. schedules_max is then the limit of each shard. "fifo" and "bytes" have no shards.
     */
    unsigned jobs;               /* so many processes share the work; 0 and 1: one */
    unsigned shard, shards;      /* do only the units of shard `shard`, from 1, of `shards`; 0: all */
    const char *checkpoint_file; /* saved now and then and at the end, and gone on from if it is there; NULL: none */
    const char *token_directory; /* where a token too long for SOLO_TOKEN_MAX is written; NULL: the current directory */
};

/*
 * One defect, however many schedules show it: same violation id, function, object kind and role; of SOLO016 the same
 * places. SOLO016 is a warning: the schedules that show it have not failed. Locks in a circle are a finding only if no
 * schedule came to that deadlock, not even some that were directed at it, and if not all schedules were tried.
 */
struct solo_finding {
    struct solo_violation violation;    /* of the shortest schedule that shows it */
    struct solo_detail detail;          /* of that violation, from a replay of the token */
    bool reproduced;                    /* a strict replay of the token in a fresh process showed it again */
    uint64_t schedules;                 /* how many explored schedules show it */
    uint64_t first_schedule;            /* number of the first one, from 1 */
    uint32_t deviations_found;          /* in the token as found */
    uint32_t deviations;                /* in the token below, after shrinking */
    char token[SOLO_TOKEN_MAX];         /* replays it */
    char passing_token[SOLO_TOKEN_MAX]; /* the nearest schedule that passes, "" if none was seen */
    char signature[128];
    char found_by[16];            /* the strategy that made the first failing schedule */
    char output[SOLO_OUTPUT_MAX]; /* what the program printed in that schedule; cut in the middle */
};

enum solo_verdict {
    SOLO_VERDICT_CLEAN = 0,
    SOLO_VERDICT_FINDINGS = 1,
    SOLO_VERDICT_INCOMPLETE = 3, /* the watchdog had to kill something, or the kit failed */
};

/* What the program declared with solo_must_happen, over all explored schedules. */
struct solo_required {
    char name[SOLO_EXPECT_NAME_MAX];
    uint32_t wanted;    /* the largest count that a schedule declared */
    uint32_t least;     /* how often it happened in the schedule where it happened least */
    uint64_t schedules; /* how many of them had as many as they wanted */
};

/* How far an exhaustive search came, or a shard's part of it. */
struct solo_searched {
    char strategy[16]; /* "" : none, or one that has no parts */
    bool finished;     /* everything within the bound was tried */
    bool complete;     /* and nothing lies beyond it */
    bool cut;          /* schedules were too long to vary all of their choices */
    unsigned bound;    /* SOLO_DELAY_UNBOUNDED: none */
    unsigned round;    /* everything below this bound was tried, also if it is not finished */
};

struct solo_report {
    enum solo_verdict verdict;
    uint64_t schedules, distinct, failing, steps;
    uint64_t orders; /* that differ in who synchronised with whom in which order; the same one has many schedules */
    bool sampled;    /* by a strategy that draws schedules, and does not search for all of them */
    uint32_t threads, points; /* most threads, and most steps where another thread could go on, of a schedule */
    uint64_t choices;         /* recorded answers in all */
    uint64_t wall_ns;
    bool exhausted;                   /* everything within the bound was tried */
    char evidence[SOLO_EVIDENCE_MAX]; /* one honest sentence, such as "all 1,254 schedules passed" */
    unsigned required_count;
    struct solo_required required[SOLO_EXPECT_MAX]; /* in the order they were first declared */
    uint64_t unlisted;   /* violations of defects that found no room in `findings`: a schedule counts for each */
    bool traces_full;    /* there was no room for more: `distinct` is only the least that it can be */
    bool orders_full;    /* likewise `orders` */
    uint64_t unfinished; /* schedules that were stopped before their end, by the watchdog or steps_max */
    bool stopped;        /* by solo_explore_stop */
    struct solo_searched search; /* of one with jobs, shards or a checkpoint */
    /* Of a shard of a search: schedules directed at locks taken in a circle, which are not among `schedules`. */
    uint64_t directed, directed_failing;
    /* Of one shard, for whoever puts them together; all zero otherwise. */
    unsigned shard, shards;
    char exploration[SOLO_EXPLORATION_MAX]; /* program and options in words: equal for shards of one exploration */
    uint64_t *traces;                       /* the distinct ones: a hash each, odd if it was seen more than once */
    uint64_t *seen_orders;                  /* likewise, `orders` of them; free both */
    unsigned cycle_count;                   /* circles of locks (violation.cycle) that were reached as a deadlock */
    uint64_t cycles[SOLO_CYCLES_MAX];
    unsigned finding_count;
    struct solo_finding findings[SOLO_FINDINGS_MAX];
};

/* Defaults: portfolio, seed 1, 1,000 schedules, fibers, time may pass, shrink. */
SOLO_ANY_THREAD SOLO_PUBLIC void solo_explore_defaults(struct solo_explore_options *options);

/*
 * Explores a scenario. 0 and a filled report, whatever was found; -EINVAL, -ENOMEM, -EIO. Call it outside any
 * simulation.
 */
SOLO_ANY_THREAD SOLO_PUBLIC int solo_explore(const struct solo_scenario *scenario,
                                             const struct solo_explore_options *options,
                                             struct solo_report *ret_report);

/*
 * Explores a program: one linked with the shared libsolo, or one that knows nothing of it, whose threads are
 * interposed (docs/concepts/programs.md). argv ends with NULL. -ENOENT, -EACCES, -ENOEXEC; -ENOTSUP: it is static or
 * set-uid, or not built for what is wanted; -EPROTO: it ended before its first schedule; as the peer script is refused;
 * else as solo_explore. After an error `evidence` says why in one sentence.
 */
SOLO_ANY_THREAD SOLO_PUBLIC int solo_explore_program(char *const argv[], const struct solo_explore_options *options,
                                                     struct solo_report *ret_report);

/*
 * Lets the exploration under way in this process end after the schedule in flight, with everything found so far and
 * nothing shrunk; while it shrinks what it has found, it goes on with the schedules that it has. Async-signal-safe: for
 * a handler of SIGINT. False: there is no exploration under way, and nothing was done.
 */
SOLO_ANY_THREAD SOLO_PUBLIC bool solo_explore_stop(void);

/* What a replay saw. */
struct solo_replay {
    int ending; /* enum solo_ending */
    int signal; /* that killed it, 0 if none */
    int exit_status;
    uint64_t trace_hash;
    uint64_t diverged_at; /* strict replay: number of the choice that no longer fits, from 1; 0 if all fit */
    uint64_t steps;
    unsigned violation_count;
    struct solo_violation violations[16];
    struct solo_detail details[16]; /* of each violation, resolved in the process that made it */
    char *trace;                    /* the whole trace as text, if asked for; free it */
    size_t trace_size;
    char token[SOLO_TOKEN_MAX]; /* replays exactly this run, "" if it is too long */
    char output[SOLO_OUTPUT_MAX];
};

/*
 * Runs one token. `strict` stops where it no longer fits. -EINVAL: not a token of this scenario or schema, with why in
 * `why`.
 */
SOLO_ANY_THREAD SOLO_PUBLIC int solo_replay_scenario(const struct solo_scenario *scenario, const char *token,
                                                     const struct solo_explore_options *options, bool strict,
                                                     bool want_trace, struct solo_replay *ret_replay,
                                                     char why[SOLO_EVIDENCE_MAX]);
SOLO_ANY_THREAD SOLO_PUBLIC int solo_replay_program(char *const argv[], const char *token,
                                                    const struct solo_explore_options *options, bool strict,
                                                    bool want_trace, struct solo_replay *ret_replay,
                                                    char why[SOLO_EVIDENCE_MAX]);

/* ---- Being the scheduler ---- */

enum { SOLO_STEP_OPTIONS_MAX = SOLO_SIM_THREADS_MAX + 1 };

struct solo_step_option {
    struct solo_option option;
    char text[96]; /* "main/1: lock mutex#1" */
};

/* What somebody sees who is asked. Everything is valid only during the call. */
struct solo_step_view {
    enum solo_choice_kind kind;
    uint32_t index; /* of this choice, from 0 */
    uint64_t step, now_ns;
    const char *thread;                     /* who asks */
    const struct solo_step_option *options; /* the first one is the plain answer */
    size_t option_count;
    const struct solo_waiter *waiters; /* who is blocked, and on what */
    size_t waiter_count;
    const struct solo_trace *trace; /* what happened so far */
};

enum {
    SOLO_STEP_STOP = -1,  /* end the run here */
    SOLO_STEP_UNDO = -2,  /* take back the last answer (at the first choice: ask again) */
    SOLO_STEP_PLAIN = -3, /* answer plainly from here on */
};

/*
 * Returns the index of an option, or one of the above. Called in the caller's own process, however the choice came
 * about.
 */
typedef long (*solo_step_fn)(const struct solo_step_view *view, void *arg);

/* Runs one schedule in which `step` makes every choice. Errors as solo_replay_scenario and solo_replay_program. */
SOLO_ANY_THREAD SOLO_PUBLIC int solo_step_scenario(const struct solo_scenario *scenario,
                                                   const struct solo_explore_options *options, solo_step_fn step,
                                                   void *arg, struct solo_replay *ret_replay,
                                                   char why[SOLO_EVIDENCE_MAX]);
SOLO_ANY_THREAD SOLO_PUBLIC int solo_step_program(char *const argv[], const struct solo_explore_options *options,
                                                  solo_step_fn step, void *arg, struct solo_replay *ret_replay,
                                                  char why[SOLO_EVIDENCE_MAX]);

/*
 * A strategy by name, with the size of its state; NULL if unknown. A number may follow a colon where the strategy takes
 * one: "pct:3", "dfs:2". solo_strategy_at lists the names, and solo_strategy_about says what each does; NULL past the
 * end.
 */
SOLO_ANY_THREAD SOLO_PUBLIC const struct solo_strategy *solo_strategy_find(const char *name, size_t *ret_state_size);
SOLO_ANY_THREAD SOLO_PUBLIC const char *solo_strategy_at(unsigned index);
SOLO_ANY_THREAD SOLO_PUBLIC const char *solo_strategy_about(unsigned index);

/* The number after the colon of such a name; `otherwise` where there is none. */
SOLO_ANY_THREAD SOLO_PUBLIC unsigned solo_strategy_argument(const char *name, unsigned otherwise);

/*
 * Makes the state of a strategy found that way ready for its first `begin`. argument: "dfs": the bound on delays;
 * "pct": the depth, 0 for all in turn; no matter to others. -EINVAL.
 */
SOLO_ANY_THREAD SOLO_PUBLIC int solo_strategy_prepare(const struct solo_strategy *strategy, void *state,
                                                      unsigned argument);

/*
 * Gives the strategy "bytes" what its next schedule answers with: each byte, modulo the number of options, is the
 * answer to one choice; after the last one, and beyond SOLO_BYTES_MAX, answers are plain. So a fuzzer drives schedules.
 * The bytes are copied. -EINVAL: another strategy, or NULL.
 */
SOLO_ANY_THREAD SOLO_PUBLIC int solo_strategy_bytes(const struct solo_strategy *strategy, void *state,
                                                    const void *bytes, size_t size);

/*
 * Name of what made the last schedule: of a portfolio the one whose turn it was, of any other strategy its own.
 */
SOLO_ANY_THREAD SOLO_PUBLIC const char *solo_strategy_member(const struct solo_strategy *strategy, const void *state);

/*
 * Not for programs: libsolo calls it before main in a program that was started with a control descriptor in its
 * environment. It serves the explorer until that is gone, and returns only in the children that run schedules.
 */
SOLO_ANY_THREAD SOLO_PUBLIC void solo_harness_main(int control_fd);

#ifdef __cplusplus
}
#endif
#endif
