/*
 * wait_cycle.c - who waits for whom, as a cycle if it is one, and in a sentence.
 *
 * Each waiter waits for one thing, and knows at most one thread that holds it or must give it; so from each there is
 * one way on, which ends at somebody who runs into nothing, or comes back.
 */
#define _GNU_SOURCE
#include "wait_cycle.h"
#include "oracle_internal.h"
#include "symbolize.h"
#include <dlfcn.h>
#include <stdio.h>
#include <string.h>

enum { LINKS_MAX = 4 }; /* in a sentence */

/* ---- Names ---- */

typedef const void *(*address_fn)(uint32_t object);

/* The interposer's, in a program that does not use the kit; NULL in others. */
static address_fn find_address_of(void)
{
    static address_fn found;
    static bool looked;
    if (!looked) {
        looked = true;
        found = (address_fn)dlsym(RTLD_DEFAULT, "solo_interpose_address_of");
    }
    return found;
}

const char *solo__wait_function(unsigned wait_kind, const char *object)
{
    if (find_address_of() == NULL) {
        return solo__oracle_waiting_function(wait_kind);
    }
    switch (wait_kind) {
    case SOLO_WAIT_MUTEX: return strstr(object, "mutex#") != NULL ? "pthread_mutex_lock" : NULL;
    case SOLO_WAIT_CONDITION: return "pthread_cond_wait";
    case SOLO_WAIT_SEMAPHORE: return "sem_wait";
    case SOLO_WAIT_JOIN: return "pthread_join";
    case SOLO_WAIT_BARRIER: return "pthread_barrier_wait";
    case SOLO_WAIT_ONCE: return "pthread_once";
    case SOLO_WAIT_STATIC: return "__cxa_guard_acquire";
    default: return NULL;
    }
}

bool solo__wait_is_pthreads(uint32_t object)
{
    address_fn address_of = find_address_of();
    return address_of != NULL && address_of(object) != NULL;
}

bool solo__wait_variable(uint32_t object, char *buffer, size_t size)
{
    address_fn address_of = find_address_of();
    const void *address = address_of != NULL ? address_of(object) : NULL;
    return address != NULL && solo__symbolize_variable(address, buffer, size);
}

/* ---- The cycle ---- */

/* Who must move before this one can; `count`: nobody among them. */
static uint32_t next_of(const struct solo_waiter *waiters, uint32_t count, uint32_t index)
{
    uint32_t next = 0;
    while (next < count &&
           (waiters[index].holder[0] == '\0' || strcmp(waiters[next].thread, waiters[index].holder) != 0)) {
        next++;
    }
    return next;
}

static uint32_t cycle_length(const struct solo_waiter *waiters, uint32_t count, uint32_t start)
{
    uint32_t at = next_of(waiters, count, start), length = 1;
    while (at < count && at != start && length <= count) {
        at = next_of(waiters, count, at);
        length++;
    }
    return at == start ? length : 0;
}

uint32_t solo__wait_cycle_first(struct solo_waiter *waiters, uint32_t count)
{
    uint32_t start = 0, length = 0;
    while (start < count && (length = cycle_length(waiters, count, start)) == 0) {
        start++;
    }
    for (uint32_t placed = 0, at = start; placed < length; placed++) {
        uint32_t next = next_of(waiters, count, at);
        struct solo_waiter waiter = waiters[at];
        memmove(&waiters[placed + 1], &waiters[placed], (at - placed) * sizeof waiter);
        waiters[placed] = waiter;
        at = next < at ? next + 1 : next; /* whoever stood before it moved up by one */
    }
    return length;
}

/* ---- The sentence ---- */

/* " waits in pthread_mutex_lock for `B` (bank.c:20)" */
static void print_wait(const struct solo_waiter *waiter, void (*place_of)(const char *, char *, size_t), FILE *out)
{
    char place[160] = "";
    const char *function = solo__wait_function(waiter->wait_kind, waiter->object);
    bool named = waiter->object[0] != '\0' && waiter->object[0] != '-';
    fprintf(out, " waits%s%s for ", function != NULL ? " in " : "", function != NULL ? function : "");
    if (waiter->wait_kind == SOLO_WAIT_JOIN) {
        fprintf(out, "the end of %s%s%s", waiter->holder[0] != '\0' ? "`" : "a thread", waiter->holder,
                waiter->holder[0] != '\0' ? "`" : "");
    } else if (waiter->object[0] == '`') { /* the number behind the name is for who compares it with the steps */
        fprintf(out, "%.*s`", (int)strcspn(waiter->object + 1, "`") + 1, waiter->object);
    } else {
        fputs(named ? waiter->object : solo_wait_kind_text(waiter->wait_kind), out);
    }
    place_of(waiter->thread, place, sizeof place);
    fprintf(out, "%s%s%s", place[0] != '\0' ? " (" : "", place, place[0] != '\0' ? ")" : "");
}

/* ", held by `b`" */
static void print_holder(const struct solo_waiter *waiter, FILE *out)
{
    if (waiter->wait_kind == SOLO_WAIT_JOIN) {
        return; /* was said */
    }
    fprintf(out, ", %s `%s`", waiter->wait_kind == SOLO_WAIT_MUTEX ? "held by" : "which is up to", waiter->holder);
}

void solo__wait_sentence(const struct solo_waiter *waiters, uint32_t count,
                         void (*place_of)(const char *thread, char *buffer, size_t size), char *buffer, size_t size)
{
    FILE *out = fmemopen(buffer, size, "w");
    uint32_t at = 0;
    buffer[0] = '\0';
    if (out == NULL) {
        return;
    }
    fprintf(out, "`%s`", waiters[0].thread);
    for (unsigned links = 1;; links++) {
        print_wait(&waiters[at], place_of, out);
        if (waiters[at].holder[0] == '\0') {
            break;
        }
        print_holder(&waiters[at], out);
        at = next_of(waiters, count, at);
        if (at == 0 || at == count || links == LINKS_MAX) {
            break;
        }
        fputs(", which", out);
    }
    fclose(out);
}
