/*
 * primitives.c - what POSIX says of its threads, checked with assert under whatever schedule there is.
 *
 * usage: primitives TOPIC
 */
#define _GNU_SOURCE
#undef NDEBUG
#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/time.h>
#include <threads.h>
#include <time.h>
#include <unistd.h>

enum { THREADS = 3 };

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static int shared;

static void must(int result)
{
    assert(result == 0);
}

static void run(unsigned count, void *(*fn)(void *))
{
    pthread_t threads[THREADS];
    for (uintptr_t i = 0; i < count; i++) {
        assert(pthread_create(&threads[i], NULL, fn, (void *)i) == 0);
    }
    for (uintptr_t i = 0; i < count; i++) {
        void *result;
        assert(pthread_join(threads[i], &result) == 0);
        assert(result == (void *)(i + 100));
    }
}

static void *done(void *arg)
{
    return (void *)((uintptr_t)arg + 100);
}

static struct timespec later(clockid_t clock, long ms)
{
    struct timespec at;
    assert(clock_gettime(clock, &at) == 0);
    at.tv_nsec += ms % 1000 * 1000000;
    at.tv_sec += ms / 1000 + at.tv_nsec / 1000000000;
    at.tv_nsec %= 1000000000;
    return at;
}

/* ---- Threads ---- */

static void *tell_apart(void *arg)
{
    static __thread uintptr_t mine;
    assert(mine == 0);
    mine = (uintptr_t)arg;
    sched_yield();
    assert(mine == (uintptr_t)arg);
    return done(arg);
}

static int cleaned_up;

static void clean_up(void *arg)
{
    (void)arg;
    cleaned_up++;
}

static void *leave_early(void *arg)
{
    pthread_cleanup_push(clean_up, NULL);
    pthread_mutex_lock(&lock);
    pthread_mutex_unlock(&lock);
    pthread_exit(done(arg));
    pthread_cleanup_pop(0);
    return NULL;
}

static void *add_detached(void *arg)
{
    (void)arg;
    pthread_detach(pthread_self());
    pthread_mutex_lock(&lock);
    shared++;
    pthread_cond_signal(&changed);
    pthread_mutex_unlock(&lock);
    return NULL;
}

static void threads(void)
{
    pthread_t thread;
    pthread_attr_t attributes;
    run(THREADS, tell_apart);
    run(THREADS, leave_early);
    assert(cleaned_up == THREADS);
    assert(pthread_join(pthread_self(), NULL) == EDEADLK);
    assert(pthread_attr_init(&attributes) == 0);
    assert(pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED) == 0);
    assert(pthread_attr_setstacksize(&attributes, 256 << 10) == 0);
    must(pthread_create(&thread, NULL, add_detached, NULL));
    must(pthread_create(&thread, NULL, add_detached, NULL));
    pthread_mutex_lock(&lock);
    while (shared < 2) {
        pthread_cond_wait(&changed, &lock);
    }
    pthread_mutex_unlock(&lock);
    assert(pthread_create(&thread, NULL, done, (void *)1) == 0);
    struct timespec at = later(CLOCK_REALTIME, 1000);
    assert(pthread_timedjoin_np(thread, NULL, &at) == 0);
}

/* Each in its turn: a slot of an ended thread is used again, and its thread-local variables are fresh. */
static void many_threads(void)
{
    for (uintptr_t i = 1; i < 220; i++) {
        pthread_t thread;
        void *result;
        assert(pthread_create(&thread, NULL, i % 2 == 0 ? tell_apart : leave_early, (void *)i) == 0);
        assert(pthread_join(thread, &result) == 0);
        assert(result == (void *)(i + 100));
    }
}

static void *last(void *arg)
{
    usleep(1000);
    exit(arg == NULL ? 0 : 1);
}

static void main_leaves(void)
{
    pthread_t thread;
    assert(pthread_create(&thread, NULL, last, NULL) == 0);
    pthread_exit(NULL);
}

/* ---- Mutexes ---- */

static void *lock_in_vain(void *arg)
{
    struct timespec at = later(CLOCK_REALTIME, 5);
    assert(pthread_mutex_trylock(&lock) == EBUSY);
    assert(pthread_mutex_timedlock(&lock, &at) == ETIMEDOUT);
    at = later(CLOCK_MONOTONIC, 5);
    assert(pthread_mutex_clocklock(&lock, CLOCK_MONOTONIC, &at) == ETIMEDOUT);
    at.tv_nsec = -1;
    assert(pthread_mutex_timedlock(&lock, &at) == EINVAL);
    return done(arg);
}

