/*
 * test_report.c - reports as text and JSON, from findings made up here: nothing is run.
 *
 * The golden files hold the bytes. UPDATE_GOLDEN=1 writes them anew; look at the difference before you keep it.
 */
#define _GNU_SOURCE
#include "support.h"
#include <errno.h>
#include <jansson.h>
#include <solo/report.h>
#include <stdlib.h>
#include <string.h>

#define SOURCE "tests/golden/lookup.c"

static char *const program[] = {"./build/chat", "--name", "it's me", NULL};

static void put(char *field, size_t size, const char *text)
{
    (void)snprintf(field, size, "%s", text);
}
#define PUT(field, text) put((field), sizeof(field), (text))

static void set_frame(struct solo_frame_text *frame, const char *function, int line)
{
    PUT(frame->function, function);
    PUT(frame->file, SOURCE);
    frame->line = line;
}

static void add_step(struct solo_detail *detail, uint64_t step, uint64_t ms, unsigned thread, unsigned kind,
                     const char *object, uint64_t value)
{
    static const char *const names[] = {"main", "pool#1", "pool#2", "peer#1", "foreign#1", "main/1"};
    struct solo_step_text *to = &detail->steps[detail->step_count++];
    *to = (struct solo_step_text){
        .step = step, .now_ns = ms * 1000000, .value = value, .thread = (uint16_t)thread, .kind = (uint8_t)kind};
    PUT(to->thread_name, names[thread]);
    PUT(to->object_name, object);
    for (const char *c = object; *c != '\0'; c++) {
        to->object = to->object * 31 + (unsigned char)*c;
    }
}

/* A worker writes to a transport. */
static void make_wrong_thread(struct solo_violation *violation, struct solo_detail *detail)
{
    memset(violation, 0, sizeof *violation);
    memset(detail, 0, sizeof *detail);
    violation->id = SOLO001_WRONG_THREAD;
    violation->count = 1;
    PUT(violation->function, "solo_transport_write");
    violation->contract = SOLO_CONTRACT_REACTOR_ONLY;
    violation->contract_line = 88;
    PUT(violation->contract_file, "solo/transport.h");
    PUT(violation->object, "transport#1");
    PUT(violation->owner, "main");
    PUT(violation->owner_bound, "solo_reactor_run");
    PUT(violation->thread, "pool#2");
    PUT(violation->role, "pool worker");
    violation->thread_number = 2;
    PUT(violation->job, "job#3");
    PUT(violation->queued_by, "main");
    violation->step = 21;
    violation->now_ns = 120000000;
    PUT(violation->text, "`solo_transport_write` called on `pool#2`, but it is reactor-only");
    PUT(violation->help, "solo_reactor_call_from_thread with a function that writes");

    detail->frame_count = 1;
    set_frame(&detail->frames[0], "look_up", 15);
    detail->queued_frame_count = 1;
    set_frame(&detail->queued_frames[0], "data_received", 21);
    add_step(detail, 5, 0, 3, SOLO_PROBE_CONNECT, "stream#1", 0);
    add_step(detail, 7, 0, 0, SOLO_PROBE_ACCEPT, "stream#2", 0);
    add_step(detail, 9, 0, 3, SOLO_PROBE_WRITE, "stream#1", 6);
    add_step(detail, 12, 0, 0, SOLO_PROBE_READ, "stream#2", 6);
    add_step(detail, 14, 0, 0, SOLO_PROBE_CALL_ACCEPTED, "job#3", SOLO_QUEUE_POOL);
    add_step(detail, 16, 0, 0, SOLO_PROBE_POLL, "reactor#1", 0);
    add_step(detail, 18, 0, 2, SOLO_PROBE_CALL_BEGUN, "job#3", 0);
    add_step(detail, 20, 0, 2, SOLO_PROBE_SLEEP, "", 120000000);
}

static struct solo_report_context plain_context(const struct solo_detail *detail)
{
    struct solo_report_context context = {.detail = detail,
                                          .world = "sim",
                                          .argv = program,
                                          .token = "solo1.2.chat.sync.9f3a12bc.3T1_T2x4_12J1-57-9c3e-aZ81b2",
                                          .schedules = 1254,
                                          .failing = 1254};
    return context;
}

/* ---- Golden files ---- */

static char *written(int (*write)(FILE *, const struct solo_violation *, const struct solo_report_context *),
                     const struct solo_violation *violation, const struct solo_report_context *context)
{
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    CU_ASSERT_FATAL(out != NULL);
    CU_ASSERT_EQUAL(write(out, violation, context), 0);
    fclose(out);
    return text;
}

