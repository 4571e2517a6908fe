/* test_descriptor.c - readers and writers on descriptors, and the streams to try them on. */
#include "worlds.h"

static struct solo_reactor *the_reactor;
static int ends[2], others[2];

static void open_streams(void)
{
    CU_ASSERT_EQUAL(solo_stream_pair(ends), 0);
    CU_ASSERT_EQUAL(solo_stream_pair(others), 0);
}

static void close_streams(void)
{
    for (int i = 0; i < 2; i++) {
        CU_ASSERT_EQUAL(solo_stream_close(ends[i]), 0);
        CU_ASSERT_EQUAL(solo_stream_close(others[i]), 0);
    }
}

static void send(int fd, const char *text)
{
    CU_ASSERT_EQUAL(solo_stream_write(fd, text, strlen(text)), (ptrdiff_t)strlen(text));
}

/* Passes, until nothing more happens: each of our callbacks notes something. */
static void settle(void)
{
    size_t before;
    do {
        before = worlds.noted;
        CU_ASSERT_EQUAL(solo_reactor_iterate(the_reactor, 0), 0);
    } while (worlds.noted != before);
}

/* Reads and notes one byte; '$' is the end of the stream. */
static void read_one(int fd, void *arg)
{
    char byte = '?';
    ptrdiff_t got = solo_stream_read(fd, &byte, 1);
    if (arg != NULL) {
        note_call(arg);
    }
    note(got == 1 ? byte : got == 0 ? '$' : '!');
    if (got <= 0) {
        CU_ASSERT_EQUAL(solo_reactor_remove_reader(the_reactor, fd), 0);
    }
}

/* ---- Readers ---- */

static void reader_body(void)
{
    the_reactor = worlds_reactor();
    open_streams();
    CU_ASSERT_EQUAL(solo_reactor_add_reader(the_reactor, ends[0], read_one, NULL), 0);
    settle();
    noted("");
    send(ends[1], "abc");
    CU_ASSERT_EQUAL(solo_reactor_iterate(the_reactor, 0), 0);
    noted("a"); /* once a pass */
    settle();
    noted("abc");
    worlds_destroy(the_reactor);
    close_streams();
}

static void test_descriptor__a_reader_is_called_in_every_pass_in_which_it_can_be_read(void)
{
    worlds_run(reader_body);
}

static void end_body(void)
{
    the_reactor = worlds_reactor();
    open_streams();
    CU_ASSERT_EQUAL(solo_reactor_add_reader(the_reactor, ends[0], read_one, NULL), 0);
    send(ends[1], "a");
    CU_ASSERT_EQUAL(solo_stream_close(ends[1]), 0);
    settle();
    noted("a$");
    CU_ASSERT_EQUAL(solo_reactor_remove_reader(the_reactor, ends[0]), -ENOENT); /* it removed itself */
    worlds_destroy(the_reactor);
    CU_ASSERT_EQUAL(solo_stream_close(ends[0]), 0);
}

static void test_descriptor__a_reader_sees_the_end_of_the_stream_and_may_remove_itself(void)
{
    worlds_run(end_body);
}

static void write_one(int fd, void *arg)
{
    note_call(arg);
    CU_ASSERT_EQUAL(solo_stream_write(fd, "w", 1), 1);
    CU_ASSERT_EQUAL(solo_reactor_remove_writer(the_reactor, fd), 0);
}

static void writer_body(void)
{
    the_reactor = worlds_reactor();
    open_streams();
    CU_ASSERT_EQUAL(solo_reactor_add_reader(the_reactor, ends[0], read_one, "r"), 0);
    CU_ASSERT_EQUAL(solo_reactor_add_writer(the_reactor, ends[1], write_one, "W"), 0);
    settle();
    noted("Wrw");
    CU_ASSERT_EQUAL(solo_reactor_add_writer(the_reactor, ends[1], write_one, "W"), 0); /* and again */
    settle();
    noted("WrwWrw");
    worlds_destroy(the_reactor);
    close_streams();
}

static void test_descriptor__a_writer_is_called_when_it_can_be_written(void)
{
    worlds_run(writer_body);
}