static pthread_spinlock_t spin;

static void *spin_and_add(void *arg)
{
    pthread_spin_lock(&spin);
    int seen = shared;
    sched_yield();
    shared = seen + 1;
    pthread_spin_unlock(&spin);
    return done(arg);
}

/* As memory that was freed has one object after the other, some of which have no function that ends them. */
static void mutexes_in_one_place(void)
{
    static pthread_mutex_t place = PTHREAD_MUTEX_INITIALIZER;
    assert(pthread_mutex_lock(&place) == 0 && pthread_mutex_unlock(&place) == 0);
    place = (pthread_mutex_t)PTHREAD_RECURSIVE_MUTEX_INITIALIZER_NP;
    assert(pthread_mutex_lock(&place) == 0 && pthread_mutex_lock(&place) == 0);
    assert(pthread_mutex_unlock(&place) == 0 && pthread_mutex_unlock(&place) == 0);
    place = (pthread_mutex_t)PTHREAD_ERRORCHECK_MUTEX_INITIALIZER_NP;
    assert(pthread_mutex_lock(&place) == 0 && pthread_mutex_lock(&place) == EDEADLK);
    assert(pthread_mutex_unlock(&place) == 0);
}

static void mutexes(void)
{
    static pthread_mutex_t recursive = PTHREAD_RECURSIVE_MUTEX_INITIALIZER_NP;
    pthread_mutexattr_t attributes;
    pthread_mutex_t checking;
    assert(pthread_mutexattr_init(&attributes) == 0);
    assert(pthread_mutexattr_settype(&attributes, PTHREAD_MUTEX_ERRORCHECK) == 0);
    assert(pthread_mutex_init(&checking, &attributes) == 0);
    assert(pthread_mutex_unlock(&checking) == EPERM);
    assert(pthread_mutex_lock(&checking) == 0);
    assert(pthread_mutex_lock(&checking) == EDEADLK);
    assert(pthread_mutex_destroy(&checking) == EBUSY);
    assert(pthread_mutex_unlock(&checking) == 0);
    assert(pthread_mutex_destroy(&checking) == 0);
    assert(pthread_mutex_lock(&recursive) == 0);
    assert(pthread_mutex_lock(&recursive) == 0);
    assert(pthread_mutex_trylock(&recursive) == 0);
    for (int i = 0; i < 3; i++) {
        assert(pthread_mutex_unlock(&recursive) == 0);
    }
    assert(pthread_mutex_unlock(&recursive) == EPERM);
    mutexes_in_one_place();
    assert(pthread_mutex_lock(&lock) == 0);
    run(1, lock_in_vain);
    assert(pthread_mutex_unlock(&lock) == 0);
    assert(pthread_spin_init(&spin, PTHREAD_PROCESS_PRIVATE) == 0);
    run(THREADS, spin_and_add);
    assert(shared == THREADS);
    assert(pthread_spin_destroy(&spin) == 0);
}

/* ---- Conditions and time ---- */

static void timed_wait(void)
{
    struct timespec from = later(CLOCK_MONOTONIC, 0), at = later(CLOCK_REALTIME, 1500);
    pthread_mutex_lock(&lock);
    assert(pthread_cond_timedwait(&changed, &lock, &at) == ETIMEDOUT);
    at = later(CLOCK_MONOTONIC, 0);
    assert(at.tv_sec * 1000 + at.tv_nsec / 1000000 - from.tv_sec * 1000 - from.tv_nsec / 1000000 >= 1500);
    at.tv_nsec = 1000000000;
    assert(pthread_cond_timedwait(&changed, &lock, &at) == EINVAL);
    at = later(CLOCK_MONOTONIC, 10);
    assert(pthread_cond_clockwait(&changed, &lock, CLOCK_MONOTONIC, &at) == ETIMEDOUT);
    pthread_mutex_unlock(&lock);

    pthread_condattr_t attributes;
    pthread_cond_t monotonic;
    assert(pthread_condattr_init(&attributes) == 0);
    assert(pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC) == 0);
    assert(pthread_cond_init(&monotonic, &attributes) == 0);
    at = later(CLOCK_MONOTONIC, 10);
    pthread_mutex_lock(&lock);
    assert(pthread_cond_timedwait(&monotonic, &lock, &at) == ETIMEDOUT);
    pthread_mutex_unlock(&lock);
    assert(pthread_cond_destroy(&monotonic) == 0);
}

