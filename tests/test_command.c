/*
 * test_command.c - the `solo` command as a script or a person meets it: exit codes, one line for what is wrong, and
 * that what it prints is true, above all the replay line.
 */
#define _GNU_SOURCE
#include "support.h"
#include <jansson.h>
#include <solo/violation.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ARGUMENTS_MAX = 24 };

static struct runner_output output;

/* Runs `solo` with these arguments (a list that ends with NULL) and this standard input. */
static int solo_with(const char *input, const char *const *arguments)
{
    const char *argv[ARGUMENTS_MAX + 2] = {runner_build_path("bin/solo")};
    for (int i = 0; i < ARGUMENTS_MAX && arguments[i] != NULL; i++) {
        argv[i + 1] = arguments[i];
    }
    runner_command(&output, argv, input);
    return output.status;
}

#define SOLO(...) solo_with(NULL, (const char *const[]){__VA_ARGS__, NULL})

/* A line for the shell, with `solo` in the path. */
static int shell(const char *format, const char *first, const char *second)
{
    char script[8192], command[4096];
    (void)snprintf(command, sizeof command, format, first, second);
    (void)snprintf(script, sizeof script, "PATH=%s:$PATH\n%s", runner_build_path("bin"), command);
    const char *const argv[] = {"sh", "-c", script, NULL};
    runner_command(&output, argv, NULL);
    return output.status;
}

static const char *lesson(const char *name)
{
    char path[128];
    (void)snprintf(path, sizeof path, "lessons/%s", name);
    return runner_build_path(path);
}

static bool says(const char *text)
{
    bool found = strstr(output.text, text) != NULL;
    if (!found) {
        printf("'%s' is missing in:\n%s\n", text, output.text);
    }
    return found;
}

static unsigned count_lines(const char *text)
{
    unsigned lines = 0;
    for (; *text != '\0'; text++) {
        lines += *text == '\n';
    }
    return lines;
}

/* Wrong usage: exit code 2 and one line that begins with "solo". */
static void check_wrong(const char *const *arguments, const char *expected)
{
    int status = solo_with(NULL, arguments);
    CU_ASSERT_EQUAL(status, 2);
    CU_ASSERT_EQUAL(count_lines(output.text), 1);
    CU_ASSERT(strncmp(output.text, "solo", 4) == 0);
    CU_ASSERT(says(expected));
}

#define WRONG(expected, ...) check_wrong((const char *const[]){__VA_ARGS__, NULL}, expected)

/* ---- Usage ---- */

static void test_command__wrong_usage_is_one_line_and_exit_code_2(void)
{
    const char *program = lesson("04_result_comes_back/broken");
    check_wrong((const char *const[]){NULL}, "no verb given");
    WRONG("'dance' is not a verb", "dance");
    WRONG("no program given", "explore");
    WRONG("no program given", "run", "--");
    WRONG("no token given", "replay");
    WRONG("unknown option '--bogus'", "explore", "--bogus", program);
    WRONG("unknown option '-x'", "run", "-x", program);
    WRONG("unknown option '--lenient'", "explore", "--lenient", program);
    WRONG("option '--seed' needs a value", "explore", "--seed");
    WRONG("'abc' is not a number", "explore", "--seed", "abc", program);
    WRONG("'-3' is not a number", "explore", "--schedules", "-3", program);
    WRONG("--bound is for the strategies dfs and preempt, not for 'portfolio'", "explore", "--bound", "2", program);
    WRONG("--bound is for the strategies dfs and preempt, not for 'dfs:3'", "explore", "--bound", "2", "--strategy",
          "dfs:3", program);
    WRONG("'0' is not a number from 1", "explore", "--schedules", "0", program);
    WRONG("'99999999999999999999' is not a number", "explore", "--seed", "99999999999999999999", program);
    WRONG("'12x' is not a number", "run", "--budget-ms", "12x", program);
    WRONG("'zig' is not one of: portfolio", "explore", "--strategy", "zig", program);
    WRONG("'thread' is not one of: fiber, token", "explore", "--carrier", "thread", program);
    WRONG("'shout' is not one of: refuse, abort, report", "run", "--policy", "shout", program);
    WRONG("'xml' is not one of: text, json", "explore", "--format", "xml", program);
    WRONG("'mars' is not one of: sim, os", "run", "--world", "mars", program);
    WRONG("'pink' is not one of", "explain", "--color", "pink");
    WRONG("neither an id nor a function", "explain", "dance");
    WRONG("one id or function at a time", "explain", "SOLO001", "SOLO002");
    WRONG("one id or function at a time", "explain", "SOLO001", "--color", "never", "SOLO002");
    CU_ASSERT_EQUAL(SOLO("explain", "SOLO001", "--color", "never"), 0);
    WRONG("takes no arguments", "doctor", "now");
    WRONG("--strategy: 'pct:99': '99' is no number that pct takes", "explore", "--strategy", "pct:99", program);
    WRONG("'random:2': '2' is no number that random takes", "explore", "--strategy", "random:2", program);
    WRONG("'two?lines' is neither an id nor a function", "explain", "two\nlines");
    WRONG("solo merge: /nonexistent.json: No such file", "merge", "/nonexistent.json");
    WRONG("'08x' is not a number", "explore", "--schedules", "08x", program);
}

