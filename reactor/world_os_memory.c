/*
 * world_os_memory.c - memory of world os: small blocks that go round between threads without the allocator.
 *
 * What the kit takes is small, short-lived and, above all, taken by one thread and given back by another: a thread
 * call by its producer and by the reactor thread. A general allocator makes such a pair of threads fight over its
 * locks. Here each thread has a cache of free blocks for each size class. A block remembers the cache that it came
 * from; whoever gives it back keeps it, with up to RETURN_MAX - 1 others of the same origin, and returns them as one
 * chain, with one atomic operation. The owner takes all that came back with another one, once it has run out.
 *
 * Costs: caches keep what they ever had for the same class and its next users; the process's memory never shrinks
 * below the largest number of blocks in use at one time. The cache of a thread that ended, with all that still comes
 * back to it, is given to the next new one. Larger blocks, and all of them in builds for memory checkers and in the
 * torture build, are malloc's own.
 */
#define _GNU_SOURCE
#include "world_os.h"
#include <assert.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/mman.h>

#if defined(SOLO_ASAN) || defined(SOLO_TSAN) || defined(SOLO_VALGRIND) || defined(SOLO_TORTURE)

void *solo__os_allocate(struct solo_world *world, size_t size)
{
    (void)world;
    return size > PTRDIFF_MAX ? NULL : malloc(size); /* as malloc does, without a tool's word on it */
}

void solo__os_release(struct solo_world *world, void *memory)
{
    (void)world;
    free(memory);
}

#else

enum {
    STEP = 16,       /* class c has room for c * STEP - sizeof(uintptr_t) bytes */
    CLASSES = 144,   /* class 0 is malloc's */
    SLAB_MIN = 4096, /* bytes that are taken from malloc at a time, twice as many each time */
    SLAB_MAX = 1 << 18,
    RETURN_MAX = 64, /* blocks in a chain that goes back */
    RETURNS = 8,     /* chains that a thread has at a time */
    ALIGNMENT = 256, /* of caches, so that there is room for the class in their addresses */
    HUGE_PAGE = 1 << 21,
};

/*
 * A block is one word that says whose it is, and then what its user sees, at a multiple of 16. While it is free, a
 * link lies there.
 */
struct block {
    uintptr_t home; /* its cache's address + its class */
    struct block *next;
};

struct returns {
    uintptr_t home; /* of all of them */
    unsigned count;
    struct block *first, *last;
};

struct cache {
    struct block *free[CLASSES];
    char *slab[CLASSES]; /* what is left of the present slab */
    char *slab_end[CLASSES];
    uint32_t slab_size[CLASSES];
    struct returns returns[RETURNS];
    struct cache *next; /* of the orphans */
    char apart[ALIGNMENT];
    struct block *returned[CLASSES]; /* by other threads */
};

static_assert(CLASSES <= ALIGNMENT, "a class fits below a cache's address");

static __thread struct cache *own __attribute__((tls_model("initial-exec")));
static struct cache *orphans; /* of threads that ended */
static pthread_mutex_t orphans_mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_key_t at_end;
static pthread_once_t at_end_once = PTHREAD_ONCE_INIT;

/* ---- Caches ---- */

static __attribute__((noinline)) void give_back(struct returns *returns)
{
    struct cache *home = (struct cache *)(returns->home & ~(uintptr_t)(ALIGNMENT - 1));
    struct block **head = &home->returned[returns->home & (ALIGNMENT - 1)];
    returns->last->next = __atomic_load_n(head, __ATOMIC_RELAXED);
    while (!__atomic_compare_exchange_n(head, &returns->last->next, returns->first, true, __ATOMIC_RELEASE,
                                        __ATOMIC_RELAXED)) {
    }
    returns->count = 0;
}

static void leave_cache(void *arg)
{
    struct cache *cache = arg;
    own = NULL;
    for (int i = 0; i < RETURNS; i++) {
        if (cache->returns[i].count > 0) {
            give_back(&cache->returns[i]);
        }
    }
    (void)pthread_mutex_lock(&orphans_mutex);
    cache->next = orphans;
    orphans = cache;
    (void)pthread_mutex_unlock(&orphans_mutex);
}

static void make_key(void)
{
    if (pthread_key_create(&at_end, leave_cache) != 0) {
        abort(); /* 1,024 keys are in use */
    }
}