static char *read_whole(const char *path)
{
    FILE *file = fopen(path, "r");
    char *text = calloc(1, 1 << 16);
    if (file != NULL) {
        (void)!fread(text, 1, (1 << 16) - 1, file);
        fclose(file);
    }
    return text;
}

static void check_golden(const char *name, const char *text)
{
    char path[256];
    (void)snprintf(path, sizeof path, "tests/golden/%s", name);
    const char *update = getenv("UPDATE_GOLDEN");
    if (update != NULL && strcmp(update, "1") == 0) {
        FILE *file = fopen(path, "w");
        CU_ASSERT_FATAL(file != NULL);
        fputs(text, file);
        fclose(file);
    }
    char *golden = read_whole(path);
    if (strcmp(golden, text) != 0) {
        printf("%s differs (UPDATE_GOLDEN=1 writes it anew). Now:\n%s", path, text);
    }
    CU_ASSERT_STRING_EQUAL(golden, text);
    free(golden);
}

static void check_fits(const char *text)
{
    unsigned lines = 0;
    for (const char *line = text; *line != '\0'; lines++) {
        size_t length = strcspn(line, "\n");
        CU_ASSERT(length <= SOLO_REPORT_COLUMNS_MAX);
        line += length + (line[length] == '\n');
    }
    CU_ASSERT(lines <= SOLO_REPORT_LINES_MAX);
}

static void check_text(const char *name, const struct solo_violation *violation,
                       const struct solo_report_context *context)
{
    char *text = written(solo_report_text, violation, context);
    check_fits(text);
    check_golden(name, text);
    free(text);
}

/* ---- Text ---- */

static void test_report__wrong_thread_teaches_place_steps_contract_fix_and_replay(void)
{
    static struct solo_violation violation;
    static struct solo_detail detail;
    make_wrong_thread(&violation, &detail);
    struct solo_report_context context = plain_context(&detail);
    check_text("report_wrong_thread.txt", &violation, &context);
}

static void test_report__deadlock_lists_who_waits_for_what(void)
{
    static struct solo_violation violation;
    memset(&violation, 0, sizeof violation);
    violation.id = SOLO004_DEADLOCK;
    violation.step = 40;
    PUT(violation.thread, "pool#1");
    PUT(violation.function, "solo_semaphore_wait");
    PUT(violation.text, "the pool is wedged: 2 jobs wait, and 2 queued jobs nobody can start");
    PUT(violation.help,
        "a job must not wait for another job of its pool: chain them with Deferreds, or give one side a worker "
        "of its own");
    static const char *const who[] = {"pool#1", "pool#2", "main"};
    for (unsigned i = 0; i < 3; i++) {
        struct solo_waiter *waiter = &violation.waiters[violation.waiter_count++];
        PUT(waiter->thread, who[i]);
        waiter->wait_kind = i < 2 ? SOLO_WAIT_SEMAPHORE : SOLO_WAIT_MUTEX;
        PUT(waiter->object, i < 2 ? "semaphore#1" : "mutex#2");
        PUT(waiter->holder, i < 2 ? "" : "pool#1");
    }
    struct solo_report_context context = {.world = "sim", .schedules = 10, .failing = 3};
    check_text("report_deadlock.txt", &violation, &context);
}

static void test_report__many_waiters_are_cut_and_counted(void)
{
    static struct solo_violation violation;
    memset(&violation, 0, sizeof violation);
    violation.id = SOLO004_DEADLOCK;
    violation.waiter_count = SOLO_WAITERS_MAX;
    for (unsigned i = 0; i < SOLO_WAITERS_MAX; i++) {
        PUT(violation.waiters[i].thread, "pool#1");
        violation.waiters[i].wait_kind = SOLO_WAIT_MUTEX;
    }
    struct solo_report_context context = {.world = "sim"};
    char *text = written(solo_report_text, &violation, &context);
    check_fits(text);
    CU_ASSERT(strstr(text, "and 10 more") != NULL);
    free(text);
    context.full = true;
    text = written(solo_report_text, &violation, &context);
    CU_ASSERT(strstr(text, "more\n") == NULL);
    free(text);
}

static void test_report__without_detail_it_is_still_whole(void)
{
    static struct solo_violation violation;
    static struct solo_detail detail;
    make_wrong_thread(&violation, &detail);
    struct solo_report_context context = {.world = "os"};
    check_text("report_bare.txt", &violation, &context);
}