static void both_body(void)
{
    the_reactor = worlds_reactor();
    open_streams();
    send(ends[1], "x");
    CU_ASSERT_EQUAL(solo_reactor_add_reader(the_reactor, ends[0], read_one, "r"), 0);
    CU_ASSERT_EQUAL(solo_reactor_add_writer(the_reactor, ends[0], write_one, "W"), 0);
    settle();
    noted("rxW");
    send(ends[1], "y"); /* the reader is still there after the writer has gone */
    settle();
    noted("rxWry");
    worlds_destroy(the_reactor);
    close_streams();
}

static void test_descriptor__may_have_a_reader_and_a_writer(void)
{
    worlds_run(both_body);
}

/* ---- Removing ---- */

static void remove_other(int fd, void *arg)
{
    int other = fd == ends[0] ? others[0] : ends[0];
    note('1');
    CU_ASSERT_EQUAL(solo_reactor_remove_reader(the_reactor, other), 0);
    CU_ASSERT_EQUAL(solo_reactor_remove_reader(the_reactor, fd), 0);
    (void)arg;
}

static void same_poll_body(void)
{
    the_reactor = worlds_reactor();
    open_streams();
    send(ends[1], "a");
    send(others[1], "b");
    CU_ASSERT_EQUAL(solo_reactor_add_reader(the_reactor, ends[0], remove_other, NULL), 0);
    CU_ASSERT_EQUAL(solo_reactor_add_reader(the_reactor, others[0], remove_other, NULL), 0);
    settle();
    noted("1"); /* whichever came first, the other one was ready in the same poll and is not called */
    worlds_destroy(the_reactor);
    close_streams();
}

static void test_descriptor__removed_by_an_earlier_callback_of_the_same_poll_is_not_called(void)
{
    worlds_run(same_poll_body);
}

static void replace_other(int fd, void *arg)
{
    int *pair = fd == ends[0] ? others : ends;
    note('1');
    CU_ASSERT_EQUAL(solo_reactor_remove_reader(the_reactor, fd), 0);
    CU_ASSERT_EQUAL(solo_reactor_remove_reader(the_reactor, pair[0]), 0);
    CU_ASSERT_EQUAL(solo_stream_close(pair[0]), 0);
    CU_ASSERT_EQUAL(solo_stream_close(pair[1]), 0);
    CU_ASSERT_EQUAL(solo_stream_pair(pair), 0); /* most likely the same numbers again */
    CU_ASSERT_EQUAL(solo_reactor_add_reader(the_reactor, pair[0], read_one, "r"), 0);
    (void)arg;
}

static void reused_body(void)
{
    the_reactor = worlds_reactor();
    open_streams();
    send(ends[1], "a");
    send(others[1], "b");
    CU_ASSERT_EQUAL(solo_reactor_add_reader(the_reactor, ends[0], replace_other, NULL), 0);
    CU_ASSERT_EQUAL(solo_reactor_add_reader(the_reactor, others[0], replace_other, NULL), 0);
    settle();
    noted("1"); /* the new reader is not called for what the old one's descriptor had */
    worlds_destroy(the_reactor);
    close_streams();
}

static void test_descriptor__a_number_used_again_gets_nothing_of_its_predecessor(void)
{
    worlds_run(reused_body);
}

static void remove_both_sides(int fd, void *arg)
{
    note_call(arg);
    CU_ASSERT_EQUAL(solo_reactor_remove_reader(the_reactor, fd), 0);
    CU_ASSERT_EQUAL(solo_reactor_remove_writer(the_reactor, fd), 0);
}

static void both_sides_body(void)
{
    the_reactor = worlds_reactor();
    open_streams();
    send(ends[1], "a");
    CU_ASSERT_EQUAL(solo_reactor_add_reader(the_reactor, ends[0], remove_both_sides, "r"), 0);
    CU_ASSERT_EQUAL(solo_reactor_add_writer(the_reactor, ends[0], write_one, "W"), 0);
    settle();
    noted("r");
    worlds_destroy(the_reactor);
    close_streams();
}

