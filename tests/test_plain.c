/*
 * test_plain.c - programs that know nothing of the kit, explored as they are.
 *
 * The programs are tests/plain/<name>.c. In flavour asan they are built with AddressSanitizer, as its kit is.
 */
#include "plain.h"
#include "support.h"
#include <errno.h>
#include <unistd.h>

/* What the program asserts holds in every schedule. */
static void check_holds(const char *topic)
{
    struct solo_explore_options options = defaults();
    explore(program("primitives", topic), &options);
    CU_ASSERT_EQUAL(report.verdict, SOLO_VERDICT_CLEAN);
    CU_ASSERT_EQUAL(report.finding_count, 0);
    CU_ASSERT_TRUE(report.schedules > 0);
}

/* ---- What is found ---- */

static void test_plain__an_update_lost_between_two_lock_sections_is_found(void)
{
    check_twins("lost_update", SOLO_NO_VIOLATION, "exited with status 1");
    CU_ASSERT_TRUE(report.distinct > 5);
}

static void test_plain__locks_taken_in_both_orders_are_a_deadlock_with_its_owners(void)
{
    check_twins("deadlock", SOLO004_DEADLOCK, "deadlock");
    const struct solo_violation *violation = &replay.violations[0];
    CU_ASSERT_EQUAL_FATAL(violation->waiter_count, 3);
    CU_ASSERT_STRING_EQUAL(violation->waiters[0].thread, "main/1");
    CU_ASSERT_STRING_EQUAL(violation->waiters[0].holder, "main/2");
    CU_ASSERT_STRING_EQUAL(violation->waiters[1].thread, "main/2");
    CU_ASSERT_STRING_EQUAL(violation->waiters[1].holder, "main/1");
    CU_ASSERT_STRING_EQUAL(violation->waiters[2].thread, "main");
    CU_ASSERT_STRING_EQUAL(violation->waiters[0].object, "`second` (mutex#2)");
    CU_ASSERT_STRING_EQUAL(violation->waiters[1].object, "`first` (mutex#1)");
    CU_ASSERT_STRING_EQUAL(violation->function, "pthread_mutex_lock");
    CU_ASSERT_STRING_EQUAL(violation->text,
                           "deadlock: `main/1` waits in pthread_mutex_lock for `second` (deadlock.c:15), held by "
                           "`main/2`, which waits in pthread_mutex_lock for `first` (deadlock.c:15), held by `main/1`");
}

/* Also if somebody else took it later, and has let go of it. */
static void test_plain__whoever_waits_for_readers_is_told_one_that_still_reads(void)
{
    check_twins("readers", SOLO004_DEADLOCK, "waits for `shared` (readers.c:46), held by `main/1`");
}

static void test_plain__a_signal_that_nobody_waits_for_is_lost(void)
{
    check_twins("lost_wakeup", SOLO004_DEADLOCK, "`main` waits in pthread_cond_wait for `changed` (lost_wakeup.c:33)");
    CU_ASSERT_STRING_EQUAL(replay.details[0].frames[0].function, "main");
}

/* ---- What holds ---- */

static void test_plain__threads_are_created_joined_detached_and_left(void)
{
    check_holds("threads");
}

static void test_plain__threads_may_follow_each_other_beyond_the_limit(void)
{
    check_holds("many-threads");
}

static void test_plain__the_process_outlives_its_main_thread(void)
{
    check_holds("main-leaves");
}

static void test_plain__mutexes_of_all_kinds_do_what_posix_says(void)
{
    check_holds("mutexes");
}

static void test_plain__a_robust_mutex_tells_that_its_holder_has_ended(void)
{
    check_holds("robust");
}

static void test_plain__timed_waits_end_in_virtual_time(void)
{
    check_holds("timed-wait");
}

static void test_plain__hours_of_sleep_take_no_time(void)
{
    check_holds("clocks");
}

static void test_plain__a_thread_that_spins_politely_ends(void)
{
    check_holds("yields");
}

/* Each could be interrupted again and again where it holds one of two locks. */
static void test_plain__threads_that_back_off_from_each_other_end(void)
{
    static const char *const topics[] = {"backing-off", "only-trying"};
    static const char *const strategies[] = {"portfolio", "hold"};
    for (unsigned i = 0; i < 4; i++) {
        struct solo_explore_options options = defaults();
        options.strategy = strategies[i / 2];
        options.schedules_max = 60;
        options.steps_max = 20000;
        explore(program("primitives", topics[i % 2]), &options);
        CU_ASSERT_EQUAL(report.verdict, SOLO_VERDICT_CLEAN);
        CU_ASSERT_EQUAL(report.finding_count, 0);
    }
}