static void test_report__an_unreadable_source_leaves_out_the_excerpt_only(void)
{
    static struct solo_violation violation;
    static struct solo_detail detail;
    make_wrong_thread(&violation, &detail);
    PUT(detail.frames[0].file, "gone/lookup.c");
    struct solo_report_context context = plain_context(&detail);
    char *text = written(solo_report_text, &violation, &context);
    CU_ASSERT(strstr(text, "--> gone/lookup.c:15 in look_up, which runs on pool#2, inside job#3") != NULL);
    CU_ASSERT(strstr(text, "^^^") == NULL);
    CU_ASSERT(strstr(text, "<- here") != NULL);
    free(text);
}

static void test_report__a_line_past_the_end_of_the_file_is_no_excerpt(void)
{
    static struct solo_violation violation;
    static struct solo_detail detail;
    make_wrong_thread(&violation, &detail);
    detail.frames[0].line = 4000;
    struct solo_report_context context = plain_context(&detail);
    char *text = written(solo_report_text, &violation, &context);
    check_fits(text);
    CU_ASSERT(strstr(text, ":4000") != NULL);
    CU_ASSERT(strstr(text, "^^^") == NULL);
    free(text);
}

static void test_report__crowds_keep_four_lanes_and_count_the_rest(void)
{
    static struct solo_violation violation;
    static struct solo_detail detail;
    make_wrong_thread(&violation, &detail);
    detail.step_count = 0;
    for (unsigned i = 0; i < SOLO_DETAIL_STEPS_MAX; i++) {
        add_step(&detail, i + 1, i, i % 6, i == 0 ? SOLO_PROBE_CALL_ACCEPTED : SOLO_PROBE_LOCK,
                 i == 0 ? "job#3" : "mutex#1", 0);
    }
    violation.step = SOLO_DETAIL_STEPS_MAX + 1;
    struct solo_report_context context = plain_context(&detail);
    check_text("report_crowd.txt", &violation, &context);
}

static void check_said(const char *what, unsigned id, const char *output, const char *expected)
{
    static struct solo_violation violation;
    memset(&violation, 0, sizeof violation);
    violation.id = id;
    PUT(violation.text, what);
    struct solo_report_context context = {.world = "sim", .output = output};
    char *text = written(solo_report_text, &violation, &context);
    check_fits(text);
    const char *said = strstr(text, "it said last");
    CU_ASSERT_EQUAL(said != NULL, expected != NULL);
    if (said != NULL && expected != NULL) {
        CU_ASSERT_EQUAL(strncmp(said + 14, expected, strlen(expected)), 0);
    }
    free(text);
}

static void test_report__a_program_that_ends_itself_has_the_last_word(void)
{
    static const char died[] = "killed by SIGABRT (abort, or a failed assertion) after step 7";
    check_said(died, SOLO018_MEMORY, "one\na: a.c:7: main: Assertion `x' failed.\n",
               "a: a.c:7: main: Assertion `x' failed.\n");
    check_said("the program exited with status 3", SOLO_NO_VIOLATION, "no such user", "no such user\n");
    check_said(died, SOLO018_MEMORY, "two\n\n \n", "two\n");
    check_said(died, SOLO018_MEMORY, "one\nended by 'error'\n  what(): late\n", "ended by 'error' what(): late\n");
    check_said(died, SOLO018_MEMORY, "  alone\n", "alone\n");
    check_said(died, SOLO018_MEMORY, "\n", NULL);
    check_said(died, SOLO018_MEMORY, "", NULL);
    check_said(died, SOLO018_MEMORY, NULL, NULL);
    check_said("killed by SIGSEGV after step 7", SOLO018_MEMORY, "all is well\n", NULL); /* it did not see it coming */
}

/* Of a schedule that did not end, say. */
static void test_report__long_numbers_of_steps_and_times_stay_apart(void)
{
    static struct solo_violation violation;
    static struct solo_detail detail;
    make_wrong_thread(&violation, &detail);
    detail.step_count = 0;
    add_step(&detail, 999999, 0, 0, SOLO_PROBE_LOCK, "mutex#1", 0);
    detail.steps[0].now_ns = UINT64_C(142800000000);
    add_step(&detail, 9999998, 0, 0, SOLO_PROBE_LOCK, "mutex#1", 0);
    detail.steps[1].now_ns = UINT64_C(262106000000000);
    violation.step = 9999999;
    violation.now_ns = UINT64_C(262106200000000);
    struct solo_report_context context = plain_context(&detail);
    context.base_ns = 0;
    char *text = written(solo_report_text, &violation, &context);
    check_fits(text);
    printf("%s", text);
    CU_ASSERT_PTR_NOT_NULL(strstr(text, "\n     999999  142.8 s  locks mutex#1\n"));
    CU_ASSERT_PTR_NOT_NULL(strstr(text, "\n    9999998 262106 s  locks mutex#1\n"));
    CU_ASSERT_PTR_NOT_NULL(strstr(text, "\n> 9999999 262106.2 s "));
    free(text);
}

