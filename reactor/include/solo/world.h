/*
 * world.h - everything a reactor takes from outside.
 *
 * A world is five small tables of functions: clock, threads and locks, poll and wake, network, memory and randomness.
 * `solo_world_os` is epoll, eventfd, pthreads, CLOCK_MONOTONIC and real sockets. The simulated world (sim.h) is virtual
 * threads, a virtual clock and in-memory byte streams. The same engine runs on both, and one conformance suite tests
 * both. Nothing else in the kit reads a clock, the operating system, randomness or thread identity.
 *
 * Programs rarely need this header: solo_reactor_create(NULL, ...) uses the world the caller lives in, and
 * solo/thread.h, solo/transport.h and solo/descriptor.h are the programs' way to the same things. A new backend
 * implements it.
 */
#ifndef SOLO_WORLD_H
#define SOLO_WORLD_H

#include <solo/address.h>
#include <solo/error.h>
#include <solo/probe.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

struct solo_world;
struct solo_thread;
struct solo_poller;

#define SOLO_NEVER UINT64_MAX /* a deadline that does not come */

/*
 * An internal leaf lock and a place to wait; both are valid when zeroed and need no end. No announcement is made and no
 * user code runs while a leaf lock is held, so in world sim, where threads switch only at announcements, it costs
 * nothing.
 */
struct solo_lock {
    uint64_t storage[5];
};
struct solo_gate {
    uint64_t storage[8];
};

/* Why a thread waits, for reports of who waits for what. */
struct solo_wait {
    enum solo_wait_kind kind;
    uint32_t object;            /* id of what it waits for */
    struct solo_thread *holder; /* who has to give it, NULL if unknown; read only while the caller waits */
};

struct solo_clock_table {
    uint64_t (*now_ns)(struct solo_world *world);
    /* Blocks the calling thread until now_ns() >= until_ns. 0: only lets other threads have their turn. */
    void (*sleep_until)(struct solo_world *world, uint64_t until_ns);
};

struct solo_thread_table {
    /* Starts a thread that runs solo__thread_main(thread). 0, or -EAGAIN. */
    int (*start)(struct solo_world *world, struct solo_thread *thread);
    /*
     * Waits until that thread has ended for good and releases what the backend holds for it. A thread may call it on
     * itself, if nobody will ever join it: it is then released when it ends.
     */
    int (*join)(struct solo_world *world, struct solo_thread *thread);
    void (*enter)(struct solo_world *world, struct solo_lock *lock);
    void (*leave)(struct solo_world *world, struct solo_lock *lock);
    /*
     * With `lock` held: leaves it, waits until woken or deadline_ns, enters it again. 0, or -ETIMEDOUT. May wake for
     * nothing.
     */
    int (*wait)(struct solo_world *world, struct solo_gate *gate, struct solo_lock *lock, const struct solo_wait *why,
                uint64_t deadline_ns);
    /* With the lock held: wakes one waiter of the gate, or all. */
    void (*wake)(struct solo_world *world, struct solo_gate *gate, bool all);
    /* Announces an operation of the calling thread before it is done (see probe.h). */
    void (*announce)(struct solo_world *world, enum solo_probe_kind kind, enum solo_access access, uint32_t object,
                     uint64_t value);
};

enum { SOLO_READABLE = 1, SOLO_WRITABLE = 2, SOLO_HANGUP = 4 };

/* Numbers of signals are the system's. */
enum { SOLO_SIGINT = 2, SOLO_SIGTERM = 15, SOLO_SIGNAL_MAX = 31 };

struct solo_ready {
    uint64_t key;    /* as given to watch */
    uint32_t events; /* SOLO_READABLE | SOLO_WRITABLE | SOLO_HANGUP */
};

struct solo_poll_table {
    int (*open)(struct solo_world *world, struct solo_poller **ret_poller);
    void (*close)(struct solo_world *world, struct solo_poller *poller);
    /*
     * Level-triggered interest in a descriptor; events 0 forgets it. The key is any value but UINT64_MAX. SOLO_HANGUP
     * need not be asked for and may come alone: it means ready in every direction watched. -EBADF, -ENOMEM, -EPERM
     * (not pollable).
     */
    int (*watch)(struct solo_world *world, struct solo_poller *poller, int fd, uint32_t events, uint64_t key);
    /*
     * Waits until a descriptor is ready, a wake is pending, or deadline_ns (0: do not wait). Returns how many of
     * `ready` it filled. *ret_woken says whether a wake was consumed; any number of wakes before it count as one.
     */
    int (*wait)(struct solo_world *world, struct solo_poller *poller, uint64_t deadline_ns, struct solo_ready *ready,
                size_t ready_max, bool *ret_woken);
    /* Any thread: makes the present or next wait return at once. */
    void (*wake)(struct solo_world *world, struct solo_poller *poller);
    /*
     * Signals of the process. While one is watched it does nothing but make the poller's wait report `key` as readable,
     * once for all that came since. One poller at a time watches a number: -EBUSY. wanted false: what was before it is
     * restored; -ENOENT. -EINVAL, -ENOMEM, -EMFILE.
     */
    int (*watch_signal)(struct solo_world *world, struct solo_poller *poller, int number, bool wanted, uint64_t key);
    /* Any thread: sends one to the process, or to the schedule. */
    int (*raise_signal)(struct solo_world *world, int number);
};