static void clocks(void)
{
    struct timespec from = later(CLOCK_MONOTONIC, 0), hour = {3600, 0}, to, bad = {0, -1};
    time_t began = time(NULL);
    struct timeval now;
    sleep(3600);
    assert(usleep(500000) == 0);
    assert(nanosleep(&hour, NULL) == 0);
    to = later(CLOCK_MONOTONIC, 3600 * 1000);
    assert(clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &to, NULL) == 0);
    assert(nanosleep(&bad, NULL) == -1 && errno == EINVAL);
    assert(clock_nanosleep(CLOCK_MONOTONIC, 0, &bad, NULL) == EINVAL);
    assert(clock_gettime(CLOCK_MONOTONIC, &to) == 0);
    assert(to.tv_sec - from.tv_sec >= 3 * 3600);
    assert(gettimeofday(&now, NULL) == 0);
    assert(now.tv_sec - began >= 3 * 3600 && time(NULL) - now.tv_sec <= 1);
    while (time(NULL) - began < 4 * 3600) { /* whoever waits by looking at the clock sees it move */
    }
}

static volatile bool is_set;

static void *set_later(void *arg)
{
    usleep(20000);
    is_set = true;
    return done(arg);
}

static void *spin_politely(void *arg)
{
    while (!is_set) {
        sched_yield();
    }
    return done(arg);
}

static void *set_or_spin(void *arg)
{
    return arg == NULL ? set_later(arg) : spin_politely(arg);
}

static void yields(void)
{
    run(THREADS, set_or_spin);
}

/* ---- The others ---- */

static pthread_rwlock_t rwlock = PTHREAD_RWLOCK_INITIALIZER;

static void *read_or_write(void *arg)
{
    if (arg == NULL) {
        assert(pthread_rwlock_wrlock(&rwlock) == 0);
        assert(pthread_rwlock_tryrdlock(&rwlock) == EBUSY);
        int seen = shared;
        sched_yield();
        shared = seen + 1;
    } else {
        assert(pthread_rwlock_rdlock(&rwlock) == 0);
        assert(pthread_rwlock_tryrdlock(&rwlock) == 0); /* as often as one likes */
        assert(pthread_rwlock_trywrlock(&rwlock) == EBUSY);
        int seen = shared;
        sched_yield();
        assert(shared == seen);
        assert(pthread_rwlock_unlock(&rwlock) == 0);
    }
    assert(pthread_rwlock_unlock(&rwlock) == 0);
    return done(arg);
}

static pthread_rwlock_t for_writers = PTHREAD_RWLOCK_WRITER_NONRECURSIVE_INITIALIZER_NP;

/* Readers that come after a writer wait behind it; when it gives up they go on. */
static void *write_in_vain_or_read(void *arg)
{
    struct timespec at = later(CLOCK_REALTIME, 10);
    if (arg == NULL) {
        assert(pthread_rwlock_timedwrlock(&for_writers, &at) == ETIMEDOUT);
    } else {
        assert(pthread_rwlock_rdlock(&for_writers) == 0);
        assert(pthread_rwlock_unlock(&for_writers) == 0);
    }
    return done(arg);
}

static void rwlocks(void)
{
    struct timespec at = later(CLOCK_REALTIME, 10);
    run(THREADS, read_or_write);
    assert(shared == 1);
    assert(pthread_rwlock_rdlock(&rwlock) == 0);
    assert(pthread_rwlock_timedwrlock(&rwlock, &at) == ETIMEDOUT);
    assert(pthread_rwlock_unlock(&rwlock) == 0);
    assert(pthread_rwlock_destroy(&rwlock) == 0);
    assert(pthread_rwlock_rdlock(&for_writers) == 0);
    run(THREADS, write_in_vain_or_read);
    assert(pthread_rwlock_unlock(&for_writers) == 0);
}

static sem_t semaphore;

static void *pass(void *arg)
{
    assert(sem_wait(&semaphore) == 0);
    shared++;
    assert(shared <= 2);
    sched_yield();
    shared--;
    assert(sem_post(&semaphore) == 0);
    return done(arg);
}

