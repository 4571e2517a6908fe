/*
 * contract.h - which thread may call a function, said once.
 *
 * Every public function carries exactly one of the four words below, first on its prototype. From that one word
 * come the sentence in the manual, clang's compile-time check (-Wthread-safety), the run-time guard and the contract
 * table that the build generates from these headers (see solo_contract_find). The comment right above a prototype may add
 * lines that the table reads:
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
#else
#define SOLO_REACTOR_ONLY    /* only the thread that owns the reactor may call it */
#define SOLO_POOL_ONLY       /* only code that runs on a pool worker may call it */
#define SOLO_NOT_ON_REACTOR  /* it blocks: any thread but the reactor thread */
#define SOLO_ANY_THREAD      /* thread-safe */
#define SOLO_ASSERTS_REACTOR /* returns only if the caller is the reactor thread */
#define SOLO_ASSERTS_POOL    /* returns only if the caller is a pool worker */
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