static void test_descriptor__a_reader_may_remove_the_writer_of_its_own_descriptor(void)
{
    worlds_run(both_sides_body);
}

static void remove_and_add_again(int fd, void *arg)
{
    note_call(arg);
    CU_ASSERT_EQUAL(solo_reactor_remove_reader(the_reactor, fd), 0);
    CU_ASSERT_EQUAL(solo_reactor_add_reader(the_reactor, fd, read_one, NULL), 0);
}

static void add_again_body(void)
{
    the_reactor = worlds_reactor();
    open_streams();
    send(ends[1], "a");
    CU_ASSERT_EQUAL(solo_reactor_add_reader(the_reactor, ends[0], remove_and_add_again, "1"), 0);
    CU_ASSERT_EQUAL(solo_reactor_iterate(the_reactor, 0), 0);
    noted("1");
    settle();
    noted("1a");
    worlds_destroy(the_reactor);
    close_streams();
}

static void test_descriptor__a_reader_may_replace_itself(void)
{
    worlds_run(add_again_body);
}

/* ---- Other threads, and the loop ---- */

static void send_late(void *arg)
{
    (void)solo_stream_write(ends[1], arg, 1);
}

static void read_and_stop(int fd, void *arg)
{
    read_one(fd, arg);
    CU_ASSERT_EQUAL(solo_reactor_remove_reader(the_reactor, fd), 0);
    worlds_stop(the_reactor);
}

static void woken_body(void)
{
    struct solo_thread *thread = NULL;
    the_reactor = worlds_reactor();
    open_streams();
    CU_ASSERT_EQUAL(solo_reactor_add_reader(the_reactor, ends[0], read_and_stop, NULL), 0);
    CU_ASSERT_EQUAL(solo_thread_create(send_late, "z", &thread), 0);
    CU_ASSERT_EQUAL(solo_reactor_run(the_reactor), 0);
    CU_ASSERT_EQUAL(solo_thread_join(thread), 0);
    noted("z");
    worlds_destroy(the_reactor);
    close_streams();
}

static void test_descriptor__what_arrives_wakes_a_sleeping_reactor(void)
{
    worlds_run(woken_body);
}

enum { PAIRS = 100 };

static unsigned read_count;

static void count_read(int fd, void *arg)
{
    char byte;
    (void)arg;
    CU_ASSERT_EQUAL(solo_stream_read(fd, &byte, 1), 1);
    read_count++;
}

static void many_body(void)
{
    static int pairs[PAIRS][2];
    the_reactor = worlds_reactor();
    read_count = 0;
    for (int i = 0; i < PAIRS; i++) {
        CU_ASSERT_EQUAL(solo_stream_pair(pairs[i]), 0);
        CU_ASSERT_EQUAL(solo_reactor_add_reader(the_reactor, pairs[i][0], count_read, NULL), 0);
        send(pairs[i][1], "x");
    }
    for (int i = 0; i < PAIRS && read_count < PAIRS; i++) { /* more than one poll reports at once */
        CU_ASSERT_EQUAL(solo_reactor_iterate(the_reactor, 0), 0);
    }
    CU_ASSERT_EQUAL(read_count, PAIRS);
    worlds_destroy(the_reactor);
    for (int i = 0; i < PAIRS; i++) {
        CU_ASSERT_EQUAL(solo_stream_close(pairs[i][0]), 0);
        CU_ASSERT_EQUAL(solo_stream_close(pairs[i][1]), 0);
    }
}

static void test_descriptor__a_hundred_ready_ones_are_all_served(void)
{
    worlds_run(many_body);
}

/* ---- Refusals ---- */