static void test_command__a_bad_program_file_or_token_is_one_line_and_exit_code_2(void)
{
    const char *program = lesson("04_result_comes_back/broken");
    WRONG("no such program", "explore", "/nonexistent/program");
    WRONG("no such program", "run", "/nonexistent/program");
    WRONG("it may not be executed", "run", "/etc/passwd");
    WRONG("before it used libsolo", "run", "/bin/true");
    WRONG("solo step: /nonexistent/program: no such program", "step", "/nonexistent/program");
    WRONG("solo run: Makefile: no such program in PATH; for the file in this folder write ./", "run", "Makefile");
    WRONG("Makefile: no such program in PATH; for the file in this folder write ./", "explore", "Makefile");
    WRONG("solo explore: ./Makefile: it may not be executed", "explore", "./Makefile");
    WRONG("/nonexistent.peer", "explore", "--peer", "/nonexistent.peer", program);
    WRONG("not a token", "replay", "abc", program);
    WRONG("cannot read the token file", "replay", "@/nonexistent", program);
    WRONG("solo replay: ", "replay", "solo1.2.broken.sync.f051c901.plain-2-85c0-cg.more", program);
}

static void test_command__a_bad_peer_script_names_its_line(void)
{
    const char *path = runner_scratch_path("bad.peer");
    FILE *file = fopen(path, "w");
    CU_ASSERT_FATAL(file != NULL);
    fputs("peer one\nconnect 8007\nshout \"x\"\n", file);
    fclose(file);
    WRONG(":3: ", "explore", "--peer", path, lesson("04_result_comes_back/broken"));
}

static void test_command__every_verb_has_help_that_fits(void)
{
    static const char *const verbs[] = {"run", "explore", "replay", "step", "explain", "doctor"};
    CU_ASSERT_EQUAL(SOLO("--help"), 0);
    for (unsigned i = 0; i < sizeof verbs / sizeof verbs[0]; i++) {
        char usage[64];
        CU_ASSERT_EQUAL(SOLO("--help"), 0);
        CU_ASSERT(says(verbs[i]));
        CU_ASSERT_EQUAL(SOLO(verbs[i], "--help"), 0);
        (void)snprintf(usage, sizeof usage, "usage: solo %s", verbs[i]);
        CU_ASSERT(says(usage));
        for (const char *line = output.text; *line != '\0'; line += strcspn(line, "\n") + 1) {
            CU_ASSERT(strcspn(line, "\n") <= 110);
        }
    }
    CU_ASSERT_EQUAL(SOLO("--version"), 0);
    CU_ASSERT(strncmp(output.text, "solo ", 5) == 0);
}

/* ---- explain ---- */