static void test_plain__read_write_locks_exclude_writers(void)
{
    check_holds("rwlocks");
}

static void test_plain__semaphores_count(void)
{
    check_holds("semaphores");
}

static void test_plain__barriers_hold_everybody_back(void)
{
    check_holds("barriers");
}

static void test_plain__once_is_once(void)
{
    check_holds("onces");
}

static void test_plain__keys_are_destroyed_on_their_thread(void)
{
    check_holds("keys");
}

static void test_plain__threads_of_c11_are_the_same_threads(void)
{
    check_holds("c11");
}

static void test_plain__chance_is_the_same_in_every_run(void)
{
    struct solo_explore_options options = defaults();
    static char first[SOLO_OUTPUT_MAX];
    explore(program("primitives", "chance"), &options);
    CU_ASSERT_EQUAL_FATAL(report.finding_count, 1);
    CU_ASSERT_EQUAL(report.schedules, 1);
    strcpy(first, report.findings[0].output);
    CU_ASSERT_EQUAL(strlen(first) > 27, 1);
    explore(program("primitives", "chance"), &options);
    CU_ASSERT_STRING_EQUAL(report.findings[0].output, first);
}

static void test_plain__one_schedule_has_one_trace_in_every_process(void)
{
    struct solo_explore_options options = defaults();
    options.shrink = false;
    explore(program("lost_update", NULL), &options);
    CU_ASSERT_EQUAL_FATAL(report.finding_count, 1);
    CU_ASSERT_EQUAL_FATAL(replay_token(program("lost_update", NULL), report.findings[0].token, &options), 0);
    char *first = strdup(replay.trace);
    for (unsigned i = 0; i < 4; i++) {
        setenv("SOMETHING_ELSE", i % 2 == 0 ? "0123456789012345678901234567890123456789" : "", 1);
        CU_ASSERT_EQUAL_FATAL(replay_token(program("lost_update", NULL), report.findings[0].token, &options), 0);
        CU_ASSERT_STRING_EQUAL(first, replay.trace);
    }
    CU_ASSERT_PTR_NOT_NULL(strstr(first, "mutex#1"));
    CU_ASSERT_PTR_NULL(strstr(first, "0x"));
    free(first);
}

static void test_plain__a_schedule_that_runs_twice_is_the_same_twice(void)
{
    struct solo_explore_options options = defaults();
    options.schedules_max = 10;
    options.twice_every = 2;
    explore(program("lost_update", "fixed"), &options);
    CU_ASSERT_EQUAL(report.verdict, SOLO_VERDICT_CLEAN);
}

/* ---- Descriptors ---- */

static void check_descriptors(const char *topic)
{
    struct solo_explore_options options = defaults();
    explore(program("descriptors", topic), &options);
    CU_ASSERT_EQUAL(report.verdict, SOLO_VERDICT_CLEAN);
}

static void test_plain__a_wake_up_taken_after_the_queue_is_lost(void)
{
    check_twins("event_loop", SOLO004_DEADLOCK, "epoll#1");
}

static void test_plain__a_pipe_holds_back_its_writer_and_ends_with_it(void)
{
    check_descriptors("pipes");
}

static void test_plain__a_socket_pair_answers(void)
{
    check_descriptors("sockets");
    check_descriptors("whole");
    check_descriptors("limits");
    check_descriptors("gathered");
    check_descriptors("closed");
}

static void test_plain__an_eventfd_counts(void)
{
    check_descriptors("eventfds");
}

static void test_plain__poll_select_and_epoll_wait_in_virtual_time(void)
{
    check_descriptors("timeouts");
}

static void test_plain__a_timerfd_goes_off_in_virtual_time(void)
{
    check_descriptors("timers");
}

/* ---- What cannot be modelled ---- */

static void check_unmodelled(const char *what, const char *words)
{
    struct solo_explore_options options = defaults();
    options.schedules_max = 5;
    explore(program("unmodelled", what), &options);
    CU_ASSERT_EQUAL(report.verdict, SOLO_VERDICT_INCOMPLETE);
    CU_ASSERT_EQUAL_FATAL(report.finding_count, 1);
    CU_ASSERT_PTR_NOT_NULL(strstr(report.findings[0].violation.text, words));
    const char *function = report.findings[0].detail.frames[0].function;
#ifdef SOLO_ASAN /* puts functions of its own before some, and they hide who called them */
    CU_ASSERT_TRUE(strcmp(function, "main") == 0 || strncmp(function, "__interceptor_", 14) == 0);
#else
    CU_ASSERT_STRING_EQUAL(function, "main");
#endif
}

