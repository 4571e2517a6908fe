/*
 * diagnostics.c - what `solo explain` says about each finding the kit makes: what it is, the smallest code that
 * does it, how it is done, and what other tools say. An id is here only if something in the kit finds it.
 */
#include <solo/report.h>

static const struct solo_diagnostic diagnostics[] = {
    {SOLO001_WRONG_THREAD,
     "A function that only the reactor thread may call was called on another thread.\n"
     "The reactor and everything it owns (transports, delayed calls, Deferreds) are\n"
     "not locked: one thread calls everything, so nothing needs to be. A call from a\n"
     "pool worker may seem to work for years. A lock around it does not make it right:\n"
     "the reactor does not take your lock.\n",
     "    static SOLO_POOL_ONLY void look_up(void *arg)\n"
     "    {\n"
     "        slow_lookup(arg);\n"
     "        solo_transport_write(transport, text, size);   /* SOLO001 */\n"
     "    }\n",
     "    slow_lookup(arg);\n"
     "    solo_reactor_call_from_thread(reactor, write_it, arg, written);\n"
     "    ...\n"
     "    static SOLO_REACTOR_ONLY void write_it(void *arg)  /* runs on the reactor thread */\n",
     "Found at the call itself, in every schedule and in both worlds. ThreadSanitizer,\n"
     "helgrind and drd see it only if it is also a data race; with a lock around the\n"
     "call they are silent. clang -Wthread-safety finds direct calls when it compiles.\n"},
    {SOLO002_REACTOR_BLOCKED,
     "The reactor thread slept or waited inside a callback. Meanwhile it served nobody:\n"
     "no connection, no timer, no call from a thread. One slow callback stalls every\n"
     "client. In the simulated world the time is exact, and only time that the reactor\n"
     "thread itself spent asleep or waiting counts.\n",
     "    static SOLO_REACTOR_ONLY void connection_made(struct solo_protocol *protocol)\n"
     "    {\n"
     "        solo_sleep(2000000000);                        /* SOLO002: 2 s for everybody */\n"
     "    }\n",
     "    solo_reactor_call_later(reactor, 2000000000, go_on, protocol, NULL, NULL);\n"
     "    or, for work that blocks: solo_defer_to_thread(reactor, work, arg, &deferred);\n",
     "In world os it is off unless a budget is given: solo run --budget-ms 50. No race\n"
     "detector looks for it.\n"},
    {SOLO003_BLOCKING_CALL_ON_REACTOR,
     "solo_blocking_call_from_thread waits until the reactor thread has run a function.\n"
     "Called on the reactor thread it would wait for itself, for ever. Solo refuses it\n"
     "with SOLO_EONREACTOR (Twisted hangs).\n",
     "    solo_blocking_call_from_thread(reactor, work, arg, &value);  /* in a callback */\n",
     "    work(arg);                       /* you are on the reactor thread already */\n",
     "Found at the call. Other tools show a program that hangs.\n"},
    {SOLO004_DEADLOCK,
     "Nobody can run and somebody waits for what only another waiter can give. The\n"
     "report lists who waits for what and who holds it. A pool is wedged when each of\n"
     "its workers waits for a job that is still queued: no size of pool is enough for\n"
     "jobs that wait for jobs.\n",
     "    static SOLO_POOL_ONLY void blocker(void *arg)\n"
     "    {\n"
     "        solo_semaphore_wait(ready, SOLO_NEVER);  /* posted by a job behind this one */\n"
     "    }\n",
     "    Chain the second half to the result of the first with a Deferred, or give it\n"
     "    a worker of its own (solo_thread_worker_create). Take locks in one order.\n",
     "Found when the schedule comes to rest, in no time. ThreadSanitizer, helgrind and\n"
     "drd report lock-order inversions, but show a wedged pool only as a hang.\n"},
    {SOLO005_DEAD_MEMORY,
     "Queued work ran, and the memory that its argument points at was dead: freed before,\n"
     "or a local variable of a job, a callback, a thread or a function that has ended.\n"
     "It may still hold what it held; then the program seems to work.\n",
     "    static SOLO_POOL_ONLY void look_up(void *arg)\n"
     "    {\n"
     "        struct answer answer = ask(arg);\n"
     "        solo_reactor_call_from_thread(reactor, show, &answer, NULL);   /* SOLO005 */\n"
     "    }\n",
     "    struct answer *answer = malloc(sizeof *answer);\n"
     "    solo_reactor_call_from_thread(reactor, show, answer, free_answer);\n"
     "    free_answer(status, answer) is called exactly once, whether show ran or not. Or wait\n"
     "    for it: solo_blocking_call_from_thread(reactor, show, &answer, NULL).\n",
     "Found when the work begins, whether it touches its argument or not. free and realloc\n"
     "are heard in programs run by solo; an allocator of the program's own says it with\n"
     "solo_memory_released. A local variable of a function that returned while its thread\n"
     "goes on is found only if the function ran before the loop. AddressSanitizer and\n"
     "memcheck see the use of freed memory, but of a dead local variable only if its stack\n"
     "is gone.\n"},
    {SOLO006_USE_AFTER_END,
     "An object was used after it had ended: a worker after quit, a port after it\n"
     "stopped, a reactor after destroy. Ended objects are kept for a while so that\n"
     "this is named instead of being undefined.\n",
     "    solo_worker_quit(worker);\n"
     "    solo_worker_do(worker, fn, arg, done);         /* SOLO006, SOLO_EALREADYQUIT */\n",
     "    Let one owner decide the end, and look at the code that each call returns.\n",
     "Found at the call. memcheck and AddressSanitizer see it only once the memory is\n"
     "really given back.\n"},
    {SOLO007_CONFINED_SHARED,
     "An object that the program declared to belong to one thread (solo_confined_bind)\n"
     "was used on another. Values may be made and used in a thread if they are not\n"
     "shared and share no state.\n",
     "    solo_confined_bind(&path->confined, \"path\");    /* on the reactor thread */\n"
     "    solo_confined_use(&path->confined);            /* on a worker: SOLO007 */\n",
     "    Give the worker a copy of its own, or hand the object over: the new thread\n"
     "    calls solo_confined_bind, and the old one no longer uses it.\n",
     "Found at the use. Race detectors see it only if both threads touch it at once.\n"},
    {SOLO008_DEFERRED,
     "A Deferred is fired exactly once, and its error is somebody's business. This one\n"
     "was fired twice, never fired though it was released or the run ended, or failed\n"
     "with nobody to handle it. Whoever waits for the result waits for ever, or takes\n"
     "a failure for a success.\n",
     "    if (error) {\n"
     "        return;                                    /* the Deferred never fires */\n"
     "    }\n"
     "    solo_deferred_fire(deferred, solo_value(result));\n",
     "    solo_deferred_fire(deferred, error ? solo_failure(error) : solo_value(result));\n"
     "    and add an errback: solo_deferred_add(deferred, show, show_error, arg);\n",
     "Found when it is fired or released, or at the end of the run. No other tool knows.\n"},
    {SOLO009_ORDER_BY_SLEEPING,
     "A check of the program failed, and all that is different from a schedule where it\n"
     "holds is that time passed while a thread still had something to do. Sleeping for\n"
     "longer than something should take is no order: one slow thread, one loaded\n"
     "machine, and it comes too late. The same goes for a timeout that is always long\n"
     "enough.\n",
     "    start(fill_cache);\n"
     "    solo_sleep(100000000);               /* SOLO009: full by then, it is hoped */\n"
     "    use_cache();\n",
     "    solo_thread_join(filler);  or  solo_deferred_add(filled, use_cache, NULL, cache);\n"
     "    What must come first says that it is done.\n",
     "Found by exploring with --time any (the default): letting time pass is one more\n"
     "choice. The plain schedule, in which whoever computes is infinitely fast, must pass.\n"
     "Race detectors see it only if memory is shared without a lock.\n"},
    {SOLO010_LOCK_CONVOY,
     "Jobs of the pool wait for one lock, whose holder sleeps or waits itself; every\n"
     "worker is taken, and other jobs, which have nothing to do with the lock, queue\n"
     "behind them. Thirty requests on one connection behind a mutex do this to every\n"
     "user of the pool, name look-up included.\n",
     "    static SOLO_POOL_ONLY void request(void *arg)\n"
     "    {\n"
     "        solo_mutex_lock(connection->mutex);          /* the other 29 wait here */\n"
     "        send_and_wait(connection, arg);\n"
     "        solo_mutex_unlock(connection->mutex);\n"
     "    }\n",
     "    solo_thread_worker_create(&connection->worker);\n"
     "    solo_worker_do(connection->worker, send_and_wait_one, request, done);\n",
     "Found when time passes meanwhile, so short contention never counts. Other tools\n"
     "are silent: every access is locked.\n"},
    {SOLO011_WORK_LOST,
     "The kit accepted a piece of work (the call returned 0), the reactor or worker\n"
     "stopped, and the work never ran and nobody was told. Twisted loses it silently.\n",
     "    solo_reactor_call_from_thread(reactor, save, document, NULL);  /* may never run */\n",
     "    solo_reactor_call_from_thread(reactor, save, document, saved);\n"
     "    saved(SOLO_ECLOSING, document) says that it never ran.\n"
     "    Or stop only when the last save is done.\n",
     "Found at the end of the run. A leak checker may show the argument as lost memory.\n"},
    {SOLO012_TRANSPORT_AFTER_LOST,
     "A transport was used after connection_lost. The handle is kept valid by a\n"
     "reference, so the call is refused with SOLO_ECLOSED and nothing is written, but\n"
     "the program still believes in the connection.\n",
     "    static void write_later(void *arg)             /* queued before the loss */\n"
     "    {\n"
     "        solo_transport_write(user->transport, text, size);  /* SOLO012 */\n"
     "    }\n",
     "    In connection_lost set user->transport = NULL, give the reference back, and\n"
     "    look at it in write_later.\n",
     "Found at the call. memcheck sees it only if the protocol was freed meanwhile.\n"},
    {SOLO013_NEVER_HAPPENED,
     "The program or a peer script declared that something must happen, and it never\n"
     "did. A run in which the interesting thing does not happen passes every check and\n"
     "proves nothing.\n",
     "    solo_must_happen(\"greeting written\", 1);      /* and nobody says solo_happened */\n",
     "    solo_happened(\"greeting written\");            /* where it is written */\n"
     "    Then find out why this schedule does not get there.\n",
     "Found at the end of the run. Other tools call such a run clean.\n"},
    {SOLO014_LOST_WAKEUP,
     "Work is queued for a reactor that sleeps in its poll, or for a sleeping loop of the\n"
     "program's own that says what it does (solo/inbox.h), and no wake-up is on its way:\n"
     "it stays there until something else happens. It is known at the very step that\n"
     "loses it, not by waiting for a time-out.\n",
     "    if (!queue_was_empty) return;                  /* looked at before queueing */\n",
     "    Queue first and then wake; clear the wake-up before looking at the queue.\n",
     "Found in the simulated world. Other tools show a program that is sometimes slow.\n"},
    {SOLO015_LOOP_REENTERED,
     "A callback called solo_reactor_run or solo_reactor_iterate: the loop inside the\n"
     "loop. The outer callback is only half done when others run. Solo refuses it with\n"
     "SOLO_EALREADYRUNNING.\n",
     "    while (!answered) solo_reactor_iterate(reactor, 0);   /* in a callback */\n",
     "    Return, and go on in the callback of a Deferred: solo_deferred_add(...).\n", "Found at the call.\n"},
    {SOLO016_LOCK_ORDER,
     "Threads take the same locks in different orders, so that each can come to hold\n"
     "what another one waits for, and nothing that the kit sees keeps them apart: no\n"
     "lock that all of them hold besides, no start or join, signal, queued call or byte\n"
     "between them. It is a warning: no schedule came to the deadlock, which would be\n"
     "SOLO004, not even some that were directed at it, and not every schedule was tried.\n"
     "\n"
     "Or: a lock is held while calling out. A call such as solo_deferred_fire runs what\n"
     "somebody else registered, under the caller's lock, and that takes another lock,\n"
     "waits, or asks for the very lock that its caller holds. A warning too: in which\n"
     "order locks are taken, and how long one is held, is up to code that does not know.\n",
     "    solo_mutex_lock(from->lock);                   /* transfer(a, b) on one thread, */\n"
     "    solo_mutex_lock(to->lock);                     /* transfer(b, a) on another */\n"
     "\n"
     "    solo_mutex_lock(book->lock);\n"
     "    solo_deferred_fire(book->changed, entry);      /* whose callback locks the log */\n"
     "    solo_mutex_unlock(book->lock);\n",
     "    struct account *first = from->id < to->id ? from : to;\n"
     "    solo_mutex_lock(first->lock);                  /* everywhere in one order */\n"
     "    solo_mutex_lock((first == from ? to : from)->lock);\n"
     "\n"
     "    solo_mutex_unlock(book->lock);                 /* and fire then, or hand */\n"
     "    solo_deferred_fire(book->changed, entry);      /* it over, call_from_thread */\n"
     "    Who means it adds the callback with the lock held.\n",
     "Found at the end of a schedule in which the locks were taken in a circle. Memory\n"
     "alone that keeps threads apart, such as an atomic flag, is seen only in a program\n"
     "built by solo cc. helgrind and ThreadSanitizer report such locks too, without\n"
     "looking for the schedule, and also where threads cannot meet.\n"},
    {SOLO017_DATA_RACE,
     "Two threads touched the same memory, at least one of them wrote, and nothing\n"
     "ordered them. A detector saw it under a schedule that the kit chose; the token\n"
     "replays that schedule.\n",
     "    statistics.requests++;                         /* on a worker, and on the reactor */\n",
     "    Give the count to one thread (solo_reactor_call_from_thread), or lock it.\n",
     "Found by ThreadSanitizer, helgrind or drd; the report says by which.\n"},
    {SOLO018_MEMORY,
     "Memory was used wrongly (after it was freed, beyond its end, before it was set)\n"
     "or never given back, or the program crashed. The token replays the schedule in\n"
     "which it happened.\n",
     "    char text[64];\n"
     "    solo_reactor_call_from_thread(reactor, print, text, NULL);\n"
     "    return;                                        /* text is gone when print runs */\n",
     "    Give the call memory that outlives this function, and free it in done.\n",
     "Found by AddressSanitizer or memcheck, or by the crash itself.\n"},
    {SOLO019_NONDETERMINISM,
     "The same schedule was run twice and gave two traces: the program took something\n"
     "from outside the world that the kit controls, such as the time of day, an address,\n"
     "uninitialised memory, or state that the run before left behind. Its findings may\n"
     "not replay.\n",
     "    srand(time(NULL));\n",
     "    Take time and randomness from the kit (solo_now, solo_random), and reset global\n"
     "    state in the scenario's set_up.\n",
     "Found by running schedules twice; the report names the first step that differs.\n"},
};

enum { COUNT = sizeof diagnostics / sizeof diagnostics[0] };

const struct solo_diagnostic *solo_diagnostic_find(unsigned id)
{
    for (unsigned i = 0; i < COUNT; i++) {
        if (diagnostics[i].id == id) {
            return &diagnostics[i];
        }
    }
    return NULL;
}

const struct solo_diagnostic *solo_diagnostic_at(unsigned index)
{
    return index < COUNT ? &diagnostics[index] : NULL;
}
