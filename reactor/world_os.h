/* world_os.h - the real world as its backend files and the kit's thread identities see it. */
#ifndef SOLO__WORLD_OS_H
#define SOLO__WORLD_OS_H

#include "annotate.h"
#include "object.h"

/*
 * ThreadSanitizer looks away from leaf locks and wakes, as in world sim: what they guard is the kit's own, and the
 * order they happen to give to the threads that pass would hide races of programs. What a program may rely on is
 * annotated for each call and job. tests/test_two_writers.c breaks if that is wrong.
 */
#ifdef SOLO_TSAN
#define SOLO__LOOK_AWAY() SOLO_ANNOTATE_IGNORE_BEGIN()
#define SOLO__LOOK_AGAIN() SOLO_ANNOTATE_IGNORE_END()
#else
#define SOLO__LOOK_AWAY() ((void)0)
#define SOLO__LOOK_AGAIN() ((void)0)
#endif

struct os_world {
    struct solo_world world;     /* first, so that a world is an os_world */
    struct solo__object_ids ids; /* counted up by many threads: solo__object_next_id is atomic */
};

extern struct os_world solo__os_world;
extern const struct solo_thread_table solo__os_thread_table;   /* world_os_thread.c */
extern const struct solo_poll_table solo__os_poll_table;       /* world_os_poll.c */
extern const struct solo_network_table solo__os_network_table; /* world_os_network.c */

uint64_t solo__os_now_ns(void);

/*
 * How long to wait for something without sleeping, before sleeping: 0 unless SOLO_SPIN_NS says otherwise and the
 * process has more than one processor.
 */
extern uint64_t solo__os_spin_ns;

/* Whether that pays off at some place: its own waiter's alone. */
struct os_spin {
    unsigned failures; /* in a row */
    unsigned skip;     /* how often to sleep at once now */
};

/* Asks again and again, for solo__os_spin_ns, unless it has been in vain too often. The last answer. */
bool solo__os_spin(struct os_spin *spin, bool (*is_over)(const void *arg), const void *arg);

/* world_os_signal.c: the process's signals, for the poller whose epoll this is. */
int solo__os_watch_signal(struct solo_poller *poller, int epoll, int number, bool wanted, uint64_t key);
int solo__os_raise_signal(struct solo_world *world, int number);
/* The wait has reported this key: if it is a signal's, it has been seen. */
void solo__os_signal_seen(const struct solo_poller *poller, uint64_t key);

/* As the memory table says (world_os_memory.c). */
void *solo__os_allocate(struct solo_world *world, size_t size);
void solo__os_release(struct solo_world *world, void *memory);

/* The number of a calling thread that the kit did not start: 0 for the process's first one, else the next free one. */
uint16_t solo__os_thread_number(void);

/* The calling thread, which the kit did not start, is `thread` from now on: solo__thread_left(thread) when it ends. */
void solo__os_adopt_thread(struct solo_thread *thread);

/* Finds where the calling thread's stack lies; 0 and 0 if that cannot be known. */
void solo__os_stack_bounds(uintptr_t *ret_low, uintptr_t *ret_high);

#endif