static void test_plain__calls_that_cannot_be_modelled_are_named(void)
{
    check_unmodelled("fork", "unmodelled call `fork`");
    check_unmodelled("execlp", "unmodelled call `execlp`");
    check_unmodelled("execle", "unmodelled call `execle`");
    check_unmodelled("fexecve", "unmodelled call `fexecve`");
    check_unmodelled("execl", "unmodelled call `execl`");
    check_unmodelled("socket", "unmodelled call `socket`");
    check_unmodelled("pass-on", "unmodelled call `sendmsg`");
    check_unmodelled("alarm", "unmodelled call `alarm`");
    check_unmodelled("kill", "unmodelled call `pthread_kill`");
    check_unmodelled("cancel", "unmodelled call `pthread_cancel`");
}

static void test_plain__a_locked_file_keeps_its_lines_together(void)
{
    struct solo_explore_options options = defaults();
    explore(program("unmodelled", "file-lock"), &options);
    CU_ASSERT_EQUAL(report.verdict, SOLO_VERDICT_CLEAN);
}

static void test_plain__a_lock_inside_the_c_library_is_named_and_does_not_hang(void)
{
    struct solo_explore_options options = defaults();
    options.schedules_max = 100;
    options.stop_at_first = true;
    explore(program("unmodelled", "file-position"), &options);
    CU_ASSERT_EQUAL(report.verdict, SOLO_VERDICT_INCOMPLETE);
    CU_ASSERT_EQUAL_FATAL(report.finding_count, 1);
    CU_ASSERT_PTR_NOT_NULL(strstr(report.findings[0].violation.text, "unmodelled block"));
    CU_ASSERT_STRING_EQUAL(report.findings[0].violation.thread, "main");
}

/* The thread that main has started waits for its first turn, which is no reason to hang. */
static void test_plain__a_loop_that_gives_up_no_turn_is_shown_where_it_is(void)
{
    struct solo_explore_options options = defaults();
    options.watchdog_ns = UINT64_C(2000) * 1000 * 1000;
    for (int i = 0; i < 2; i++) {
        explore(program("unmodelled", "spin"), &options);
        CU_ASSERT_EQUAL_FATAL(report.finding_count, 1);
        CU_ASSERT_PTR_NOT_NULL(strstr(report.findings[0].violation.text, "unmodelled block"));
        CU_ASSERT_STRING_EQUAL(report.findings[0].violation.thread, "main");
        CU_ASSERT_PTR_NOT_NULL(strstr(report.findings[0].violation.help, "solo cc"));
        CU_ASSERT_STRING_EQUAL(report.findings[0].detail.frames[0].function, "main");
        CU_ASSERT_EQUAL(report.findings[0].detail.frame_count, 1); /* nobody of the program's has called main */
    }
}

/* ---- How it ends ---- */

static void check_end(const char *way, unsigned id, const char *words)
{
    struct solo_explore_options options = defaults();
    explore(program("ends", way), &options);
    CU_ASSERT_EQUAL_FATAL(report.finding_count, 1);
    CU_ASSERT_EQUAL(report.findings[0].violation.id, id);
    CU_ASSERT_EQUAL(report.findings[0].schedules, report.schedules);
    CU_ASSERT_PTR_NOT_NULL(strstr(report.findings[0].violation.text, words));
    CU_ASSERT_TRUE(report.findings[0].reproduced);
}

static void test_plain__however_it_ends_its_status_is_told(void)
{
    check_end("return", SOLO_NO_VIOLATION, "exited with status 2");
    CU_ASSERT_STRING_EQUAL(report.findings[0].output, "goodbye\n");
    check_end("exit", SOLO_NO_VIOLATION, "exited with status 3");
    check_end("_exit", SOLO_NO_VIOLATION, "exited with status 4");
    check_end("quick_exit", SOLO_NO_VIOLATION, "the program exited with status 4");
    CU_ASSERT_STRING_EQUAL(report.findings[0].output, "a quick goodbye\n");
    check_end("destructor", SOLO_NO_VIOLATION, "exited with status 7");
    check_end("handler", SOLO018_MEMORY, "SIGABRT");
    check_end("late-destructor", SOLO018_MEMORY, "SIGABRT");
    struct solo_explore_options options = defaults();
    explore(program("ends", "well"), &options);
    CU_ASSERT_EQUAL(report.verdict, SOLO_VERDICT_CLEAN);
    CU_ASSERT_TRUE(report.distinct > 1);
}