/* What a descriptor of the network is opened for. */
enum solo_open {
    SOLO_OPEN_LISTENER = 1, /* at `local`; port 0 picks a free one */
    SOLO_OPEN_STREAM,       /* begins to connect to `remote`, from `local` if that is given */
    SOLO_OPEN_DATAGRAM,     /* at `local`, not UNIX; with `remote` it sends to and hears nobody else */
};

enum solo_close {
    SOLO_CLOSE_WHOLE = 0, /* after what was written has been sent */
    SOLO_CLOSE_ABORT,     /* at once: the other side of a TCP connection sees a reset */
    SOLO_CLOSE_WRITING,   /* only ends what is sent: the descriptor stays open, and the other side reads an end */
    SOLO_CLOSE_NAME,      /* as WHOLE; a UNIX listener's name goes with it */
};

enum solo_query {
    SOLO_QUERY_CONNECTED = 1, /* 0 connected, -EINPROGRESS, or why not; fills in nothing */
    SOLO_QUERY_LOCAL,         /* the address of this end */
    SOLO_QUERY_PEER,          /* of the other end; -ENOTCONN */
};

enum solo_option_name {
    SOLO_SET_NO_DELAY = 1, /* of TCP, on unless turned off: a small write does not wait to go with the next one */
    SOLO_SET_KEEP_ALIVE,   /* of TCP, off unless turned on: an idle connection is tried now and then */
    SOLO_SET_BROADCAST,    /* of datagrams, off unless turned on */
};

/*
 * Descriptors are small non-negative integers; all calls are non-blocking and return -EAGAIN when they would block. An
 * address that is returned may be NULL.
 */
struct solo_network_table {
    /*
     * A stream becomes writable when it is decided whether it is connected, and SOLO_QUERY_CONNECTED says how.
     * -EADDRINUSE, -EADDRNOTAVAIL, -EACCES, -EMFILE, -ENOMEM; a UNIX name where nobody listens is -ENOENT or
     * -ECONNREFUSED at once.
     */
    int (*open)(struct solo_world *world, enum solo_open kind, const struct solo_address *local,
                const struct solo_address *remote, int *ret_fd);
    int (*accept)(struct solo_world *world, int fd, struct solo_address *ret_peer, int *ret_fd);
    /*
     * Bytes moved. Of a stream: 0 is its end. Of datagrams: one of them, cut to fit; who sent it is in *ret_from, which
     * is left alone for streams. -EAGAIN, -ECONNRESET, -ECONNREFUSED (a connected datagram socket: nobody is there).
     */
    ptrdiff_t (*read)(struct solo_world *world, int fd, void *buffer, size_t size, struct solo_address *ret_from);
    /* `to` is for datagrams that are not connected, else NULL. -EAGAIN, -EPIPE, -ECONNRESET, -EMSGSIZE, ... */
    ptrdiff_t (*write)(struct solo_world *world, int fd, const void *data, size_t size, const struct solo_address *to);
    /* -EBADF, -ENOTCONN: an end of writing for what is no connected stream. */
    int (*close)(struct solo_world *world, int fd, enum solo_close how);
    /* A connected pair of streams. */
    int (*pair)(struct solo_world *world, int ret_fds[2]);
    int (*query)(struct solo_world *world, int fd, enum solo_query what, struct solo_address *ret_address);
    /* -EOPNOTSUPP: not for this kind of descriptor. */
    int (*set)(struct solo_world *world, int fd, enum solo_option_name what, int value);
};

struct solo_memory_table {
    void *(*allocate)(struct solo_world *world, size_t size); /* not cleared; NULL when refused */
    void (*release)(struct solo_world *world, void *memory);  /* NULL is fine */
    void (*random)(struct solo_world *world, void *buffer, size_t size);
};

struct solo_world {
    const char *name; /* "os", "sim" */
    const struct solo_clock_table *clock;
    const struct solo_thread_table *threads;
    const struct solo_poll_table *poll;
    const struct solo_network_table *network;
    const struct solo_memory_table *memory;
};

/* The world of real threads, sockets and time. One per process; lives as long as it. */
SOLO_ANY_THREAD SOLO_PUBLIC struct solo_world *solo_world_os(void);

/* The world the calling thread lives in: a simulation's for its virtual threads, else solo_world_os(). */
SOLO_ANY_THREAD SOLO_PUBLIC struct solo_world *solo_world_current(void);

#ifdef __cplusplus
}
#endif
#endif
