/*
 * descriptor.h - readers and writers on descriptors, and streams to try them on.
 *
 * In world os a descriptor is any pollable file descriptor. In world sim it is one that the simulated network made,
 * such as a pair from solo_stream_pair.
 */
#ifndef SOLO_DESCRIPTOR_H
#define SOLO_DESCRIPTOR_H

#include <solo/reactor.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef void (*solo_descriptor_fn)(int fd, void *arg);

/*
 * Calls on_ready(fd, arg) in every pass in which the descriptor can be read (written), until removed. One reader and
 * one writer a descriptor: -EEXIST. -EBADF, -EPERM (not pollable), -EINVAL, -ENOMEM. Remove it before closing the
 * descriptor.
 * Instead: solo_reactor_call_from_thread with a function that adds it
 * Runs: on_ready on the reactor thread.
 */
SOLO_REACTOR_ONLY SOLO_PUBLIC int solo_reactor_add_reader(struct solo_reactor *reactor, int fd,
                                                          solo_descriptor_fn on_ready, void *arg);
SOLO_REACTOR_ONLY SOLO_PUBLIC int solo_reactor_add_writer(struct solo_reactor *reactor, int fd,
                                                          solo_descriptor_fn on_ready, void *arg);

/* From when it returns the function is not called again. -ENOENT: there is none. */
SOLO_REACTOR_ONLY SOLO_PUBLIC int solo_reactor_remove_reader(struct solo_reactor *reactor, int fd);
SOLO_REACTOR_ONLY SOLO_PUBLIC int solo_reactor_remove_writer(struct solo_reactor *reactor, int fd);

/* A connected pair of non-blocking byte streams. -EINVAL, -EMFILE, -ENOMEM. */
SOLO_ANY_THREAD SOLO_PUBLIC int solo_stream_pair(int ret_fds[2]);

/* Never blocks. Bytes moved; read returns 0 at the end of the stream. -EAGAIN, -EBADF, -EPIPE, -ECONNRESET. */
SOLO_ANY_THREAD SOLO_PUBLIC ptrdiff_t solo_stream_read(int fd, void *buffer, size_t size);
SOLO_ANY_THREAD SOLO_PUBLIC ptrdiff_t solo_stream_write(int fd, const void *data, size_t size);

/* Ends one side; the other reads the end of the stream. */
SOLO_ANY_THREAD SOLO_PUBLIC int solo_stream_close(int fd);

/* Clang checks each callback's contract where it is registered: see contract.h. */
#ifdef SOLO_CHECKS_CALLBACKS
#define solo_reactor_add_reader(reactor, fd, on_ready, arg)                                                            \
    (SOLO__RUNS_ON_REACTOR(solo_descriptor_fn, on_ready, 0, (void *)0),                                                \
     solo_reactor_add_reader(reactor, fd, on_ready, arg))
#define solo_reactor_add_writer(reactor, fd, on_ready, arg)                                                            \
    (SOLO__RUNS_ON_REACTOR(solo_descriptor_fn, on_ready, 0, (void *)0),                                                \
     solo_reactor_add_writer(reactor, fd, on_ready, arg))
#endif

#ifdef __cplusplus
}
#endif
#endif