/* Of each schedule, and of each replay while its finding is shrunk. */
static void test_plain__its_descriptors_have_the_same_numbers_in_every_process(void)
{
    struct solo_explore_options options = defaults();
    const char *log = runner_scratch_path("log");
    unlink(log);
    setenv("LOG", log, 1);
    explore(program("ends", "exit"), &options);
    unsetenv("LOG");
    char first[64];
    const char *text = support_read_file(log);
    CU_ASSERT_PTR_NOT_NULL_FATAL(text);
    (void)snprintf(first, sizeof first, "%.*s", (int)strcspn(text, "\n") + 1, text);
    CU_ASSERT_TRUE(support_count(text, "\n") > report.schedules);
    CU_ASSERT_EQUAL(support_count(text, first), support_count(text, "\n"));
}

/* ---- What it reads ---- */

static struct runner_output output;

/* main has left, and no object stands for all the threads that it waits for. */
static void test_plain__a_wait_without_an_object_says_for_what(void)
{
    support_shell(&output, "%s explore --schedules 20 -- %s join-main", runner_build_path("bin/solo"),
                  runner_build_path("tests/plain/unmodelled"));
    printf("%s", output.text);
    CU_ASSERT_PTR_NOT_NULL(strstr(output.text, "unmodelled call `pthread_join`: nobody can wait for the end of main"));
    CU_ASSERT_PTR_NOT_NULL(strstr(output.text, "  waits for a thread to end\n"));
}

static void explore_with_input(const char *input)
{
    support_shell(&output, "cd %s && printf 'one\\ntwo\\nthree\\n' > words && %s explore --schedules 60 -- %s %s",
                  runner_scratch_path(""), runner_build_path("bin/solo"), runner_build_path("tests/plain/reads"),
                  input);
    printf("%s", output.text);
}

static void test_plain__a_file_as_standard_input_is_read_by_every_schedule(void)
{
    explore_with_input("< words");
    CU_ASSERT_EQUAL(output.status, 1);
    CU_ASSERT_PTR_NOT_NULL(strstr(output.text, "it said last: one two\n"));
    CU_ASSERT_PTR_NOT_NULL(strstr(output.text, "60 of 60 explored schedules show it"));
    char command[4096] = "";
    const char *begin = strstr(output.text, "solo replay solo1.");
    CU_ASSERT_PTR_NOT_NULL_FATAL(begin);
    const char *end = strstr(begin, "\nsummary:");
    CU_ASSERT_PTR_NOT_NULL_FATAL(end);
    CU_ASSERT_TRUE_FATAL(end - begin < 4000);
    memcpy(command, begin + 4, (size_t)(end - begin - 4));
    CU_ASSERT_PTR_NOT_NULL(strstr(command, "< words"));
    support_shell(&output, "cd %s && %s%s", runner_scratch_path(""), runner_build_path("bin/solo"), command);
    CU_ASSERT_EQUAL(output.status, 1);
    CU_ASSERT_PTR_NOT_NULL(strstr(output.text, "it said last: one two\n"));
}

static void test_plain__what_cannot_be_read_again_is_an_empty_input(void)
{
    explore_with_input("< /dev/null");
    CU_ASSERT_EQUAL(output.status, 0);
    explore_with_input("< /dev/zero");
    CU_ASSERT_EQUAL(output.status, 0);
    support_shell(&output, "cd %s && cat words | %s explore --schedules 20 -- %s", runner_scratch_path(""),
                  runner_build_path("bin/solo"), runner_build_path("tests/plain/reads"));
    CU_ASSERT_EQUAL(output.status, 0);
    support_shell(&output, "cd %s && while read line; do %s explore --schedules 20 -- %s || exit; done < words",
                  runner_scratch_path(""), runner_build_path("bin/solo"), runner_build_path("tests/plain/reads"));
    CU_ASSERT_EQUAL(output.status, 0);
    CU_ASSERT_EQUAL(support_count(output.text, "verdict: clean\n"), 3); /* nobody took a line of the shell's */
}

/* ---- What program it is ---- */