static void refusal_body(void)
{
    the_reactor = worlds_reactor();
    open_streams();
    CU_ASSERT_EQUAL(solo_reactor_add_reader(NULL, ends[0], read_one, NULL), -EINVAL);
    CU_ASSERT_EQUAL(solo_reactor_add_reader(the_reactor, ends[0], NULL, NULL), -EINVAL);
    CU_ASSERT_EQUAL(solo_reactor_add_writer(the_reactor, ends[0], NULL, NULL), -EINVAL);
    CU_ASSERT_EQUAL(solo_reactor_add_reader(the_reactor, -1, read_one, NULL), -EBADF);
    CU_ASSERT_EQUAL(solo_reactor_add_reader(the_reactor, 1023, read_one, NULL), -EBADF);
    CU_ASSERT_EQUAL(solo_reactor_remove_reader(the_reactor, 1023), -ENOENT);
    CU_ASSERT_EQUAL(solo_reactor_remove_reader(the_reactor, -1), -ENOENT);
    CU_ASSERT_EQUAL(solo_reactor_remove_writer(the_reactor, 1 << 30), -ENOENT);
    CU_ASSERT_EQUAL(solo_reactor_add_reader(the_reactor, ends[0], read_one, NULL), 0);
    CU_ASSERT_EQUAL(solo_reactor_add_reader(the_reactor, ends[0], read_one, NULL), -EEXIST);
    CU_ASSERT_EQUAL(solo_reactor_remove_writer(the_reactor, ends[0]), -ENOENT);
    CU_ASSERT_EQUAL(solo_stream_pair(NULL), -EINVAL);
    CU_ASSERT_EQUAL(solo_stream_read(ends[0], NULL, 1), -EINVAL);
    CU_ASSERT_EQUAL(solo_stream_write(ends[0], NULL, 1), -EINVAL);
    CU_ASSERT_EQUAL(solo_stream_read(1023, ends, 1), -EBADF);
    CU_ASSERT_EQUAL(solo_stream_close(-1), -EBADF);
    worlds_destroy(the_reactor);
    close_streams();
}

static void test_descriptor__bad_arguments_are_refused(void)
{
    worlds_run(refusal_body);
}

static int got;

static void add_from_here(void *arg)
{
    got = solo_reactor_add_reader(the_reactor, ends[0], read_one, arg);
}

static void wrong_thread_body(void)
{
    struct solo_thread *thread = NULL;
    the_reactor = worlds_reactor();
    open_streams();
    CU_ASSERT_EQUAL(solo_reactor_add_reader(the_reactor, others[0], read_one, NULL), 0);
    CU_ASSERT_EQUAL(solo_thread_create(add_from_here, NULL, &thread), 0);
    CU_ASSERT_EQUAL(solo_thread_join(thread), 0);
    CU_ASSERT_EQUAL(got, SOLO_EWRONGTHREAD);
    CU_ASSERT_EQUAL(solo_reactor_remove_reader(the_reactor, ends[0]), -ENOENT);
    worlds_destroy(the_reactor);
    close_streams();
    worlds_expect(SOLO001_WRONG_THREAD, 1);
}

static void test_descriptor__a_reader_from_another_thread_is_refused(void)
{
    worlds_run(wrong_thread_body);
}

void suite_descriptor(void);
void suite_descriptor(void)
{
    SOLO_SUITE("descriptor");
    SOLO_TEST(test_descriptor__a_reader_is_called_in_every_pass_in_which_it_can_be_read);
    SOLO_TEST(test_descriptor__a_reader_sees_the_end_of_the_stream_and_may_remove_itself);
    SOLO_TEST(test_descriptor__a_writer_is_called_when_it_can_be_written);
    SOLO_TEST(test_descriptor__may_have_a_reader_and_a_writer);
    SOLO_TEST(test_descriptor__removed_by_an_earlier_callback_of_the_same_poll_is_not_called);
    SOLO_TEST(test_descriptor__a_number_used_again_gets_nothing_of_its_predecessor);
    SOLO_TEST(test_descriptor__a_reader_may_remove_the_writer_of_its_own_descriptor);
    SOLO_TEST(test_descriptor__a_reader_may_replace_itself);
    SOLO_TEST(test_descriptor__what_arrives_wakes_a_sleeping_reactor);
    SOLO_TEST(test_descriptor__a_hundred_ready_ones_are_all_served);
    SOLO_TEST(test_descriptor__bad_arguments_are_refused);
    SOLO_TEST(test_descriptor__a_reader_from_another_thread_is_refused);
}
