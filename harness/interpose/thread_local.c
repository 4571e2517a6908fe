/*
 * thread_local.c - what a thread keeps for itself and what is called for it at its end: keys, and thread_local
 * variables of C++.
 *
 * Thread-local storage itself is the real one. Only the ends are run here, because the C library would run them after
 * the thread has given up its turn.
 */
#define _GNU_SOURCE
#include "interpose.h"
#include <limits.h>

struct interpose_cleanup {
    struct interpose_cleanup *next;
    void (*fn)(void *object);
    void *object;
};

struct interpose_value {
    const void *value;
    uint32_t generation; /* of its key: a value of an older one is forgotten */
};

static struct key {
    bool used;
    uint32_t generation;
    void (*destructor)(void *value);
} keys[PTHREAD_KEYS_MAX];
static unsigned keys_used; /* 1 + the highest ever made */

static struct interpose_value *value_of(const struct interpose_thread *thread, unsigned key)
{
    struct interpose_value *value = thread->values != NULL ? &thread->values[key] : NULL;
    return value != NULL && keys[key].used && value->generation == keys[key].generation ? value : NULL;
}

/* Whether there was something to do. */
static bool destroy_values(struct interpose_thread *thread)
{
    bool some = false;
    for (unsigned key = 0; key < keys_used; key++) {
        struct interpose_value *value = value_of(thread, key);
        if (value != NULL && value->value != NULL && keys[key].destructor != NULL) {
            void *old = (void *)(uintptr_t)value->value;
            value->value = NULL;
            keys[key].destructor(old);
            some = true;
        }
    }
    return some;
}

/* In the order that the C library has: variables first, newest first; then keys, until nothing is left to do. */
void interpose_run_destructors(struct interpose_thread *thread)
{
    while (thread->cleanups != NULL) {
        struct interpose_cleanup *cleanup = thread->cleanups;
        thread->cleanups = cleanup->next;
        cleanup->fn(cleanup->object);
    }
    for (unsigned round = 0; round < PTHREAD_DESTRUCTOR_ITERATIONS && destroy_values(thread); round++) {
    }
}

int interpose_key_create(unsigned *ret_key, void (*destructor)(void *value))
{
    for (unsigned key = 0; key < PTHREAD_KEYS_MAX; key++) {
        if (!keys[key].used) {
            keys[key] = (struct key){true, keys[key].generation + 1, destructor};
            keys_used = key >= keys_used ? key + 1 : keys_used;
            *ret_key = key;
            return 0;
        }
    }
    return EAGAIN;
}

int interpose_key_delete(unsigned key)
{
    if (key >= PTHREAD_KEYS_MAX || !keys[key].used) {
        return EINVAL;
    }
    keys[key].used = false;
    return 0;
}

void interpose_keys_reserve(struct interpose_thread *thread)
{
    if (thread->values == NULL) {
        thread->values = interpose_allocate(PTHREAD_KEYS_MAX * sizeof *thread->values);
    }
}

int interpose_key_set(unsigned key, const void *value)
{
    struct interpose_thread *self = interpose_self();
    if (key >= PTHREAD_KEYS_MAX || !keys[key].used) {
        return EINVAL;
    }
    interpose_keys_reserve(self);
    self->values[key] = (struct interpose_value){value, keys[key].generation};
    return 0;
}

void *interpose_key_get(unsigned key)
{
    const struct interpose_value *value = key < PTHREAD_KEYS_MAX ? value_of(interpose_self(), key) : NULL;
    return value != NULL ? (void *)(uintptr_t)value->value : NULL;
}

/*
 * Keys may be made before any schedule begins, and used in it: outside of the kit they are all ours, in every process
 * that has this library.
 */
INTERPOSED int pthread_key_create(pthread_key_t *ret_key, void (*destructor)(void *value))
{
    return interpose_is_kit(__builtin_return_address(0)) ? NEXT(pthread_key_create)(ret_key, destructor)
                                                         : interpose_key_create(ret_key, destructor);
}

INTERPOSED int pthread_key_delete(pthread_key_t key)
{
    return interpose_is_kit(__builtin_return_address(0)) ? NEXT(pthread_key_delete)(key) : interpose_key_delete(key);
}

INTERPOSED int pthread_setspecific(pthread_key_t key, const void *value)
{
    return interpose_is_kit(__builtin_return_address(0)) ? NEXT(pthread_setspecific)(key, value)
                                                         : interpose_key_set(key, value);
}

INTERPOSED void *pthread_getspecific(pthread_key_t key)
{
    return interpose_is_kit(__builtin_return_address(0)) ? NEXT(pthread_getspecific)(key) : interpose_key_get(key);
}

INTERPOSED int __cxa_thread_atexit_impl(void (*fn)(void *object), void *object, void *library);
INTERPOSED int __cxa_thread_atexit_impl(void (*fn)(void *object), void *object, void *library)
{
    struct solo_world *world = WORLD_OF_CALLER();
    if (world == NULL || interpose_self()->thread == NULL) { /* main's are run by exit */
        return NEXT(__cxa_thread_atexit_impl)(fn, object, library);
    }
    struct interpose_cleanup *cleanup = interpose_allocate(sizeof *cleanup);
    struct interpose_thread *self = interpose_self();
    *cleanup = (struct interpose_cleanup){self->cleanups, fn, object};
    self->cleanups = cleanup;
    return 0;
}