static void semaphores(void)
{
    int value;
    struct timespec at = later(CLOCK_REALTIME, 10);
    assert(sem_init(&semaphore, 0, 2) == 0);
    run(THREADS, pass);
    assert(sem_getvalue(&semaphore, &value) == 0 && value == 2);
    assert(sem_trywait(&semaphore) == 0 && sem_trywait(&semaphore) == 0);
    assert(sem_trywait(&semaphore) == -1 && errno == EAGAIN);
    assert(sem_timedwait(&semaphore, &at) == -1 && errno == ETIMEDOUT);
    assert(sem_destroy(&semaphore) == 0);
}

static pthread_barrier_t barrier;
static int serial;

static void *meet(void *arg)
{
    for (int round = 1; round <= 2; round++) {
        __atomic_add_fetch(&shared, 1, __ATOMIC_SEQ_CST);
        serial += pthread_barrier_wait(&barrier) == PTHREAD_BARRIER_SERIAL_THREAD;
        assert(shared == round * THREADS);
        pthread_barrier_wait(&barrier);
    }
    return done(arg);
}

static void barriers(void)
{
    assert(pthread_barrier_init(&barrier, NULL, THREADS) == 0);
    run(THREADS, meet);
    assert(serial == 2);
    assert(pthread_barrier_destroy(&barrier) == 0);
}

static void initialise(void)
{
    int seen = shared;
    usleep(10);
    shared = seen + 1;
}

static pthread_once_t once = PTHREAD_ONCE_INIT;

static void *begin_once(void *arg)
{
    assert(pthread_once(&once, initialise) == 0);
    assert(shared == 1);
    return done(arg);
}

static void onces(void)
{
    run(THREADS, begin_once);
    once = (pthread_once_t)PTHREAD_ONCE_INIT; /* as where its memory was freed and is another object's now */
    shared = 0;
    run(THREADS, begin_once);
}

static pthread_key_t key;
static int destroyed;

static void destroy(void *value)
{
    destroyed++;
    if ((uintptr_t)value < 1000) {
        pthread_setspecific(key, (void *)((uintptr_t)value + 1000)); /* once more */
    }
}

static void *keep(void *arg)
{
    assert(pthread_getspecific(key) == NULL);
    assert(pthread_setspecific(key, (void *)((uintptr_t)arg + 1)) == 0);
    sched_yield();
    assert(pthread_getspecific(key) == (void *)((uintptr_t)arg + 1));
    if ((uintptr_t)arg == 1) {
        pthread_exit(done(arg));
    }
    return done(arg);
}

static void keys(void)
{
    assert(pthread_key_create(&key, destroy) == 0);
    run(THREADS, keep);
    assert(destroyed == 2 * THREADS);
    assert(pthread_key_delete(key) == 0);
    assert(pthread_setspecific(key, &key) == EINVAL);
}

/* ---- C11 ---- */

static mtx_t mutex11;
static cnd_t condition11;
static tss_t key11;

static int add11(void *arg)
{
    assert(tss_set(key11, arg) == thrd_success && tss_get(key11) == arg);
    assert(mtx_lock(&mutex11) == thrd_success);
    shared++;
    assert(cnd_signal(&condition11) == thrd_success);
    assert(mtx_unlock(&mutex11) == thrd_success);
    thrd_yield();
    if (arg == NULL) {
        thrd_exit(7);
    }
    return 7;
}

static void c11(void)
{
    thrd_t threads11[2];
    int results[2];
    assert(mtx_init(&mutex11, mtx_timed) == thrd_success && cnd_init(&condition11) == thrd_success);
    assert(tss_create(&key11, NULL) == thrd_success);
    for (int i = 0; i < 2; i++) {
        must(thrd_create(&threads11[i], add11, i == 0 ? NULL : &shared)); /* thrd_success is 0 */
    }
    assert(mtx_lock(&mutex11) == thrd_success);
    while (shared < 2) {
        assert(cnd_wait(&condition11, &mutex11) == thrd_success);
    }
    struct timespec at = later(CLOCK_REALTIME, 5);
    assert(cnd_timedwait(&condition11, &mutex11, &at) == thrd_timedout);
    assert(mtx_trylock(&mutex11) == thrd_busy);
    assert(mtx_unlock(&mutex11) == thrd_success);
    for (int i = 0; i < 2; i++) {
        assert(thrd_join(threads11[i], &results[i]) == thrd_success && results[i] == 7);
    }
    cnd_destroy(&condition11);
    mtx_destroy(&mutex11);
}

/* ---- Chance: the same bytes in every run of a schedule, so this prints the same each time ---- */