static void test_command__explain_knows_ids_and_functions_by_any_usual_spelling(void)
{
    static const char *const spellings[] = {"SOLO001", "solo001", "SOLO1", "1", "001"};
    for (unsigned i = 0; i < 5; i++) {
        CU_ASSERT_EQUAL(SOLO("explain", spellings[i]), 0);
        CU_ASSERT(strncmp(output.text, "SOLO001: reactor-only call off the reactor thread\n", 50) == 0);
    }
    CU_ASSERT_EQUAL(SOLO("explain", "solo_transport_write"), 0);
    CU_ASSERT(says("reactor-only"));
    CU_ASSERT(says("solo/transport.h:"));
    CU_ASSERT_EQUAL(SOLO("explain", "transport_write"), 0);
    CU_ASSERT_EQUAL(SOLO("explain", "solo_sleep"), 0);
    CU_ASSERT(says("It may block."));
    CU_ASSERT_EQUAL(SOLO("explain"), 0);
    CU_ASSERT(says("SOLO019"));
    CU_ASSERT(says("solo_reactor_call_from_thread"));
}

static void test_command__explain_knows_every_id(void)
{
    for (unsigned id = SOLO001_WRONG_THREAD; id <= SOLO019_NONDETERMINISM; id++) {
        char name[8];
        CU_ASSERT_EQUAL(SOLO("explain", solo_violation_name(id, name)), 0);
        CU_ASSERT(says(name));
    }
    CU_ASSERT_EQUAL(SOLO("explain", "SOLO016"), 0);
    CU_ASSERT(says("It is a warning"));
}

static void test_command__output_into_a_closed_pipe_ends_quietly(void)
{
    CU_ASSERT_EQUAL(shell("solo explain | head -n 1", "", ""), 0);
    CU_ASSERT_STRING_EQUAL(output.text, "Findings\n");
}

static void test_command__what_cannot_be_written_is_exit_code_3(void)
{
    static const char *const redirections[] = {">/dev/full", ">&-"};
    for (unsigned i = 0; i < 2; i++) {
        CU_ASSERT_EQUAL(shell("solo explain %1$s", redirections[i], ""), 3);
        CU_ASSERT(says("solo explain: cannot write to standard output: "));
        CU_ASSERT_EQUAL(count_lines(output.text), 1);
        CU_ASSERT_EQUAL(
            shell("solo explore --first -- %2$s %1$s", redirections[i], lesson("04_result_comes_back/broken")), 3);
    }
}

static void test_command__text_is_not_given_to_a_shell_and_a_pipe_is_no_peer_script(void)
{
    const char *text = runner_scratch_path("text");
    const char *pipe = runner_scratch_path("pipe");
    CU_ASSERT_EQUAL(shell("echo 'echo hello' >%1$s && chmod +x %1$s && mkfifo %2$s", text, pipe), 0);
    WRONG("not a program", "run", text);
    WRONG("not a program", "explore", text);
    WRONG("the program's name is empty", "explore", "");
    WRONG("a pipe; a script must be a file", "explore", "--peer", pipe, lesson("04_result_comes_back/broken"));
}

/* ---- The tutorial ---- */

/* The line of the output that begins so, as the tutorial prints it. */
static bool tutorial_has_line(const char *beginning)
{
    char line[256];
    const char *tutorial = support_read_file("docs/tutorial.md");
    const char *at = strstr(output.text, beginning);
    CU_ASSERT_PTR_NOT_NULL_FATAL(at);
    CU_ASSERT_PTR_NOT_NULL_FATAL(tutorial);
    (void)snprintf(line, sizeof line, "\n%.*s\n", (int)strcspn(at, "\n"), at);
    printf("today:%s", line);
    return strstr(tutorial, line) != NULL;
}

static void test_command__the_tutorial_prints_what_is_printed_today(void)
{
    const char *peers = "lessons/01_wrong_thread/peers.txt", *program = lesson("01_wrong_thread/broken");
    CU_ASSERT_EQUAL(SOLO("explore", "--strategy", "dfs", "--bound", "2", "--peer", peers, program), 1);
    CU_ASSERT(tutorial_has_line("explored: "));
    CU_ASSERT(tutorial_has_line("   >   "));
    CU_ASSERT_EQUAL(SOLO("replay", "solo1.2.broken.sync.4db32822.plain-35-7c92-i4Jymgpjt8rj2bh4bT9nt30oOLgAYDaEEtm",
                         "--peer", peers, program),
                    1);
    CU_ASSERT(tutorial_has_line("ending: "));
}