static void test_report__colour_changes_no_words(void)
{
    static struct solo_violation violation;
    static struct solo_detail detail;
    make_wrong_thread(&violation, &detail);
    struct solo_report_context context = plain_context(&detail);
    char *plain = written(solo_report_text, &violation, &context);
    context.colour = true;
    char *coloured = written(solo_report_text, &violation, &context);
    CU_ASSERT(strchr(coloured, '\033') != NULL);
    char *to = coloured;
    for (const char *from = coloured; *from != '\0';) {
        if (*from == '\033') {
            from += strcspn(from, "m") + 1;
        } else {
            *to++ = *from++;
        }
    }
    *to = '\0';
    CU_ASSERT_STRING_EQUAL(plain, coloured);
    free(plain);
    free(coloured);
}

static void test_report__the_same_finding_gives_the_same_bytes(void)
{
    static struct solo_violation violation;
    static struct solo_detail detail;
    make_wrong_thread(&violation, &detail);
    struct solo_report_context context = plain_context(&detail);
    char *first = written(solo_report_text, &violation, &context);
    char *second = written(solo_report_text, &violation, &context);
    CU_ASSERT_STRING_EQUAL(first, second);
    free(first);
    free(second);
}

static void test_report__the_first_line_stands_alone(void)
{
    static struct solo_violation violation;
    char line[256];
    memset(&violation, 0, sizeof violation);
    violation.id = SOLO014_LOST_WAKEUP;
    CU_ASSERT_STRING_EQUAL(solo_report_headline(&violation, line, sizeof line),
                           "error[SOLO014]: lost wake-up: work is queued and the reactor sleeps");
    PUT(violation.text, "two\nlines");
    CU_ASSERT_STRING_EQUAL(solo_report_headline(&violation, line, sizeof line), "error[SOLO014]: two lines");
    violation.id = SOLO_NO_VIOLATION;
    CU_ASSERT_STRING_EQUAL(solo_report_headline(&violation, line, sizeof line), "error[check]: two lines");
    CU_ASSERT_STRING_EQUAL(solo_report_headline(&violation, line, 10), "error[che");
}

static void test_report__hostile_texts_stay_within_the_page(void)
{
    static struct solo_violation violation;
    static struct solo_detail detail;
    make_wrong_thread(&violation, &detail);
    memset(violation.text, 'x', sizeof violation.text - 1);
    memset(violation.help, 'y', sizeof violation.help - 1);
    memset(violation.thread, 'z', sizeof violation.thread - 1);
    memset(detail.frames[0].function, 'f', sizeof detail.frames[0].function - 1);
    violation.contract = 77;
    violation.policy = 99;
    violation.from_tool = 99;
    struct solo_report_context context = plain_context(&detail);
    char *text = written(solo_report_text, &violation, &context);
    check_fits(text);
    free(text);
    text = written(solo_report_json, &violation, &context);
    json_t *root = json_loads(text, 0, NULL);
    CU_ASSERT(root != NULL);
    json_decref(root);
    free(text);
}

/* ---- Replay line ---- */

static void test_report__replay_line_is_one_command_to_a_shell(void)
{
    char token[600], line[2048], script[4096];
    for (size_t i = 0; i < sizeof token - 1; i++) {
        token[i] = "0123456789abcdef"[i % 16];
    }
    token[sizeof token - 1] = '\0';
    struct solo_report_context context = {.argv = program, .token = token, .options = "--carrier token"};
    CU_ASSERT_EQUAL_FATAL(solo_report_replay_line(&context, line, sizeof line), 0);
    check_fits(line);
    (void)snprintf(script, sizeof script, "solo() { printf '%%s|' \"$@\"; }\n%s\n", line);
    struct runner_output *output = calloc(1, sizeof *output);
    const char *const argv[] = {"sh", "-c", script, NULL};
    runner_command(output, argv, NULL);
    char expected[1024];
    (void)snprintf(expected, sizeof expected, "replay|%s|--carrier|token|--|./build/chat|--name|it's me|", token);
    CU_ASSERT_STRING_EQUAL(output->text, expected);
    free(output);
}