static void chance(void)
{
    unsigned bytes[3];
    FILE *device = fopen("/dev/urandom", "r");
    assert(getrandom(&bytes[0], sizeof bytes[0], 0) == sizeof bytes[0]);
    assert(getentropy(&bytes[1], sizeof bytes[1]) == 0);
    assert(device != NULL && fread(&bytes[2], sizeof bytes[2], 1, device) == 1);
    fclose(device);
    srand((unsigned)time(NULL));
    printf("%08x %08x %08x %d\n", bytes[0], bytes[1], bytes[2], rand());
    exit(3);
}

static pthread_mutex_t left_behind;

static void *end_with_it(void *arg)
{
    must(pthread_mutex_lock(&left_behind));
    return done(arg);
}

static void make_robust(int protocol)
{
    pthread_mutexattr_t attributes;
    must(pthread_mutexattr_init(&attributes));
    must(pthread_mutexattr_setrobust(&attributes, PTHREAD_MUTEX_ROBUST));
    must(pthread_mutexattr_setprotocol(&attributes, protocol));
    must(pthread_mutex_init(&left_behind, &attributes));
}

/* Whoever locks next hears of it; without its word that all is well again nobody locks it any more. */
static void robust(void)
{
    pthread_t thread;
    make_robust(PTHREAD_PRIO_NONE);
    must(pthread_create(&thread, NULL, end_with_it, NULL));
    int result = pthread_mutex_lock(&left_behind); /* before the thread, or after its end */
    assert(result == 0 || result == EOWNERDEAD);
    if (result == EOWNERDEAD) {
        must(pthread_mutex_consistent(&left_behind));
    }
    assert(pthread_mutex_consistent(&left_behind) == EINVAL);
    must(pthread_mutex_unlock(&left_behind));
    must(pthread_join(thread, NULL));
    result = pthread_mutex_trylock(&left_behind);
    assert(result == 0 || result == EOWNERDEAD);
    must(pthread_mutex_unlock(&left_behind));
    assert(pthread_mutex_lock(&left_behind) == (result == 0 ? 0 : ENOTRECOVERABLE));
    make_robust(PTHREAD_PRIO_INHERIT);
    must(pthread_create(&thread, NULL, end_with_it, NULL));
    must(pthread_join(thread, NULL));
    assert(pthread_mutex_lock(&left_behind) == EOWNERDEAD);
}

/* Two locks in both orders, and no deadlock: whoever does not get the second lets go of the first, at once. */
static pthread_mutex_t pair[2] = {PTHREAD_MUTEX_INITIALIZER, PTHREAD_MUTEX_INITIALIZER};
static int only_tries;

static void *take_both(void *arg)
{
    unsigned first = arg != NULL;
    for (;;) {
        if (only_tries) {
            while (pthread_mutex_trylock(&pair[first]) != 0) {
            }
        } else {
            must(pthread_mutex_lock(&pair[first]));
        }
        if (pthread_mutex_trylock(&pair[!first]) == 0) {
            break;
        }
        must(pthread_mutex_unlock(&pair[first]));
    }
    shared++;
    must(pthread_mutex_unlock(&pair[0]));
    must(pthread_mutex_unlock(&pair[1]));
    return arg;
}

static void backs_off(void)
{
    pthread_t thread;
    shared = 0;
    must(pthread_create(&thread, NULL, take_both, pair));
    take_both(NULL);
    must(pthread_join(thread, NULL));
    assert(shared == 2);
}

static void backs_off_from_tries(void)
{
    only_tries = 1;
    backs_off();
}

int main(int argc, char **argv)
{
    static const struct {
        const char *name;
        void (*fn)(void);
    } topics[] = {
        {"robust", robust},
        {"backing-off", backs_off},
        {"only-trying", backs_off_from_tries},
        {"threads", threads},
        {"many-threads", many_threads},
        {"main-leaves", main_leaves},
        {"mutexes", mutexes},
        {"timed-wait", timed_wait},
        {"clocks", clocks},
        {"yields", yields},
        {"rwlocks", rwlocks},
        {"semaphores", semaphores},
        {"barriers", barriers},
        {"onces", onces},
        {"keys", keys},
        {"c11", c11},
        {"chance", chance},
    };
    for (size_t i = 0; i < sizeof topics / sizeof topics[0]; i++) {
        if (argc > 1 && strcmp(argv[1], topics[i].name) == 0) {
            topics[i].fn();
            return 0;
        }
    }
    return 2;
}