static __attribute__((noinline, cold)) struct cache *get_cache(void)
{
    (void)pthread_once(&at_end_once, make_key);
    (void)pthread_mutex_lock(&orphans_mutex);
    struct cache *cache = orphans;
    if (cache != NULL) {
        orphans = cache->next;
    }
    (void)pthread_mutex_unlock(&orphans_mutex);
    if (cache == NULL) {
        cache = aligned_alloc(ALIGNMENT, (sizeof *cache + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT);
        if (cache == NULL) {
            return NULL;
        }
        *cache = (struct cache){.next = NULL};
    }
    own = cache;
    (void)pthread_setspecific(at_end, cache);
    return cache;
}

/* ---- Blocks ---- */

/* One from what came back, else from the slab. */
static __attribute__((noinline)) struct block *refill(struct cache *cache, unsigned class)
{
    struct block *block = __atomic_exchange_n(&cache->returned[class], NULL, __ATOMIC_ACQUIRE);
    if (block != NULL) {
        cache->free[class] = block->next;
        return block;
    }
    size_t size = class * (size_t)STEP;
    if ((size_t)(cache->slab_end[class] - cache->slab[class]) < size) {
        uint32_t slab_size = cache->slab_size[class] == 0         ? SLAB_MIN
                             : cache->slab_size[class] < SLAB_MAX ? 2 * cache->slab_size[class]
                                                                  : SLAB_MAX;
        char *slab = malloc(slab_size);
        if (slab == NULL) {
            return NULL;
        }
        cache->slab_size[class] = slab_size;
        cache->slab[class] = slab + STEP - sizeof(uintptr_t); /* what users see is a multiple of 16 */
        cache->slab_end[class] = slab + slab_size;
    }
    block = (struct block *)(void *)cache->slab[class];
    cache->slab[class] += size;
    block->home = (uintptr_t)cache + class;
    return block;
}

/*
 * Very large blocks are tables of very many small things, used here and there: on huge pages that costs a fraction,
 * where the system lets programs ask for them.
 */
static char *allocate_huge(size_t size)
{
    char *memory = aligned_alloc(HUGE_PAGE, (size + HUGE_PAGE - 1) / HUGE_PAGE * HUGE_PAGE);
    if (memory != NULL) {
        (void)madvise(memory, size, MADV_HUGEPAGE);
    }
    return memory;
}

static void *allocate_large(size_t size)
{
    char *memory = size > SIZE_MAX - STEP - HUGE_PAGE ? NULL
                   : size < 2 * HUGE_PAGE             ? malloc(size + STEP)
                                                      : allocate_huge(size + STEP);
    if (memory == NULL) {
        return NULL;
    }
    ((struct block *)(void *)(memory + STEP - sizeof(uintptr_t)))->home = 0;
    return memory + STEP;
}

void *solo__os_allocate(struct solo_world *world, size_t size)
{
    size_t class = (size + sizeof(uintptr_t) + STEP - 1) / STEP;
    struct cache *cache = own;
    (void)world;
    if (class >= CLASSES || size > CLASSES * STEP) {
        return allocate_large(size);
    }
    if (cache == NULL) {
        cache = get_cache();
        if (cache == NULL) {
            return NULL;
        }
    }
    struct block *block = cache->free[class];
    if (block != NULL) {
        cache->free[class] = block->next;
    } else {
        block = refill(cache, (unsigned)class);
        if (block == NULL) {
            return NULL;
        }
    }
    return &block->next;
}

/* A block of another cache waits until there are more of the same. */
static inline void keep_for(struct cache *cache, struct block *block, uintptr_t home)
{
    struct returns *returns = &cache->returns[(home / ALIGNMENT ^ home) % RETURNS];
    if (__builtin_expect(returns->home != home || returns->count == RETURN_MAX, 0)) {
        if (returns->count > 0) {
            give_back(returns);
        }
        returns->home = home;
    }
    if (returns->count++ == 0) {
        returns->first = block;
    } else {
        returns->last->next = block;
    }
    returns->last = block;
}

void solo__os_release(struct solo_world *world, void *memory)
{
    struct cache *cache = own;
    (void)world;
    if (memory == NULL) {
        return;
    }
    struct block *block = (struct block *)(void *)((char *)memory - sizeof(uintptr_t));
    uintptr_t home = block->home;
    if (home == 0) {
        free((char *)memory - STEP);
        return;
    }
    if (cache == NULL) {
        cache = get_cache();
    }
    if (cache == NULL) { /* no memory for a cache of its own: it goes back alone */
        struct returns alone = {home, 1, block, block};
        give_back(&alone);
    } else if ((home & ~(uintptr_t)(ALIGNMENT - 1)) == (uintptr_t)cache) {
        unsigned class = home & (ALIGNMENT - 1);
        block->next = cache->free[class];
        cache->free[class] = block;
    } else {
        keep_for(cache, block, home);
    }
}

#endif