static void test_report__the_nearest_passing_schedule_is_shown_in_full_reports(void)
{
    static struct solo_violation violation;
    static struct solo_detail detail;
    make_wrong_thread(&violation, &detail);
    struct solo_report_context context = plain_context(&detail);
    context.passing_token = "solo1.2.chat.sync.9f3a12bc.plain-9-0000-00000000";
    char *text = written(solo_report_text, &violation, &context);
    CU_ASSERT(strstr(text, "that passes") == NULL);
    free(text);
    context.full = true;
    context.output = "one\ntwo";
    text = written(solo_report_text, &violation, &context);
    CU_ASSERT(strstr(text, "that passes:\nsolo replay solo1.2.chat.sync.9f3a12bc.plain-9-0000-00000000 -- ") != NULL);
    CU_ASSERT(strstr(text, "     | one\n     | two\n") != NULL);
    free(text);
}

/* Wherever a long word with blanks and quotes is broken, a shell reads what it was. */
static void test_report__replay_line_breaks_long_words_so_that_a_shell_joins_them(void)
{
    char word[400], line[4096], script[5000];
    char *const argv[] = {word, NULL};
    struct solo_report_context context = {.token = "solo1.x", .argv = argv};
    struct runner_output *output = calloc(1, sizeof *output);
    for (size_t length = 60; length < 130; length++) {
        memset(word, 'a', sizeof word);
        memcpy(word + length, " it's '' \\ ''b", 15);
        CU_ASSERT_EQUAL_FATAL(solo_report_replay_line(&context, line, sizeof line), 0);
        (void)snprintf(script, sizeof script, "solo() { printf %%s \"$4\"; }\n%s\n", line);
        support_shell(output, "%s", script);
        CU_ASSERT_STRING_EQUAL(output->text, word);
        for (const char *at = line; at != NULL; at = strchr(at, '\n') != NULL ? strchr(at, '\n') + 1 : NULL) {
            CU_ASSERT(strcspn(at, "\n") <= SOLO_REPORT_COLUMNS_MAX);
        }
    }
    free(output);
}

static void test_report__replay_line_needs_a_token_and_room(void)
{
    char line[16];
    struct solo_report_context context = {.argv = program};
    CU_ASSERT_EQUAL(solo_report_replay_line(&context, line, sizeof line), -EINVAL);
    context.token = "solo1.2.chat.sync.9f3a12bc.plain-0-0-";
    CU_ASSERT_EQUAL(solo_report_replay_line(&context, line, sizeof line), -ENAMETOOLONG);
}

/* ---- JSON ---- */

static const char *string_at(const json_t *root, const char *first, const char *second)
{
    const json_t *value = json_object_get(root, first);
    value = second != NULL ? json_object_get(value, second) : value;
    const char *text = json_string_value(value);
    return text != NULL ? text : "(none)";
}

static void test_report__json_has_the_documented_keys(void)
{
    static struct solo_violation violation;
    static struct solo_detail detail;
    make_wrong_thread(&violation, &detail);
    struct solo_report_context context = plain_context(&detail);
    char *text = written(solo_report_json, &violation, &context);
    json_t *root = json_loads(text, 0, NULL);
    CU_ASSERT_FATAL(root != NULL);
    CU_ASSERT_STRING_EQUAL(string_at(root, "id", NULL), "SOLO001");
    CU_ASSERT_STRING_EQUAL(string_at(root, "severity", NULL), "error");
    CU_ASSERT_STRING_EQUAL(string_at(root, "api", NULL), "solo_transport_write");
    CU_ASSERT_STRING_EQUAL(string_at(root, "contract", "word"), "reactor-only");
    CU_ASSERT_STRING_EQUAL(string_at(root, "location", "file"), SOURCE);
    CU_ASSERT_EQUAL(json_integer_value(json_object_get(json_object_get(root, "location"), "line")), 15);
    CU_ASSERT_STRING_EQUAL(string_at(root, "thread", "name"), "pool#2");
    CU_ASSERT_STRING_EQUAL(string_at(root, "job", "queued_by"), "main");
    CU_ASSERT_STRING_EQUAL(string_at(root, "object", "owner"), "main");
    CU_ASSERT_STRING_EQUAL(string_at(root, "policy", NULL), "refuse");
    CU_ASSERT_EQUAL(json_integer_value(json_object_get(json_object_get(root, "explored"), "failing")), 1254);
    CU_ASSERT_STRING_EQUAL(string_at(root, "schedule", NULL), context.token);
    CU_ASSERT_EQUAL(json_array_size(json_object_get(root, "steps")), 8);
    CU_ASSERT_EQUAL(json_array_size(json_object_get(root, "help")), 1);
    CU_ASSERT_EQUAL(strlen(string_at(root, "fingerprint", NULL)), 16);
    json_decref(root);
    check_golden("report_wrong_thread.json", text);
    free(text);
}

