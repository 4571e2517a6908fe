/*
 * test_os_memory.c - memory of world os: blocks are apart, aligned, and come home from whatever thread gives them back.
 */
#include "runner.h"
#include <pthread.h>
#include <semaphore.h>
#include <solo/world.h>
#include <stdlib.h>
#include <string.h>

static void *take(size_t size)
{
    struct solo_world *world = solo_world_os();
    void *memory = world->memory->allocate(world, size);
    CU_ASSERT_PTR_NOT_NULL_FATAL(memory);
    return memory;
}

static void give(void *memory)
{
    struct solo_world *world = solo_world_os();
    world->memory->release(world, memory);
}

enum { SIZES = 3000, STEP = 7 };

static void test_os_memory__blocks_of_every_size_are_aligned_and_apart(void)
{
    unsigned char *blocks[SIZES / STEP + 1];
    for (size_t size = 0; size < SIZES; size += STEP) {
        blocks[size / STEP] = take(size);
        CU_ASSERT_EQUAL((uintptr_t)blocks[size / STEP] % 16, 0);
        memset(blocks[size / STEP], (int)(size % 251), size);
    }
    for (size_t size = 0; size < SIZES; size += STEP) {
        bool whole = true;
        for (size_t i = 0; i < size; i++) {
            whole = whole && blocks[size / STEP][i] == size % 251;
        }
        CU_ASSERT_TRUE(whole);
        give(blocks[size / STEP]);
    }
    give(NULL);
}

static void test_os_memory__what_is_far_too_large_is_refused(void)
{
    struct solo_world *world = solo_world_os();
#if defined(SOLO_ASAN) || defined(SOLO_TSAN)
    SOLO_SKIP("the sanitizer's own allocator ends the process");
#endif
    CU_ASSERT_PTR_NULL(world->memory->allocate(world, SIZE_MAX));
    CU_ASSERT_PTR_NULL(world->memory->allocate(world, SIZE_MAX - 8));
    CU_ASSERT_PTR_NULL(world->memory->allocate(world, SIZE_MAX / 2));
}

/* ---- Between threads ---- */

enum { ROUNDS = 200, BLOCKS = 100 };

static unsigned char *handed[BLOCKS];
static sem_t full, empty;

/* Checks and gives back what another thread took. */
static void *give_back(void *arg)
{
    bool *whole = arg;
    for (int round = 0; round < ROUNDS; round++) {
        (void)sem_wait(&full);
        for (int i = 0; i < BLOCKS; i++) {
            for (int at = 0; at < 32 + i; at++) {
                *whole = *whole && handed[i][at] == (unsigned char)(round + i);
            }
            give(handed[i]);
        }
        (void)sem_post(&empty);
    }
    return NULL;
}

/* As many blocks of a size as are in use at a time, however often they go to another thread and back. */
static void test_os_memory__blocks_that_another_thread_gives_back_are_used_again(void)
{
    static uintptr_t seen[ROUNDS * BLOCKS];
    pthread_t thread;
    bool whole = true;
    size_t different = 0;
    CU_ASSERT_EQUAL_FATAL(sem_init(&full, 0, 0) | sem_init(&empty, 0, 0), 0);
    CU_ASSERT_EQUAL_FATAL(pthread_create(&thread, NULL, give_back, &whole), 0);
    for (int round = 0; round < ROUNDS; round++) {
        for (int i = 0; i < BLOCKS; i++) {
            handed[i] = take((size_t)(32 + i));
            memset(handed[i], round + i, (size_t)(32 + i));
            uintptr_t address = (uintptr_t)handed[i];
            size_t at = 0;
            while (at < different && seen[at] != address) {
                at++;
            }
            if (at == different) {
                seen[different++] = address;
            }
        }
        (void)sem_post(&full);
        (void)sem_wait(&empty);
    }
    CU_ASSERT_EQUAL(pthread_join(thread, NULL), 0);
    CU_ASSERT_TRUE(whole);
    /* What is on its way back is at most 64 of each of its eight sizes; memory checkers keep blocks aside. */
#if !defined(SOLO_ASAN) && !defined(SOLO_TSAN) && !defined(SOLO_VALGRIND) && !defined(SOLO_TORTURE)
    CU_ASSERT_TRUE(different <= BLOCKS + 8 * 64 * 2);
#else
    CU_ASSERT_TRUE(different >= BLOCKS);
#endif
}