/* ---- explore and replay ---- */

static void test_command__explore_finds_reports_and_exits_1(void)
{
    CU_ASSERT_EQUAL(SOLO("explore", "--schedules", "20", "--", lesson("04_result_comes_back/broken")), 1);
    CU_ASSERT(strncmp(output.text, "error[SOLO001]: `solo_deferred_fire` called on `pool#1`, but it is reactor-only\n",
                      80) == 0);
    CU_ASSERT(says("   --> lessons/04_result_comes_back/broken.c:"));
    CU_ASSERT(says("20 of 20 explored schedules show it"));
    CU_ASSERT(says("verdict: findings"));
}

static void test_command__explore_passes_what_is_right_and_exits_0(void)
{
    CU_ASSERT_EQUAL(SOLO("explore", "--schedules", "20", lesson("04_result_comes_back/fixed")), 0);
    CU_ASSERT(says("verdict: clean"));
    CU_ASSERT(says("evidence: "));
    CU_ASSERT(says("0 failing"));
}

/* Cuts the replay command out of a report: the lines after "replay:" up to the summary. */
static bool take_replay_command(char *command, size_t size)
{
    const char *start = strstr(output.text, "replay:\n");
    const char *end = start != NULL ? strstr(start, "\nsummary:") : NULL;
    if (end == NULL) {
        return false;
    }
    start += strlen("replay:\n");
    (void)snprintf(command, size, "%.*s", (int)(end - start), start);
    return true;
}

static void check_replay_line(const char *program, const char *peers)
{
    char command[4096], first_line[512];
    int status = peers != NULL ? SOLO("explore", "--schedules", "20", "--peer", peers, "--", program)
                               : SOLO("explore", "--schedules", "20", "--", program);
    CU_ASSERT_EQUAL_FATAL(status, 1);
    (void)snprintf(first_line, sizeof first_line, "%.*s", (int)strcspn(output.text, "\n"), output.text);
    CU_ASSERT_FATAL(take_replay_command(command, sizeof command));
    CU_ASSERT_EQUAL(shell("%s%s", command, ""), 1);
    CU_ASSERT(strncmp(output.text, first_line, strlen(first_line)) == 0);
    char again[4096];
    CU_ASSERT(take_replay_command(again, sizeof again)); /* and it prints the same command */
    CU_ASSERT_STRING_EQUAL(again, command);
}

static void test_command__the_replay_line_as_printed_replays(void)
{
    check_replay_line(lesson("04_result_comes_back/broken"), NULL);
    check_replay_line(lesson("07_the_wedge/broken"), NULL);
    check_replay_line(lesson("01_wrong_thread/broken"), "lessons/01_wrong_thread/peers.txt");
}

/* What a replay needs is in its line, as a shell needs it; a watchdog only if it is longer than usual. */
static void test_command__the_replay_line_has_the_options_that_a_replay_needs(void)
{
    const char *peers = runner_scratch_path("it's a script.txt");
    char copy[512];
    (void)snprintf(copy, sizeof copy, "cp lessons/01_wrong_thread/peers.txt \"%s\"", peers);
    CU_ASSERT_EQUAL_FATAL(shell("%s%s", copy, ""), 0);
    check_replay_line(lesson("01_wrong_thread/broken"), peers);
    const char *program = lesson("07_the_wedge/broken");
    CU_ASSERT_EQUAL(SOLO("explore", "--first", "--watchdog-s", "60", program), 1);
    CU_ASSERT(says("--watchdog-s 60"));
    CU_ASSERT_EQUAL(SOLO("explore", "--first", "--watchdog-s", "9", program), 1);
    CU_ASSERT_PTR_NULL(strstr(output.text, "--watchdog-s"));
}

