/*
 * dependence.h - which operations commute: what each event touches, and in what way.
 *
 * Two transitions depend if they touch the same key in ways that do not commute. Keys are objects of the program
 * (locks, conditions, semaphores, words of memory, pools, jobs, connections), and one key for each part of the kit
 * whose order matters as a whole. Additions to what is only counted commute with each other, as reads do. Plain memory
 * that is touched elsewhere without being announced is not seen (solo/access.h); a yield is taken to write it, and a
 * beginning thread to read it.
 *
 * A transition that only finds out that its thread has to wait changes nothing that anybody else can see, if the thread
 * tries again when it is woken and waits without a limit (SOLO_ACCESS_WAIT): it is an attempt. An attempt comes after
 * what made it fail, and what made it fail could have come later; but with what follows it commutes, because to try in
 * vain and then again is to try later. (Blocking operations as transitions that are disabled: Godefroid, LNCS 1032,
 * 1996, chapter 3.) For the same reason nobody asks whether an unlock could have come after the lock that it let
 * through.
 *
 * What a worker of a pool does when it wants a job is known only afterwards. It took a job: that commutes with another
 * worker's taking another one, because whoever takes may take any that is queued, and all of those are tried. It found
 * none and sleeps: that comes after the takes that emptied the queue, and before or after what is queued next, because
 * which workers sleep then matters. It left: that commutes only with the leaving of others, of which the
 * last tells the loop, and so comes after all.
 *
 * The worker of its own thread is alone with its queue, whose order is that of acceptance; so when it takes and when it
 * sleeps makes no difference to anybody.
 */
#ifndef SOLO__DEPENDENCE_H
#define SOLO__DEPENDENCE_H

#include <solo/probe.h>
#include <stdbool.h>
#include <string.h>

enum {
    SOLO__KEY_LOOP = 1,    /* what belongs to the reactor thread: others touch it only if they should not */
    SOLO__KEY_INBOX,       /* the queues of thread calls, and whether their loops sleep */
    SOLO__KEY_QUEUES,      /* all queues of workers and pools: of what is accepted, its queue is not told */
    SOLO__KEY_BUSY,        /* how many workers are busy */
    SOLO__KEY_THREADS,     /* the threads' numbers */
    SOLO__KEY_MEMORY,      /* memory that nobody announces */
    SOLO__KEY_READINESS,   /* which descriptors are ready */
    SOLO__KEY_DESCRIPTORS, /* the numbers of descriptors, connections and ports */
    SOLO__KEY_CONNECTIONS, /* all of them: whoever stops listening ends those that wait */
    SOLO__KEY_FINDINGS,
    SOLO__TOUCHES_MAX = 4
};
#define SOLO__KEY_STAFF 0x80000000u /* and the id of a pool: its workers that have left */

enum solo__way { SOLO__READS, SOLO__ADDS, SOLO__WRITES };

struct solo__touch {
    uint32_t key; /* an object id, or one of the above, which are no ids */
    uint8_t way;  /* enum solo__way */
    bool takes;   /* it has what nobody else can have now */
    bool gives;   /* and from here on somebody else can */
    bool waits;   /* if it cannot be done yet its thread waits for it, and its waiting changes nothing */
};

/* What is known of the thread of an event, beyond the event. */
struct solo__toucher {
    bool works;     /* it is a worker of a pool or of its own thread */
    bool ends_loop; /* it is in a loop that is stopping: each pass asks whether the pools have drained */
    bool serves;    /* the object is an address where somebody listens */
};

/* What the event touches; nothing for JOB_WANTED, see below. Returns how many. */
unsigned solo__touches(const struct solo_event *event, const struct solo__toucher *who,
                       struct solo__touch touches[SOLO__TOUCHES_MAX]);

/*
 * What became of the wish for a job, and what that touches. LEFT: others of its pool are left; LEFT_LAST: perhaps not.
 */
enum solo__wish { SOLO__WISH_TOOK, SOLO__WISH_WAITS, SOLO__WISH_LEFT, SOLO__WISH_LEFT_LAST };
unsigned solo__touches_of_wish(enum solo__wish wish, uint32_t pool, uint32_t job,
                               struct solo__touch touches[SOLO__TOUCHES_MAX]);

static inline bool solo__ways_conflict(unsigned one, unsigned other)
{
    return one != other || one == SOLO__WRITES;
}

/*
 * What all that a transition touches amounts to: a bit for each key's number. Keys that share a bit are taken for one,
 * so that who sleeps wakes too early, and what was seen is repeated, but nothing is missed.
 */
enum { SOLO__FOOTPRINT_WORDS = 2, SOLO__FOOTPRINT_BITS = 64 * SOLO__FOOTPRINT_WORDS };
struct solo__footprint {
    uint64_t reads[SOLO__FOOTPRINT_WORDS], adds[SOLO__FOOTPRINT_WORDS], writes[SOLO__FOOTPRINT_WORDS];
};

static inline void solo__footprint_touch(struct solo__footprint *footprint, uint64_t number, enum solo__way way)
{
    uint64_t *bits = way == SOLO__READS ? footprint->reads : way == SOLO__ADDS ? footprint->adds : footprint->writes;
    bits[number / 64 % SOLO__FOOTPRINT_WORDS] |= UINT64_C(1) << number % 64;
}

/* Touches everything there is. */
static inline struct solo__footprint solo__footprint_of_all(void)
{
    struct solo__footprint footprint;
    memset(&footprint, UINT8_MAX, sizeof footprint);
    return footprint;
}

static inline void solo__footprint_add(struct solo__footprint *to, const struct solo__footprint *more)
{
    for (unsigned i = 0; i < SOLO__FOOTPRINT_WORDS; i++) {
        to->reads[i] |= more->reads[i];
        to->adds[i] |= more->adds[i];
        to->writes[i] |= more->writes[i];
    }
}

static inline bool solo__footprints_conflict(const struct solo__footprint *a, const struct solo__footprint *b)
{
    uint64_t both = 0;
    for (unsigned i = 0; i < SOLO__FOOTPRINT_WORDS; i++) {
        both |=
            (a->writes[i] & (b->reads[i] | b->adds[i] | b->writes[i])) | ((a->reads[i] | a->adds[i]) & b->writes[i]);
        both |= (a->reads[i] & b->adds[i]) | (a->adds[i] & b->reads[i]);
    }
    return both != 0;
}

#endif
