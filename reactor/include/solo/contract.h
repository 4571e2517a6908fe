/*
 * contract.h - which thread may call a function, said once.
 *
 * Every public function carries exactly one of the four words below, first on its prototype. From that one word
 * come the sentence in the manual, clang's compile-time check (-Wthread-safety), the run-time guard and the contract
 * table that the build generates from these headers (see solo_contract_find). The comment right above a prototype may
 * add lines that the table reads:
 *
 *     Instead: what to call from a thread that may not call this.
 *     Runs: fn on the reactor thread; done on the reactor thread.
 *     Blocks.
 *
 * Source of the compile-time form: clang's Thread Safety Analysis, with a role as the capability. Clang sees direct
 * calls only; the registration macros in thread_call.h close the hole for callbacks.
 */
#ifndef SOLO_CONTRACT_H
#define SOLO_CONTRACT_H

#ifdef __cplusplus
extern "C" {
#endif

#if defined(__clang__) && !defined(SOLO_NO_STATIC_CONTRACTS)
/* A role is a scalar so that negative capabilities work in C; nobody ever reads or writes it. */
typedef int __attribute__((capability("role"))) solo_role;
extern solo_role solo_role_reactor; /* held by code that runs on the reactor thread */
extern solo_role solo_role_pool;    /* held by code that runs on a pool worker */
#define SOLO_REACTOR_ONLY __attribute__((requires_capability(solo_role_reactor)))
#define SOLO_POOL_ONLY __attribute__((requires_capability(solo_role_pool)))
#define SOLO_NOT_ON_REACTOR __attribute__((locks_excluded(solo_role_reactor)))
#define SOLO_ANY_THREAD
#define SOLO_ASSERTS_REACTOR __attribute__((assert_capability(solo_role_reactor)))
#define SOLO_ASSERTS_POOL __attribute__((assert_capability(solo_role_pool)))
#define SOLO_SET_UP __attribute__((no_thread_safety_analysis))
#else
#define SOLO_REACTOR_ONLY    /* only the thread that owns the reactor may call it */
#define SOLO_POOL_ONLY       /* only code that runs on a pool worker may call it */
#define SOLO_NOT_ON_REACTOR  /* it blocks: any thread but the reactor thread */
#define SOLO_ANY_THREAD      /* thread-safe */
#define SOLO_ASSERTS_REACTOR /* returns only if the caller is the reactor thread */
#define SOLO_ASSERTS_POOL    /* returns only if the caller is a pool worker */
#define SOLO_SET_UP /* for main: sets up before the reactor runs, cleans up after; only the run-time guard looks */
#endif

/*
 * Callbacks: clang drops the contract of a function whose address is taken, so the functions that register callbacks
 * are also macros (clang and C only). Each adds a direct call of the callback in a branch that is never taken, where
 * exactly the role that will run it is held. A callback with another contract is then a warning at the registration.
 * The branch costs nothing when optimised, its arguments are evaluated once, and without parentheses the name is still
 * the function. Kit sources are compiled with SOLO_NO_STATIC_CONTRACTS, because they define those names.
 */
#if defined(__clang__) && !defined(SOLO_NO_STATIC_CONTRACTS) && !defined(__cplusplus)
#define SOLO_CHECKS_CALLBACKS 1
#define SOLO__NO_ANALYSIS __attribute__((no_thread_safety_analysis, unused))
SOLO__NO_ANALYSIS SOLO_ASSERTS_REACTOR SOLO_ASSERTS_POOL static inline void solo__in_every_role(void) {}
SOLO__NO_ANALYSIS static inline void __attribute__((release_capability(solo_role_pool))) solo__not_in_pool(void) {}
SOLO__NO_ANALYSIS static inline void __attribute__((release_capability(solo_role_reactor))) solo__not_on_reactor(void)
{
}

/*
 * A direct call of the callback if it has this type; else (NULL, or a mistake that the prototype will tell) of nothing.
 */
#define SOLO__CALLED_AS(type, fn, ...) ((void)_Generic((fn), type : (fn), default : (type)0)(__VA_ARGS__))
/* Not a constant, so that the analysis looks into the branch; the optimiser sees that it is 0. */
#define SOLO__IN_A_DEAD_BRANCH(...)                                                                                    \
    (__extension__({                                                                                                   \
        int solo__never = 0;                                                                                           \
        solo__never;                                                                                                   \
    })                                                                                                                 \
         ? (solo__in_every_role(), __VA_ARGS__, __builtin_unreachable())                                               \
         : (void)0)
#define SOLO__RUNS_ON_REACTOR(...) SOLO__IN_A_DEAD_BRANCH(solo__not_in_pool(), SOLO__CALLED_AS(__VA_ARGS__))
#define SOLO__RUNS_ON_POOL(...) SOLO__IN_A_DEAD_BRANCH(solo__not_on_reactor(), SOLO__CALLED_AS(__VA_ARGS__))
#define SOLO__RUNS_ON_NEW_THREAD(...)                                                                                  \
    SOLO__IN_A_DEAD_BRANCH(solo__not_on_reactor(), solo__not_in_pool(), SOLO__CALLED_AS(__VA_ARGS__))
#endif

/* Visible outside the shared library; everything else is hidden. */
#define SOLO_PUBLIC __attribute__((visibility("default")))

enum solo_contract_kind {
    SOLO_CONTRACT_ANY_THREAD = 0,
    SOLO_CONTRACT_REACTOR_ONLY,
    SOLO_CONTRACT_NOT_ON_REACTOR,
    SOLO_CONTRACT_POOL_ONLY,
};

/* One row of the generated table. All strings live as long as the program. */
struct solo_contract {
    const char *function;         /* "solo_transport_write" */
    enum solo_contract_kind kind; /* its word */
    const char *file;             /* "solo/transport.h" */
    int line;                     /* of the prototype */
    int blocks;                   /* 1 if the comment says "Blocks." */
    const char *instead;          /* the text after "Instead:", or "" */
    const char *runs;             /* the text after "Runs:", or "" */
};

/* Returns the row of `function`, or NULL if no public function has that name. */
SOLO_ANY_THREAD SOLO_PUBLIC const struct solo_contract *solo_contract_find(const char *function);

/* Returns row `index` in order of name, or NULL past the end. */
SOLO_ANY_THREAD SOLO_PUBLIC const struct solo_contract *solo_contract_at(unsigned index);

/* "reactor-only", "any thread", "not on the reactor thread", "pool only". Never NULL. */
SOLO_ANY_THREAD SOLO_PUBLIC const char *solo_contract_kind_name(enum solo_contract_kind kind);

#ifdef __cplusplus
}
#endif
#endif