static void test_command__numbers_are_decimal_even_if_they_begin_with_0(void)
{
    const char *program = lesson("07_the_wedge/fixed");
    CU_ASSERT_EQUAL(SOLO("explore", "--schedules", "020", program), 0);
    CU_ASSERT(says("explored: 20 schedules"));
    CU_ASSERT_EQUAL(SOLO("explore", "--schedules", "0x10", program), 0);
    CU_ASSERT(says("explored: 16 schedules"));
}

static void test_command__the_same_exploration_prints_the_same_bytes(void)
{
    const char *program = lesson("07_the_wedge/broken");
    CU_ASSERT_EQUAL(SOLO("explore", "--schedules", "30", "--seed", "7", program), 1);
    char *first = strdup(output.text);
    CU_ASSERT_EQUAL(SOLO("explore", "--schedules", "30", "--seed", "7", program), 1);
    CU_ASSERT_STRING_EQUAL(output.text, first);
    free(first);
}

static void test_command__replay_that_no_longer_fits_names_the_choice_and_exits_2(void)
{
    char command[4096], token[2048];
    CU_ASSERT_EQUAL_FATAL(SOLO("explore", "--schedules", "5", lesson("04_result_comes_back/broken")), 1);
    CU_ASSERT_FATAL(take_replay_command(command, sizeof command));
    CU_ASSERT_EQUAL_FATAL(sscanf(command, "solo replay %2047s", token), 1);
    CU_ASSERT_EQUAL(SOLO("replay", token, "--", lesson("05_ask_the_reactor/broken")), 2);
    CU_ASSERT(says("no longer fits the token: choice "));
    CU_ASSERT(SOLO("replay", token, "--lenient", "--", lesson("05_ask_the_reactor/broken")) < 2);
}

static void test_command__replay_prints_the_trace_when_asked(void)
{
    char command[4096], token[2048];
    const char *program = lesson("04_result_comes_back/broken");
    CU_ASSERT_EQUAL_FATAL(SOLO("explore", "--schedules", "5", program), 1);
    CU_ASSERT_FATAL(take_replay_command(command, sizeof command));
    CU_ASSERT_EQUAL_FATAL(sscanf(command, "solo replay %2047s", token), 1);
    CU_ASSERT_EQUAL(SOLO("replay", token, "--trace", program), 1);
    CU_ASSERT(strncmp(output.text, "solo-trace 1\n", 13) == 0);
    CU_ASSERT(says(" violation deferred#1 1"));
    CU_ASSERT(says("ending quiet"));
}

static json_t *load_json(void)
{
    json_error_t error;
    json_t *root = json_loads(output.text, 0, &error);
    if (root == NULL) {
        printf("%s at line %d:\n%s\n", error.text, error.line, output.text);
    }
    CU_ASSERT_FATAL(root != NULL);
    return root;
}

static const char *finding_text(const json_t *root, unsigned index, const char *key)
{
    const char *text =
        json_string_value(json_object_get(json_array_get(json_object_get(root, "findings"), index), key));
    return text != NULL ? text : "(none)";
}

static void test_command__explore_as_json_is_one_document(void)
{
    CU_ASSERT_EQUAL(SOLO("explore", "--format", "json", "--schedules", "20", lesson("04_result_comes_back/broken")), 1);
    json_t *root = load_json();
    CU_ASSERT_STRING_EQUAL(json_string_value(json_object_get(root, "verdict")), "findings");
    CU_ASSERT_EQUAL(json_integer_value(json_object_get(root, "schedules")), 20);
    CU_ASSERT_STRING_EQUAL(finding_text(root, 0, "id"), "SOLO001");
    CU_ASSERT(strncmp(finding_text(root, 0, "replay"), "solo replay solo1.", 18) == 0);
    json_decref(root);
    CU_ASSERT_EQUAL(SOLO("explore", "--format=json", "--schedules", "5", lesson("04_result_comes_back/fixed")), 0);
    root = load_json();
    CU_ASSERT_EQUAL(json_array_size(json_object_get(root, "findings")), 0);
    json_decref(root);
}