static void test_plain__a_program_without_threads_has_one_schedule(void)
{
#ifdef SOLO_ASAN
    SOLO_SKIP("a kit built for AddressSanitizer loads into programs that use it, and `true` does not");
#endif
    struct solo_explore_options options = defaults();
    char *argv[] = {(char *)"true", NULL};
    explore(argv, &options);
    CU_ASSERT_EQUAL(report.verdict, SOLO_VERDICT_CLEAN);
    CU_ASSERT_EQUAL(report.schedules, 1);
    CU_ASSERT_STRING_EQUAL(report.evidence, "the only schedule passed");
}

static void test_plain__a_wrapper_does_not_hide_it(void)
{
#ifdef SOLO_ASAN
    SOLO_SKIP("a kit built for AddressSanitizer loads into programs that use it, and `env` does not");
#endif
    struct solo_explore_options options = defaults();
    explore(program("lost_update", NULL), &options);
    CU_ASSERT_EQUAL_FATAL(report.finding_count, 1);
    char token[SOLO_TOKEN_MAX];
    strcpy(token, report.findings[0].token);
    char *argv[] = {(char *)"env", program("lost_update", NULL)[0], NULL};
    CU_ASSERT_EQUAL(replay_token(argv, token, &options), 0);
    CU_ASSERT_EQUAL(replay.exit_status, 1);
}

static void check_refused(char *path, const char *words)
{
    struct solo_explore_options options = defaults();
    char *argv[] = {path, NULL};
    CU_ASSERT_EQUAL(solo_explore_program(argv, &options, &report), -ENOTSUP);
    printf("%s\n", report.evidence);
    CU_ASSERT_PTR_NOT_NULL(strstr(report.evidence, words));
    CU_ASSERT_EQUAL(replay_token(argv, "solo1.2.x.sync.00000000.plain-0-0000", &options), -ENOTSUP);
    CU_ASSERT_PTR_NOT_NULL(strstr(why, words));
}

/* The first bytes of an ELF file for this machine without anything that could be linked dynamically. */
static char *write_static_program(void)
{
    char bytes[64] = "\177ELF\2\1\1";
    bytes[16] = 2;  /* an executable */
    bytes[18] = 62; /* x86-64 */
    bytes[20] = 1;
    static char path[512];
    strcpy(path, runner_build_path("tests/static-program"));
    FILE *file = fopen(path, "w");
    CU_ASSERT_PTR_NOT_NULL_FATAL(file);
    CU_ASSERT_EQUAL(fwrite(bytes, 1, sizeof bytes, file), sizeof bytes);
    CU_ASSERT_EQUAL(fclose(file), 0);
    CU_ASSERT_EQUAL(chmod(path, 0755), 0);
    return path;
}

/* A copy of the command, in this folder, with something done to its libraries. What it says is one line. */
static void check_copy(const char *folder, const char *change, const char *words)
{
    support_shell(
        &output,
        "cd %s && rm -rf '%s' && mkdir -p '%s'/bin '%s'/lib && cp %s '%s'/bin && cp %s/libsolo*.so '%s'/lib && "
        "cd '%s' && %s && bin/solo explore -- %s",
        runner_scratch_path(""), folder, folder, folder, runner_build_path("bin/solo"), folder,
        runner_build_path("lib"), folder, folder, change, program("lost_update", NULL)[0]);
    printf("%s", output.text);
    CU_ASSERT_EQUAL(output.status, 3);
    CU_ASSERT_EQUAL(support_count(output.text, "\n"), 1);
    CU_ASSERT_PTR_NOT_NULL(strstr(output.text, words));
}

static void test_plain__a_library_that_is_missing_is_named(void)
{
    check_copy("kit", "rm lib/libsolo-interpose.so",
               "libsolo-interpose.so, which is loaded into programs, is not beside");
    check_copy("kit", "rm lib/libsolo-inside.so", "libsolo-inside.so, which is loaded into programs, is not beside");
}

/* The loader takes a list of libraries, and has no way to say that a blank is part of a name. */
static void test_plain__a_kit_in_a_folder_that_the_loader_cannot_be_told_says_so(void)
{
    check_copy("my kit", "true", "there is a blank or a colon in its path");
    check_copy("kit:1", "true", "there is a blank or a colon in its path");
}

static void test_plain__a_static_program_is_refused(void)
{
    check_refused(write_static_program(), "linked statically");
}

static void test_plain__a_set_uid_program_is_refused(void)
{
    char copy[] = "/tmp/solo-test-XXXXXX";
    char command[600];
    close(mkstemp(copy));
    snprintf(command, sizeof command, "cp %s %s && chmod 4755 %s", program("lost_update", NULL)[0], copy, copy);
    CU_ASSERT_EQUAL(system(command), 0);
    check_refused(copy, "set-uid");
    unlink(copy);
}