static void test_report__fingerprint_names_the_defect_and_not_the_schedule(void)
{
    static struct solo_violation violation;
    static struct solo_detail detail;
    char seen[3][32];
    for (int i = 0; i < 3; i++) {
        make_wrong_thread(&violation, &detail);
        struct solo_report_context context = plain_context(&detail);
        if (i == 1) { /* another schedule: other worker, step, time and token */
            context.token = "solo1.2.chat.sync.9f3a12bc.plain-9-0000-00000000";
            PUT(violation.thread, "pool#1");
            violation.step = 99;
            violation.now_ns = 5;
        } else if (i == 2) { /* another defect */
            PUT(violation.function, "solo_reactor_stop");
        }
        char *text = written(solo_report_json, &violation, &context);
        json_t *root = json_loads(text, 0, NULL);
        PUT(seen[i], string_at(root, "fingerprint", NULL));
        json_decref(root);
        free(text);
    }
    CU_ASSERT_STRING_EQUAL(seen[0], seen[1]);
    CU_ASSERT_STRING_NOT_EQUAL(seen[0], seen[2]);
}

static void test_report__json_survives_bytes_that_are_not_text(void)
{
    static struct solo_violation violation;
    static struct solo_detail detail;
    make_wrong_thread(&violation, &detail);
    PUT(violation.text, "broken \xff\xfe text");
    struct solo_report_context context = plain_context(&detail);
    char *text = written(solo_report_json, &violation, &context);
    json_t *root = json_loads(text, 0, NULL);
    CU_ASSERT_FATAL(root != NULL);
    CU_ASSERT_STRING_EQUAL(string_at(root, "message", NULL), "broken ?? text");
    json_decref(root);
    free(text);
}

/* ---- Explorations ---- */

static void test_report__an_exploration_ends_with_verdict_evidence_and_numbers(void)
{
    struct solo_report *report = calloc(1, sizeof *report);
    report->verdict = SOLO_VERDICT_FINDINGS;
    report->schedules = 1254;
    report->distinct = 1200;
    report->failing = 3;
    report->steps = 1234567;
    report->finding_count = 1;
    PUT(report->evidence, "3 of 1,254 schedules failed");
    report->required_count = 2;
    report->required[0] = (struct solo_required){"answer given", 1, 2, 1254};
    report->required[1] = (struct solo_required){"line printed", 3, 0, 1251};
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    CU_ASSERT_EQUAL(solo_report_explored_text(out, report, false), 0);
    fclose(out);
    CU_ASSERT_STRING_EQUAL(
        text, "verdict: findings, 1 finding\n"
              "evidence: 3 of 1,254 schedules failed\n"
              "required: \"answer given\" happened in every schedule (at least 2, wanted 1)\n"
              "required: \"line printed\" happened often enough in 1,251 of 1,254 schedules (at least 0, wanted\n"
              "          3)\n"
              "explored: 1,254 schedules, 1,200 distinct, 3 failing, 1,234,567 steps\n");
    free(text);
    free(report);
}

static void test_report__an_exploration_as_json_is_one_document(void)
{
    static struct solo_detail detail;
    struct solo_report *report = calloc(1, sizeof *report);
    report->verdict = SOLO_VERDICT_FINDINGS;
    report->finding_count = 1;
    report->exhausted = true;
    report->required_count = 1;
    report->required[0] = (struct solo_required){"answer given", 1, 2, 1254};
    make_wrong_thread(&report->findings[0].violation, &detail);
    struct solo_report_context context = plain_context(&detail);
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    CU_ASSERT_EQUAL(solo_report_explored_json(out, report, &context), 0);
    fclose(out);
    json_t *root = json_loads(text, 0, NULL);
    CU_ASSERT_FATAL(root != NULL);
    CU_ASSERT_STRING_EQUAL(string_at(root, "schema", NULL), "solo.report.1");
    CU_ASSERT_STRING_EQUAL(string_at(root, "verdict", NULL), "findings");
    CU_ASSERT(json_is_true(json_object_get(root, "exhausted")));
    CU_ASSERT_EQUAL(json_array_size(json_object_get(root, "findings")), 1);
    const json_t *required = json_array_get(json_object_get(root, "required"), 0);
    CU_ASSERT_STRING_EQUAL(string_at(required, "name", NULL), "answer given");
    CU_ASSERT_EQUAL(json_integer_value(json_object_get(required, "least")), 2);
    json_decref(root);
    free(text);
    free(report);
}

