/* test_estimate.c - numbers of schedules and classes from draws, where both are known. */
#include "estimate.h"
#include "runner.h"
#include <math.h>
#include <solo/access.h>
#include <solo/solo.h>
#include <string.h>

#if defined(SOLO_ASAN) || defined(SOLO_TSAN) || defined(SOLO_VALGRIND) || defined(SOLO_TORTURE)
enum { DRAWS = 100, PERCENT = 40 };
#else
enum { DRAWS = 2000, PERCENT = 10 };
#endif

static long words[3];
static bool shares;

static void begin(struct solo_sim *sim)
{
    (void)sim;
}

static struct estimate draw(void (*body)(void *arg))
{
    const struct reduction_case measured = {.body = body, .begin = begin};
    struct estimate estimate;
    memset(&estimate, 0, sizeof estimate);
    CU_ASSERT_TRUE(estimate_draw(&measured, DRAWS, &estimate));
    CU_ASSERT_EQUAL(estimate.draws, DRAWS);
    CU_ASSERT_EQUAL(estimate.uncounted, 0);
    return estimate;
}

static struct estimate_tally search(const char *name, void (*body)(void *arg))
{
    const struct reduction_case measured = {.body = body, .begin = begin};
    struct estimate_tally tally = {.ended = false};
    CU_ASSERT_TRUE(estimate_tally(name, &measured, 100000, &tally));
    CU_ASSERT_TRUE(tally.ended);
    return tally;
}

static bool is_near(double estimated, double known)
{
    return fabs(estimated - known) * 100 <= known * PERCENT;
}

static void write_words(void *arg)
{
    long *word = &words[shares ? 0 : (uintptr_t)arg];
    SOLO_WRITE(*word, 1);
    SOLO_WRITE(*word, 2);
    SOLO_WRITE(*word, 3);
}

static void writers(void *arg)
{
    struct solo_thread *thread;
    (void)arg;
    CU_ASSERT_EQUAL(solo_thread_create(write_words, (void *)1, &thread), 0);
    write_words((void *)0);
    CU_ASSERT_EQUAL(solo_thread_join(thread), 0);
}

static void test_estimate__the_number_of_schedules_is_near_that_of_plain_search(void)
{
    for (unsigned i = 0; i < 2; i++) {
        shares = i != 0;
        struct estimate estimate = draw(writers);
        CU_ASSERT_TRUE(is_near(estimate.schedules, search("dfs", writers).schedules));
        CU_ASSERT_TRUE(estimate.effective > DRAWS / 2.0);
    }
}

static void test_estimate__the_number_of_classes_is_no_less_than_that_of_the_search_with_reduction(void)
{
    for (unsigned i = 0; i < 2; i++) {
        shares = i != 0;
        struct estimate estimate = draw(writers);
        unsigned classes = search("dpor", writers).classes;
        CU_ASSERT_EQUAL(classes, shares ? 20 : 1);
        CU_ASSERT_TRUE(estimate.classes * 100 >= classes * (100 - PERCENT));
        CU_ASSERT_TRUE(estimate.classes <= classes * 2);
    }
}

static void test_estimate__the_share_lies_between_those_of_the_batches_and_is_no_more_than_the_least_alike_allow(void)
{
    shares = true;
    struct estimate estimate = draw(writers);
    CU_ASSERT_DOUBLE_EQUAL(estimate.share, estimate.classes / estimate.schedules, 1e-9);
    CU_ASSERT_TRUE(estimate.lowest <= estimate.share && estimate.share <= estimate.highest);
    CU_ASSERT_TRUE(estimate.share * estimate.least_alike <= 1 + 1e-9);
}

static void test_estimate__is_the_same_each_time(void)
{
    shares = true;
    struct estimate one = draw(writers), other = draw(writers);
    CU_ASSERT_EQUAL(one.schedules, other.schedules);
    CU_ASSERT_EQUAL(one.classes, other.classes);
}

/* ---- Only arrivals ---- */

static struct solo_reactor *reactor;
static int streams[2];
static bool in_pool;

static SOLO_REACTOR_ONLY void read_some(int fd, void *arg)
{
    char bytes[8];
    size_t *left = arg;
    ssize_t count = solo_stream_read(fd, bytes, sizeof bytes);
    *left -= count > 0 ? (size_t)count : 0;
    if (*left == 0) {
        (void)solo_reactor_stop(reactor);
    }
}

static SOLO_POOL_ONLY void job(void *arg)
{
    (void)arg;
}

static void reader(void *arg)
{
    size_t left = 4;
    (void)arg;
    CU_ASSERT_EQUAL(solo_reactor_create(NULL, &reactor), 0);
    CU_ASSERT_EQUAL(solo_stream_pair(streams), 0);
    (void)solo_reactor_add_reader(reactor, streams[0], read_some, &left);
    CU_ASSERT_EQUAL(solo_stream_write(streams[1], "four", 4), 4);
    if (in_pool) {
        (void)solo_reactor_call_in_thread(reactor, job, NULL, NULL);
    }
    (void)solo_reactor_run(reactor);
    (void)solo_reactor_remove_reader(reactor, streams[0]);
    (void)solo_stream_close(streams[0]);
    (void)solo_stream_close(streams[1]);
    (void)solo_reactor_destroy(reactor);
}

/* How four bytes come in pieces: eight ways, none like another. With a worker beside there is more to choose. */
static void test_estimate__tells_bodies_in_which_only_arrivals_are_chosen(void)
{
    in_pool = false;
    struct estimate alone = draw(reader);
    CU_ASSERT_TRUE(alone.only_arrivals);
    CU_ASSERT_TRUE(is_near(alone.schedules, search("dfs", reader).schedules));
    CU_ASSERT_DOUBLE_EQUAL(alone.share, 1, 1e-9);
    in_pool = true;
    CU_ASSERT_FALSE(draw(reader).only_arrivals);
}

void suite_estimate(void);
void suite_estimate(void)
{
    SOLO_SUITE("estimate");
    SOLO_TEST(test_estimate__the_number_of_schedules_is_near_that_of_plain_search);
    SOLO_TEST(test_estimate__the_number_of_classes_is_no_less_than_that_of_the_search_with_reduction);
    SOLO_TEST(test_estimate__the_share_lies_between_those_of_the_batches_and_is_no_more_than_the_least_alike_allow);
    SOLO_TEST(test_estimate__is_the_same_each_time);
    SOLO_TEST(test_estimate__tells_bodies_in_which_only_arrivals_are_chosen);
}