#ifdef SOLO_TSAN
/*
 * ThreadSanitizer forgets a thread once its last destructor has run, and in this flavour the kit's own end of the
 * thread, which speaks to the detector, comes after that. The plain kit beside the detector is tested in
 * test_plain_access.c.
 */
static void test_plain__is_for_kits_that_the_detector_does_not_look_into(void)
{
    SOLO_SKIP("a kit built for ThreadSanitizer explores programs that use it, and no others");
}
#endif

void suite_plain(void);
void suite_plain(void)
{
    SOLO_SUITE("plain");
#ifdef SOLO_TSAN
    SOLO_TEST(test_plain__is_for_kits_that_the_detector_does_not_look_into);
    return;
#endif
    SOLO_TEST(test_plain__a_library_that_is_missing_is_named);
    SOLO_TEST(test_plain__a_kit_in_a_folder_that_the_loader_cannot_be_told_says_so);
    SOLO_TEST(test_plain__a_static_program_is_refused);
    SOLO_TEST(test_plain__a_set_uid_program_is_refused);
    SOLO_TEST(test_plain__an_update_lost_between_two_lock_sections_is_found);
    SOLO_TEST(test_plain__locks_taken_in_both_orders_are_a_deadlock_with_its_owners);
    SOLO_TEST(test_plain__whoever_waits_for_readers_is_told_one_that_still_reads);
    SOLO_TEST(test_plain__a_signal_that_nobody_waits_for_is_lost);
    SOLO_TEST(test_plain__threads_are_created_joined_detached_and_left);
    SOLO_TEST(test_plain__threads_may_follow_each_other_beyond_the_limit);
    SOLO_TEST(test_plain__the_process_outlives_its_main_thread);
    SOLO_TEST(test_plain__mutexes_of_all_kinds_do_what_posix_says);
    SOLO_TEST(test_plain__a_robust_mutex_tells_that_its_holder_has_ended);
    SOLO_TEST(test_plain__timed_waits_end_in_virtual_time);
    SOLO_TEST(test_plain__hours_of_sleep_take_no_time);
    SOLO_TEST(test_plain__a_thread_that_spins_politely_ends);
    SOLO_TEST(test_plain__threads_that_back_off_from_each_other_end);
    SOLO_TEST(test_plain__read_write_locks_exclude_writers);
    SOLO_TEST(test_plain__semaphores_count);
    SOLO_TEST(test_plain__barriers_hold_everybody_back);
    SOLO_TEST(test_plain__once_is_once);
    SOLO_TEST(test_plain__keys_are_destroyed_on_their_thread);
    SOLO_TEST(test_plain__threads_of_c11_are_the_same_threads);
    SOLO_TEST(test_plain__chance_is_the_same_in_every_run);
    SOLO_TEST(test_plain__one_schedule_has_one_trace_in_every_process);
    SOLO_TEST(test_plain__a_schedule_that_runs_twice_is_the_same_twice);
    SOLO_TEST(test_plain__a_wake_up_taken_after_the_queue_is_lost);
    SOLO_TEST(test_plain__a_pipe_holds_back_its_writer_and_ends_with_it);
    SOLO_TEST(test_plain__a_socket_pair_answers);
    SOLO_TEST(test_plain__an_eventfd_counts);
    SOLO_TEST(test_plain__poll_select_and_epoll_wait_in_virtual_time);
    SOLO_TEST(test_plain__a_timerfd_goes_off_in_virtual_time);
    SOLO_TEST(test_plain__calls_that_cannot_be_modelled_are_named);
    SOLO_TEST(test_plain__a_locked_file_keeps_its_lines_together);
    SOLO_TEST(test_plain__a_lock_inside_the_c_library_is_named_and_does_not_hang);
    SOLO_TEST(test_plain__a_loop_that_gives_up_no_turn_is_shown_where_it_is);
    SOLO_TEST(test_plain__however_it_ends_its_status_is_told);
    SOLO_TEST(test_plain__its_descriptors_have_the_same_numbers_in_every_process);
    SOLO_TEST(test_plain__a_wait_without_an_object_says_for_what);
    SOLO_TEST(test_plain__a_file_as_standard_input_is_read_by_every_schedule);
    SOLO_TEST(test_plain__what_cannot_be_read_again_is_an_empty_input);
    SOLO_TEST(test_plain__a_program_without_threads_has_one_schedule);
    SOLO_TEST(test_plain__a_wrapper_does_not_hide_it);
}
