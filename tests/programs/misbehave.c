/*
 * misbehave.c - an ordinary program with two threads that goes wrong in the way its argument says, in some schedules
 * only.
 *
 * It counts to four without a lock. Where an update is lost it then exits with 1, crashes, hangs, ...
 */
#include <signal.h>
#include <solo/solo.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static _Atomic int counter; /* a lost update and no data race: detectors have nothing to say */

static void add_twice(void *arg)
{
    (void)arg;
    for (unsigned i = 0; i < 2; i++) {
        int seen = counter;
        solo_yield();
        counter = seen + 1;
    }
}

static void count(void)
{
    struct solo_thread *threads[2];
    for (unsigned i = 0; i < 2; i++) {
        if (solo_thread_create(add_twice, NULL, &threads[i]) < 0) {
            exit(9);
        }
    }
    for (unsigned i = 0; i < 2; i++) {
        solo_thread_join(threads[i]);
    }
}

static void say_goodbye(void)
{
    printf("goodbye\n");
}

static void wait_for_nothing(void)
{
    struct solo_semaphore *semaphore;
    solo_semaphore_create(0, &semaphore);
    solo_semaphore_wait(semaphore, SOLO_NEVER);
}

/*
 * Its schedule depends on where the program lies in memory, which another start of the program changes: it says sixteen
 * bits of an address, one step each at most, so that two starts hardly ever agree.
 */
static void depend_on_address(void)
{
    struct solo_semaphore *semaphore;
    unsigned long bits = (unsigned long)&counter >> 12;
    solo_semaphore_create(0, &semaphore);
    for (unsigned bit = 0; bit < 16; bit++) {
        if (bits >> bit & 1) {
            solo_yield();
        } else {
            solo_semaphore_post(semaphore);
        }
    }
    solo_semaphore_destroy(semaphore);
}

static struct solo_mutex *lock;

static void lock_often(void *arg)
{
    (void)arg;
    for (unsigned i = 0; i < 4; i++) {
        solo_mutex_lock(lock);
        solo_mutex_unlock(lock);
    }
}

/* More orders than anybody will ever try. */
static void be_a_crowd(void)
{
    struct solo_thread *threads[6];
    if (solo_mutex_create(&lock) < 0) {
        exit(9);
    }
    for (unsigned i = 0; i < 6; i++) {
        if (solo_thread_create(lock_often, NULL, &threads[i]) < 0) {
            exit(9);
        }
    }
    for (unsigned i = 0; i < 6; i++) {
        solo_thread_join(threads[i]);
    }
}

int main(int argc, char **argv)
{
    const char *what = argc > 1 ? argv[1] : "nothing";
    setvbuf(stdout, NULL, _IOFBF, 4096);
    atexit(say_goodbye);
    if (strcmp(what, "address") == 0) {
        depend_on_address();
        return 0;
    }
    if (strcmp(what, "crowd") == 0) {
        be_a_crowd();
        return 0;
    }
    count();
    printf("the counter is %d\n", counter);
    if (counter == 4 || strcmp(what, "nothing") == 0) {
        return 0;
    }
    if (strcmp(what, "crash") == 0) {
        raise(SIGSEGV);
    } else if (strcmp(what, "abort") == 0) {
        abort();
    } else if (strcmp(what, "hang") == 0) {
        while (counter != 4) { /* nobody is left who could count */
        }
    } else if (strcmp(what, "leave") == 0) {
        _exit(0);
    } else if (strcmp(what, "deadlock") == 0) {
        wait_for_nothing();
    }
    return 3;
}