static void test_report__writers_check_their_arguments(void)
{
    static struct solo_violation violation;
    struct solo_report_context context = {.world = "sim"};
    CU_ASSERT_EQUAL(solo_report_text(NULL, &violation, &context), -EINVAL);
    CU_ASSERT_EQUAL(solo_report_text(stdout, NULL, &context), -EINVAL);
    CU_ASSERT_EQUAL(solo_report_text(stdout, &violation, NULL), -EINVAL);
    CU_ASSERT_EQUAL(solo_report_json(NULL, &violation, &context), -EINVAL);
    CU_ASSERT_EQUAL(solo_report_explored_json(stdout, NULL, NULL), -EINVAL);
    CU_ASSERT_EQUAL(solo_report_explored_text(NULL, NULL, false), -EINVAL);
}

/* ---- Diagnostics ---- */

static void test_diagnostics__each_has_a_title_and_all_its_texts(void)
{
    unsigned last = 0, count = 0;
    const struct solo_diagnostic *diagnostic;
    for (; (diagnostic = solo_diagnostic_at(count)) != NULL; count++) {
        CU_ASSERT(diagnostic->id > last);
        last = diagnostic->id;
        CU_ASSERT(solo_violation_title(diagnostic->id)[0] != '\0');
        CU_ASSERT_PTR_EQUAL(solo_diagnostic_find(diagnostic->id), diagnostic);
        const char *const texts[] = {diagnostic->what, diagnostic->wrong, diagnostic->right, diagnostic->tools};
        for (unsigned i = 0; i < 4; i++) {
            CU_ASSERT(texts[i] != NULL && texts[i][strlen(texts[i]) - 1] == '\n');
            for (const char *line = texts[i]; *line != '\0'; line += strcspn(line, "\n") + 1) {
                if (strcspn(line, "\n") > 88) {
                    printf("too long: %.*s\n", (int)strcspn(line, "\n"), line);
                }
                CU_ASSERT(strcspn(line, "\n") <= 88);
            }
        }
    }
    CU_ASSERT(count >= 14);
    CU_ASSERT_PTR_NULL(solo_diagnostic_find(0));
    CU_ASSERT_PTR_NULL(solo_diagnostic_find(99));
}

/* ---- Stacks in words ---- */

static __attribute__((noinline)) void inner(struct solo_stack *stack)
{
    stack->count = 2;
    stack->frames[0] = (uint64_t)(uintptr_t)__builtin_return_address(0);
    stack->frames[1] = (uint64_t)(uintptr_t)&solo_symbolize_stack + 4; /* inside the kit */
}

static void test_symbolize__names_function_file_and_line_and_skips_the_kit(void)
{
    struct solo_stack stack;
    struct solo_frame_text frames[4];
    inner(&stack);
    int line = __LINE__ - 1;
    CU_ASSERT_EQUAL_FATAL(solo_symbolize_stack(&stack, frames, 4), 1);
    CU_ASSERT_STRING_EQUAL(frames[0].function, "test_symbolize__names_function_file_and_line_and_skips_the_kit");
    CU_ASSERT_STRING_EQUAL(frames[0].file, "tests/test_report.c");
    CU_ASSERT_EQUAL(frames[0].line, line);
}

static void test_symbolize__a_stack_of_the_kit_alone_is_given_whole(void)
{
    struct solo_stack stack = {.count = 1};
    struct solo_frame_text frames[4];
    stack.frames[0] = (uint64_t)(uintptr_t)&solo_symbolize_stack + 4;
    CU_ASSERT_EQUAL_FATAL(solo_symbolize_stack(&stack, frames, 4), 1);
    CU_ASSERT_STRING_EQUAL(frames[0].function, "solo_symbolize_stack");
    CU_ASSERT_STRING_EQUAL(frames[0].file, "harness/symbolize.c");
}