static void *take_one(void *arg)
{
    unsigned char **ret_block = arg;
    *ret_block = take(200);
    memset(*ret_block, 0x5a, 200);
    return NULL;
}

static void *give_one(void *arg)
{
    give(*(void **)arg);
    return NULL;
}

static void test_os_memory__a_block_outlives_the_thread_that_took_it(void)
{
    for (int round = 0; round < 50; round++) {
        pthread_t thread;
        unsigned char *block = NULL;
        CU_ASSERT_EQUAL_FATAL(pthread_create(&thread, NULL, take_one, &block), 0);
        CU_ASSERT_EQUAL(pthread_join(thread, NULL), 0);
        CU_ASSERT_EQUAL(block[0], 0x5a);
        CU_ASSERT_EQUAL(block[199], 0x5a);
        if (round % 2 == 0) {
            give(block);
        } else {
            CU_ASSERT_EQUAL_FATAL(pthread_create(&thread, NULL, give_one, &block), 0);
            CU_ASSERT_EQUAL(pthread_join(thread, NULL), 0);
        }
    }
}

/* ---- All at once ---- */

enum { THREADS = 4, PASSES = 2000, SHELF = 64 };

static void *shelf[SHELF];
static bool spoiled;

/* Puts marked blocks of any size on a shelf and gives back what was there, whoever put it there. */
static void *trade(void *arg)
{
    uint32_t dice = (uint32_t)(uintptr_t)arg;
    for (int pass = 0; pass < PASSES; pass++) {
        dice = dice * 1664525 + 1013904223;
        size_t size = 16 + dice % 600;
        unsigned char *block = take(size);
        memcpy(block, &size, sizeof size);
        memset(block + sizeof size, (int)(size % 251), size - sizeof size);
        unsigned char *other = __atomic_exchange_n(&shelf[dice >> 16 & (SHELF - 1)], block, __ATOMIC_ACQ_REL);
        if (other != NULL) {
            memcpy(&size, other, sizeof size);
            for (size_t i = sizeof size; i < size; i++) {
                if (other[i] != size % 251) {
                    __atomic_store_n(&spoiled, true, __ATOMIC_RELAXED);
                }
            }
            give(other);
        }
    }
    return NULL;
}

static void test_os_memory__threads_at_once_never_share_a_block(void)
{
    pthread_t threads[THREADS];
    for (uintptr_t i = 0; i < THREADS; i++) {
        CU_ASSERT_EQUAL_FATAL(pthread_create(&threads[i], NULL, trade, (void *)(i + 1)), 0);
    }
    for (int i = 0; i < THREADS; i++) {
        CU_ASSERT_EQUAL(pthread_join(threads[i], NULL), 0);
    }
    for (int i = 0; i < SHELF; i++) {
        give(shelf[i]);
    }
    CU_ASSERT_FALSE(spoiled);
}

void suite_os_memory(void);
void suite_os_memory(void)
{
    SOLO_SUITE("os_memory");
    SOLO_TEST(test_os_memory__blocks_of_every_size_are_aligned_and_apart);
    SOLO_TEST(test_os_memory__what_is_far_too_large_is_refused);
    SOLO_TEST(test_os_memory__blocks_that_another_thread_gives_back_are_used_again);
    SOLO_TEST(test_os_memory__a_block_outlives_the_thread_that_took_it);
    SOLO_TEST(test_os_memory__threads_at_once_never_share_a_block);
}
