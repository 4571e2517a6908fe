/*
 * error.h - every code a public function can return.
 *
 * 0 is success. Errors are negative: minus an errno value where errno has the idea (-EINVAL, -ENOMEM, -ETIMEDOUT,
 * -EADDRINUSE, ...), else one of the codes below. A call that returns an error accepted nothing and left its ret_
 * parameters untouched.
 */
#ifndef SOLO_ERROR_H
#define SOLO_ERROR_H

#include <errno.h>
#include <solo/contract.h>

#ifdef __cplusplus
extern "C" {
#endif

enum solo_error {
    SOLO_OK = 0,
    SOLO_EWRONGTHREAD = -2001,      /* the caller's thread may not make this call; it had no effect */
    SOLO_EONREACTOR = -2002,        /* a call that would wait for the reactor, made on the reactor thread */
    SOLO_ECLOSING = -2003,          /* the reactor or pool is stopping and takes nothing new */
    SOLO_ECLOSED = -2004,           /* the object has ended: released, lost, stopped or destroyed */
    SOLO_EALREADYQUIT = -2005,      /* the worker has quit (Twisted: AlreadyQuit) */
    SOLO_EALREADYCALLED = -2006,    /* the delayed call ran, or the Deferred fired (AlreadyCalled) */
    SOLO_EALREADYCANCELLED = -2007, /* the delayed call was cancelled (AlreadyCancelled) */
    SOLO_ENOTRUNNING = -2008,       /* the reactor is not running (ReactorNotRunning) */
    SOLO_EALREADYRUNNING = -2009,   /* the reactor is running, or its loop was re-entered (ReactorAlreadyRunning) */
    SOLO_ENOTRESTARTABLE = -2010,   /* the reactor was stopped and cannot run again (ReactorNotRestartable) */
    SOLO_ECANCELLED = -2011,        /* cancelled by its user (CancelledError) */
    SOLO_ECONNDONE = -2012,         /* the connection was closed cleanly (ConnectionDone) */
    SOLO_ECONNLOST = -2013,         /* the connection was lost: reset, aborted or reactor stop (ConnectionLost) */
    SOLO_ELIMIT = -2014,            /* a documented limit (..._max) is reached */
    SOLO_EDIVERGED = -2015,         /* replay: the token no longer fits the program */
    SOLO_ENAME = -2016,             /* there is no such host name (DNSLookupError) */
    SOLO_EPOOLFULL = -2017,         /* no thread of the pool was free in time: the work never began */
};

/*
 * Returns a short constant sentence without full stop for a code of this header or a negated errno value, and "unknown
 * error" for anything else. Never NULL; the text lives as long as the program.
 */
SOLO_ANY_THREAD SOLO_PUBLIC const char *solo_error_text(int code);

/* Returns the name, such as "SOLO_EWRONGTHREAD" or "EINVAL"; "?" if there is none. */
SOLO_ANY_THREAD SOLO_PUBLIC const char *solo_error_name(int code);

#ifdef __cplusplus
}
#endif
#endif