static void test_symbolize__nonsense_is_an_address_and_never_a_crash(void)
{
    struct solo_stack stack = {.count = 2, .frames = {0x10, UINT64_MAX}};
    struct solo_frame_text frames[4];
    CU_ASSERT_EQUAL_FATAL(solo_symbolize_stack(&stack, frames, 4), 1); /* a call to nowhere; what called it is noise */
    CU_ASSERT_STRING_EQUAL(frames[0].function, "0xf");
    CU_ASSERT_EQUAL(frames[0].line, 0);
    inner(&stack);
    stack.frames[stack.count] = 1; /* beside something that is one it is left out */
    stack.count += stack.count < SOLO_STACK_MAX;
    CU_ASSERT_EQUAL(solo_symbolize_stack(&stack, frames, 4), 1);
    stack.count = 1000;
    CU_ASSERT_EQUAL(solo_symbolize_stack(&stack, frames, 4), 0);
    CU_ASSERT_EQUAL(solo_symbolize_stack(NULL, frames, 4), 0);
    CU_ASSERT_EQUAL(solo_symbolize_stack(&stack, NULL, 4), 0);
}

static void test_detail__keeps_the_last_readable_events_up_to_the_violation(void)
{
    static struct solo_event ring[16];
    static struct solo_detail detail;
    static struct solo_violation violation;
    memset(&violation, 0, sizeof violation);
    for (uint64_t n = 0; n < 40; n++) { /* the ring keeps 25 .. 40 */
        ring[n & 15] = (struct solo_event){.step = n + 1, .kind = n % 2 == 0 ? SOLO_PROBE_LOCK : SOLO_PROBE_TIME};
    }
    violation.step = 38;
    solo_detail_take(&detail, &violation, ring, 16, 40);
    CU_ASSERT_EQUAL_FATAL(detail.step_count, 7);
    CU_ASSERT_EQUAL(detail.steps[0].step, 25);
    CU_ASSERT_EQUAL(detail.steps[6].step, 37);
    solo_detail_take(&detail, &violation, NULL, 0, 0);
    CU_ASSERT_EQUAL(detail.step_count, 0);
}

void suite_report(void)
{
    SOLO_SUITE("report");
    SOLO_TEST(test_report__wrong_thread_teaches_place_steps_contract_fix_and_replay);
    SOLO_TEST(test_report__deadlock_lists_who_waits_for_what);
    SOLO_TEST(test_report__many_waiters_are_cut_and_counted);
    SOLO_TEST(test_report__without_detail_it_is_still_whole);
    SOLO_TEST(test_report__an_unreadable_source_leaves_out_the_excerpt_only);
    SOLO_TEST(test_report__a_line_past_the_end_of_the_file_is_no_excerpt);
    SOLO_TEST(test_report__crowds_keep_four_lanes_and_count_the_rest);
    SOLO_TEST(test_report__a_program_that_ends_itself_has_the_last_word);
    SOLO_TEST(test_report__long_numbers_of_steps_and_times_stay_apart);
    SOLO_TEST(test_report__colour_changes_no_words);
    SOLO_TEST(test_report__the_same_finding_gives_the_same_bytes);
    SOLO_TEST(test_report__the_first_line_stands_alone);
    SOLO_TEST(test_report__hostile_texts_stay_within_the_page);
    SOLO_TEST(test_report__replay_line_is_one_command_to_a_shell);
    SOLO_TEST(test_report__the_nearest_passing_schedule_is_shown_in_full_reports);
    SOLO_TEST(test_report__replay_line_breaks_long_words_so_that_a_shell_joins_them);
    SOLO_TEST(test_report__replay_line_needs_a_token_and_room);
    SOLO_TEST(test_report__json_has_the_documented_keys);
    SOLO_TEST(test_report__fingerprint_names_the_defect_and_not_the_schedule);
    SOLO_TEST(test_report__json_survives_bytes_that_are_not_text);
    SOLO_TEST(test_report__an_exploration_ends_with_verdict_evidence_and_numbers);
    SOLO_TEST(test_report__an_exploration_as_json_is_one_document);
    SOLO_TEST(test_report__writers_check_their_arguments);
    SOLO_TEST(test_diagnostics__each_has_a_title_and_all_its_texts);
    SOLO_TEST(test_symbolize__names_function_file_and_line_and_skips_the_kit);
    SOLO_TEST(test_symbolize__a_stack_of_the_kit_alone_is_given_whole);
    SOLO_TEST(test_symbolize__nonsense_is_an_address_and_never_a_crash);
    SOLO_TEST(test_detail__keeps_the_last_readable_events_up_to_the_violation);
}