static void test_command__colour_is_only_for_who_wants_it(void)
{
    const char *program = lesson("04_result_comes_back/broken");
    CU_ASSERT_EQUAL(SOLO("explore", "--schedules", "5", program), 1);
    CU_ASSERT(strchr(output.text, '\033') == NULL); /* not a terminal */
    CU_ASSERT_EQUAL(SOLO("explore", "--schedules", "5", "--color", "always", program), 1);
    CU_ASSERT(strchr(output.text, '\033') != NULL);
    CU_ASSERT_EQUAL(SOLO("explore", "--schedules", "5", "--color=never", program), 1);
    CU_ASSERT(strchr(output.text, '\033') == NULL);
}

static void test_command__show_prints_the_plain_schedule_of_a_passing_program_too(void)
{
    CU_ASSERT_EQUAL(SOLO("explore", "--schedules", "5", "--show", lesson("04_result_comes_back/fixed")), 0);
    CU_ASSERT(says("the plain schedule: solo1."));
    CU_ASSERT(says("solo-trace 1"));
}

static void test_command__both_carriers_explore_alike(void)
{
    const char *program = lesson("07_the_wedge/broken");
    CU_ASSERT_EQUAL(SOLO("explore", "--schedules", "10", "--carrier", "fiber", program), 1);
    char *explored = strstr(output.text, "explored: ");
    CU_ASSERT_FATAL(explored != NULL);
    explored = strdup(explored);
    CU_ASSERT_EQUAL(SOLO("explore", "--schedules", "10", "--carrier", "token", program), 1);
    CU_ASSERT(says(explored));
    free(explored);
}

/* ---- step ---- */

static void test_command__step_takes_answers_from_a_pipe(void)
{
    const char *arguments[] = {"step", lesson("07_the_wedge/broken"), NULL};
    CU_ASSERT_EQUAL(solo_with("0\n?\n999\nnonsense\nt\n\nu\np\n", arguments), 1);
    CU_ASSERT(says("choice 1, step "));
    CU_ASSERT(says("who goes next?") || says("which job"));
    CU_ASSERT(says("u undo"));
    CU_ASSERT(says("error[SOLO004]: the pool is wedged"));
    CU_ASSERT(says("schedule: solo1."));
}

static void test_command__step_goes_on_plainly_where_the_input_ends(void)
{
    const char *arguments[] = {"step", lesson("04_result_comes_back/fixed"), NULL};
    CU_ASSERT_EQUAL(solo_with("", arguments), 0);
    CU_ASSERT(says("end of input"));
    CU_ASSERT(says("0 findings"));
}

static void test_command__step_can_be_quit(void)
{
    const char *arguments[] = {"step", lesson("07_the_wedge/broken"), NULL};
    CU_ASSERT_EQUAL(solo_with("q\n", arguments), 0);
    CU_ASSERT(says("ending: stopped by you"));
}

/* ---- run ---- */

static void test_command__run_reports_completely_in_world_os(void)
{
    CU_ASSERT_EQUAL(SOLO("run", lesson("11_values_not_shared/broken")), 1);
    CU_ASSERT(says("error[SOLO007]: "));
    CU_ASSERT(says("   --> lessons/11_values_not_shared/broken.c:"));
    CU_ASSERT(says("was queued by `main` in "));
    CU_ASSERT(says("findings\n"));
}

static void test_command__run_of_a_right_program_exits_0(void)
{
    CU_ASSERT_EQUAL(SOLO("run", lesson("04_result_comes_back/fixed")), 0);
    CU_ASSERT(says("solo run: 0 findings"));
}

/* One test, because tests run side by side and there is one such port. */
static void test_command__run_plays_peers_on_real_sockets_and_ends_a_server_after_so_many_seconds(void)
{
    CU_ASSERT_EQUAL(SOLO("run", "--peer", "lessons/01_wrong_thread/peers.txt", lesson("01_wrong_thread/fixed")), 0);
    CU_ASSERT(says("solo run: 0 findings"));
    CU_ASSERT_EQUAL(SOLO("run", "--for-s", "0", lesson("01_wrong_thread/fixed")), 1);
    CU_ASSERT(says("listening on port"));
    CU_ASSERT(says("error[SOLO013]: ")); /* nobody came */
}

static void test_command__run_as_json_keeps_the_programs_output_out_of_the_document(void)
{
    CU_ASSERT_EQUAL(shell("solo run --format json %s%s 2>/dev/null", lesson("04_result_comes_back/fixed"), ""), 0);
    json_t *root = load_json();
    CU_ASSERT_STRING_EQUAL(json_string_value(json_object_get(root, "verdict")), "clean");
    json_decref(root);
}

static void test_command__run_in_world_sim_is_the_plain_schedule(void)
{
    CU_ASSERT_EQUAL(SOLO("run", "--world", "sim", lesson("04_result_comes_back/broken")), 1);
    CU_ASSERT(says("error[SOLO001]"));
    CU_ASSERT(says(".plain-"));
    CU_ASSERT_EQUAL(SOLO("run", "--world", "sim", lesson("04_result_comes_back/fixed")), 0);
}

static void test_command__doctor_says_what_works(void)
{
    CU_ASSERT_EQUAL(SOLO("doctor"), 0);
    CU_ASSERT(says("ok       fiber carrier"));
    CU_ASSERT(says("ok       token carrier"));
    CU_ASSERT(says("ok       same trace on both"));
    CU_ASSERT(says("ok       finds a lost update"));
    CU_ASSERT(says("ok       passes its locked twin"));
    CU_ASSERT(says("all that Solo needs works"));
}

void suite_command(void)
{
    SOLO_SUITE("command");
    SOLO_TEST(test_command__wrong_usage_is_one_line_and_exit_code_2);
    SOLO_TEST(test_command__a_bad_program_file_or_token_is_one_line_and_exit_code_2);
    SOLO_TEST(test_command__a_bad_peer_script_names_its_line);
    SOLO_TEST(test_command__every_verb_has_help_that_fits);
    SOLO_TEST(test_command__explain_knows_ids_and_functions_by_any_usual_spelling);
    SOLO_TEST(test_command__explain_knows_every_id);
    SOLO_TEST(test_command__output_into_a_closed_pipe_ends_quietly);
    SOLO_TEST(test_command__what_cannot_be_written_is_exit_code_3);
    SOLO_TEST(test_command__text_is_not_given_to_a_shell_and_a_pipe_is_no_peer_script);
    SOLO_TEST(test_command__explore_finds_reports_and_exits_1);
    SOLO_TEST(test_command__explore_passes_what_is_right_and_exits_0);
    SOLO_TEST(test_command__the_replay_line_as_printed_replays);
    SOLO_TEST(test_command__the_tutorial_prints_what_is_printed_today);
    SOLO_TEST(test_command__the_replay_line_has_the_options_that_a_replay_needs);
    SOLO_TEST(test_command__numbers_are_decimal_even_if_they_begin_with_0);
    SOLO_TEST(test_command__the_same_exploration_prints_the_same_bytes);
    SOLO_TEST(test_command__replay_that_no_longer_fits_names_the_choice_and_exits_2);
    SOLO_TEST(test_command__replay_prints_the_trace_when_asked);
    SOLO_TEST(test_command__explore_as_json_is_one_document);
    SOLO_TEST(test_command__colour_is_only_for_who_wants_it);
    SOLO_TEST(test_command__show_prints_the_plain_schedule_of_a_passing_program_too);
    SOLO_TEST(test_command__both_carriers_explore_alike);
    SOLO_TEST(test_command__step_takes_answers_from_a_pipe);
    SOLO_TEST(test_command__step_goes_on_plainly_where_the_input_ends);
    SOLO_TEST(test_command__step_can_be_quit);
    SOLO_TEST(test_command__run_reports_completely_in_world_os);
    SOLO_TEST(test_command__run_of_a_right_program_exits_0);
    SOLO_TEST(test_command__run_plays_peers_on_real_sockets_and_ends_a_server_after_so_many_seconds);
    SOLO_TEST(test_command__run_as_json_keeps_the_programs_output_out_of_the_document);
    SOLO_TEST(test_command__run_in_world_sim_is_the_plain_schedule);
    SOLO_TEST(test_command__doctor_says_what_works);
}
