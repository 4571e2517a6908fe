/*
 * test_verify.c - `solo verify` as the author of an extension meets it: the matrix, the tokens that show each cell, and
 * one line for what is wrong.
 *
 * The extensions are tests/extensions/<name>.c; broken tables are compiled by the tests themselves.
 */
#include "runner.h"
#include "support.h"
#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ARGUMENTS_MAX = 12 };

static struct runner_output output;

static int verify_with(const char *const *arguments)
{
    const char *argv[ARGUMENTS_MAX + 3] = {runner_build_path("bin/solo"), "verify"};
    for (int i = 0; i < ARGUMENTS_MAX && arguments[i] != NULL; i++) {
        argv[i + 2] = arguments[i];
    }
    runner_command(&output, argv, NULL);
    return output.status;
}

#define VERIFY(...) verify_with((const char *const[]){__VA_ARGS__, NULL})

static const char *extension(const char *name)
{
    char path[128];
    (void)snprintf(path, sizeof path, "tests/extensions/%s.so", name);
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

/* Wrong usage: exit code 2 and one line. */
static void check_wrong(const char *const *arguments, const char *expected)
{
    CU_ASSERT_EQUAL(verify_with(arguments), 2);
    CU_ASSERT_EQUAL(support_count(output.text, "\n"), 1);
    CU_ASSERT_EQUAL(strncmp(output.text, "solo verify: ", 13), 0);
    CU_ASSERT(says(expected));
}

#define WRONG(expected, ...) check_wrong((const char *const[]){__VA_ARGS__, NULL}, expected)

/* Runs the command that was printed for this cell, and returns its exit code. */
static int run_printed_command(const char *cell)
{
    char start[192], command[4096];
    (void)snprintf(start, sizeof start, "    solo verify --cell %s \\\n", cell);
    const char *at = strstr(output.text, start);
    if (at == NULL) {
        printf("no command for %s in:\n%s\n", cell, output.text);
        return -1;
    }
    const char *end = at;
    while ((end = strchr(end, '\n')) != NULL && end[-1] == '\\') {
        end++;
    }
    (void)snprintf(command, sizeof command, "%.*s", (int)(end - at), at);
    support_shell(&output, "PATH=%s:$PATH\n%s", runner_build_path("bin"), command);
    printf("%s\n%s", command, output.text);
    return output.status;
}

/* ---- The matrix ---- */

static void test_verify__an_extension_that_keeps_its_promises_passes(void)
{
    CU_ASSERT_EQUAL(VERIFY(extension("keeps")), 0);
    CU_ASSERT(says("extension keeps: 4 entry points"));
    CU_ASSERT(says("verdict: every contract is kept"));
    CU_ASSERT(says("\nbook_sign                any thread                 as declared   as declared   as declared"));
    CU_ASSERT(says("\nbook_publish             reactor-only               as declared   refused       refused"));
    CU_ASSERT(says("\nbook_publish_and_wait    not on the reactor thread  refused       as declared   as declared"));
    CU_ASSERT_EQUAL(support_count(output.text, "--cell"), 0);
}

static void test_verify__a_missing_check_is_not_enforced_and_its_command_shows_it(void)
{
    CU_ASSERT_EQUAL(VERIFY(extension("breaks")), 1);
    CU_ASSERT(says("\nbook_publish             reactor-only               as declared   NOT ENFORCED  NOT ENFORCED"));
    CU_ASSERT(says("verdict: contracts are broken"));
    CU_ASSERT_EQUAL(run_printed_command("book_publish@worker"), 1);
    CU_ASSERT(says("contract broken: `book_publish` ran in context worker"));
    CU_ASSERT(says("\nbook_publish@worker: NOT ENFORCED\n"));
}

static void test_verify__locks_in_both_orders_are_a_deadlock_and_its_command_shows_it(void)
{
    CU_ASSERT_EQUAL(VERIFY(extension("breaks")), 1);
    CU_ASSERT(says("\nbook_move_left@worker+book_move_right@foreign: DEADLOCK\n"));
    CU_ASSERT_EQUAL(run_printed_command("book_move_left@worker+book_move_right@foreign"), 1);
    CU_ASSERT(says("error[SOLO004]: "));
    CU_ASSERT(says("tests/extensions/breaks.c:"));
    CU_ASSERT(says(": DEADLOCK\n"));
    CU_ASSERT_EQUAL(run_printed_command("book_move_left@worker+book_move_right@foreign"),
                    1); /* and so does the one it prints */
}

static void test_verify__a_missing_lock_is_a_race_and_its_command_shows_it(void)
{
#ifndef SOLO_TSAN
    SOLO_SKIP("data races are found in a ThreadSanitizer build");
#endif
    CU_ASSERT_EQUAL(VERIFY(extension("breaks")), 1);
    const char *race = strstr(output.text, ": RACE\n");
    CU_ASSERT_PTR_NOT_NULL_FATAL(race);
    const char *line = race;
    while (line > output.text && line[-1] != '\n') {
        line--;
    }
    char cell[128];
    (void)snprintf(cell, sizeof cell, "%.*s", (int)(race - line), line);
    CU_ASSERT_EQUAL(strncmp(cell, "book_sign@", 10), 0);
    CU_ASSERT_PTR_NOT_NULL(strstr(cell, "+book_sign@"));
    CU_ASSERT_EQUAL(run_printed_command(cell), 1);
    CU_ASSERT(says("error[SOLO017]: "));
    CU_ASSERT(says(": RACE\n"));
}

static void test_verify__a_kept_promise_has_no_race_in_it(void)
{
#ifndef SOLO_TSAN
    SOLO_SKIP("data races are found in a ThreadSanitizer build");
#endif
    CU_ASSERT_EQUAL(VERIFY("--cell", "book_sign@worker+book_sign@foreign", extension("keeps")), 0);
    CU_ASSERT(says(": as declared\n"));
}

static void test_verify__both_carriers_judge_alike(void)
{
    const char *cell = "book_move_left@worker+book_move_right@foreign";
    CU_ASSERT_EQUAL(VERIFY("--cell", cell, "--carrier", "fiber", extension("breaks")), 1);
    const char *evidence = strstr(output.text, "\nevidence: ");
    CU_ASSERT_PTR_NOT_NULL_FATAL(evidence);
    char expected[256];
    (void)snprintf(expected, sizeof expected, "%.*s", (int)strcspn(evidence + 1, "\n") + 1, evidence);
    CU_ASSERT_EQUAL(VERIFY("--cell", cell, "--carrier", "token", extension("breaks")), 1);
    CU_ASSERT(says(expected));
    CU_ASSERT_EQUAL(VERIFY("--cell", "book_publish@worker", "--carrier", "token", extension("keeps")), 0);
    CU_ASSERT(says("book_publish@worker: refused\n"));
}

/* ---- JSON ---- */

static json_t *load_json(void)
{
    json_error_t error;
    json_t *root = json_loads(output.text, 0, &error);
    if (root == NULL) {
        printf("%s at line %d:\n%s\n", error.text, error.line, output.text);
    }
    CU_ASSERT_PTR_NOT_NULL_FATAL(root);
    return root;
}

static const char *text_of(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));
    return text != NULL ? text : "";
}

static json_t *cell_of(const json_t *root, const char *name)
{
    size_t index;
    json_t *cell;
    json_array_foreach(json_object_get(root, "cells"), index, cell)
    {
        if (strcmp(text_of(cell, "cell"), name) == 0) {
            return cell;
        }
    }
    return NULL;
}

static void test_verify__json_has_every_cell_and_its_token(void)
{
    CU_ASSERT_EQUAL(VERIFY("--format", "json", extension("breaks")), 1);
    json_t *root = load_json();
    CU_ASSERT_STRING_EQUAL(text_of(root, "schema"), "solo.verify.1");
    CU_ASSERT_STRING_EQUAL(text_of(root, "extension"), "breaks");
    CU_ASSERT(json_integer_value(json_object_get(root, "breaches")) >= 3);
    CU_ASSERT(json_array_size(json_object_get(root, "cells")) > 4 * 3); /* alone, and pairs */
    size_t index;
    json_t *cell;
    json_array_foreach(json_object_get(root, "cells"), index, cell)
    {
        CU_ASSERT_EQUAL(strncmp(text_of(cell, "token"), "solo1.", 6), 0);
        CU_ASSERT(json_integer_value(json_object_get(cell, "schedules")) >= 1);
    }
    cell = cell_of(root, "book_publish@worker");
    CU_ASSERT_STRING_EQUAL(text_of(cell, "verdict"), "NOT ENFORCED");
    cell = cell_of(root, "book_move_left@worker+book_move_right@foreign");
    CU_ASSERT_STRING_EQUAL(text_of(cell, "verdict"), "DEADLOCK");
    CU_ASSERT_STRING_EQUAL(text_of(json_object_get(cell, "finding"), "id"), "SOLO004");
    json_decref(root);
}

static void test_verify__the_token_of_a_passing_cell_replays_it(void)
{
    CU_ASSERT_EQUAL(VERIFY("--format", "json", "--cell", "book_publish@foreign", extension("keeps")), 0);
    json_t *root = load_json();
    char token[1024];
    (void)snprintf(token, sizeof token, "%s", text_of(cell_of(root, "book_publish@foreign"), "token"));
    json_decref(root);
    CU_ASSERT_EQUAL(VERIFY("--cell", "book_publish@foreign", "--token", token, extension("keeps")), 0);
    CU_ASSERT(says("book_publish@foreign: refused\n"));
    CU_ASSERT(says(token));
    CU_ASSERT_EQUAL(VERIFY("--format", "json", "--cell", "book_publish@foreign", "--token", token, extension("keeps")),
                    0);
    root = load_json();
    CU_ASSERT_STRING_EQUAL(text_of(cell_of(root, "book_publish@foreign"), "token"), token);
    json_decref(root);
}

/* ---- Bad input ---- */

static void test_verify__wrong_usage_is_one_line_and_exit_code_2(void)
{
    const char *keeps = extension("keeps");
    check_wrong((const char *const[]){NULL}, "one EXTENSION.so is wanted");
    WRONG("one EXTENSION.so is wanted", keeps, keeps);
    WRONG("unknown option '--bogus'", "--bogus", keeps);
    WRONG("'zero' is not a number", "--schedules", "zero", keeps);
    WRONG("--token needs the --cell", "--token", "solo1.2.x.sync.00000000.plain-0-0000", keeps);
    WRONG("'book_sign' is not ENTRY@CONTEXT", "--cell", "book_sign", keeps);
    WRONG("is not ENTRY@CONTEXT", "--cell", "no_such_entry@worker", keeps);
    WRONG("is not ENTRY@CONTEXT", "--cell", "book_sign@moon", keeps);
    WRONG("is not ENTRY@CONTEXT", "--cell", "book_sign@worker+", keeps);
    WRONG("is not ENTRY@CONTEXT", "--cell", "book_sign@worker+book_sign@worker+book_sign@worker", keeps);
    WRONG("is not ENTRY@CONTEXT", "--cell", "", keeps);
}

static void test_verify__a_token_that_does_not_fit_is_one_line_and_exit_code_2(void)
{
    const char *keeps = extension("keeps");
    WRONG("not a token", "--cell", "book_sign@worker", "--token", "abc", keeps);
    WRONG("not a token", "--cell", "book_sign@worker", "--token", "", keeps);
    WRONG("\"other\"", "--cell", "book_sign@worker", "--token", "solo1.2.other.sync.00000000.plain-0-0000", keeps);
    CU_ASSERT_EQUAL(VERIFY("--format", "json", "--cell", "book_sign@worker", keeps), 0);
    json_t *root = load_json();
    char token[1024];
    (void)snprintf(token, sizeof token, "%s", text_of(cell_of(root, "book_sign@worker"), "token"));
    json_decref(root);
    WRONG("solo verify: ", "--cell", "book_sign@foreign", "--token", token, keeps); /* of another cell */
}

static void test_verify__what_is_no_extension_is_one_line_and_exit_code_2(void)
{
    WRONG("/nonexistent.so: No such file", "/nonexistent.so");
    WRONG("text.so", support_write_file("text.so", "not a shared object\n"));
    WRONG("it exports no solo_extension", runner_build_path("lib/libsolo.so"));
    WRONG("solo verify: ", "/");
}

/* Compiles an extension whose table is this initializer. */
static const char *table(const char *name, const char *initializer)
{
    char source_name[64], text[2048];
    static char library[512];
    (void)snprintf(source_name, sizeof source_name, "%s.c", name);
    (void)snprintf(
        text, sizeof text,
        "#include <solo/extension.h>\n"
        "static int exercise(void *state) { (void)state; return 0; }\n"
        "static int set_up(struct solo_reactor *reactor, void **ret_state)\n"
        "{ (void)reactor; *ret_state = 0; return 0; }\n"
        "static const struct solo_extension_entry entries[] = {{\"entry\", SOLO_CONTRACT_ANY_THREAD, exercise},\n"
        "    {\"no name!\", SOLO_CONTRACT_ANY_THREAD, exercise}, {\"none\", SOLO_CONTRACT_ANY_THREAD, 0}};\n"
        "__attribute__((visibility(\"default\"))) extern const struct solo_extension solo_extension;\n"
        "const struct solo_extension solo_extension = %s;\n"
        "void *unused[] = {(void *)exercise, (void *)set_up, (void *)entries};\n",
        initializer);
    const char *source = support_write_file(source_name, text);
    (void)snprintf(library, sizeof library, "%s.so", source);
    support_shell(&output, "${CC:-gcc} -shared -fPIC -Ireactor/include -Iharness/include -o %s %s", library, source);
    if (output.status != 0) {
        printf("%s\n", output.text);
    }
    CU_ASSERT_EQUAL_FATAL(output.status, 0);
    return library;
}

static void test_verify__a_bad_table_is_one_line_and_exit_code_2(void)
{
    WRONG("its version is not one", table("version", "{99, \"x\", entries, 1, set_up, 0}"));
    WRONG("it has no entry", table("empty", "{SOLO_EXTENSION_VERSION, \"x\", entries, 0, set_up, 0}"));
    WRONG("or more than 32", table("many", "{SOLO_EXTENSION_VERSION, \"x\", entries, 33, set_up, 0}"));
    WRONG("set_up is NULL", table("set_up", "{SOLO_EXTENSION_VERSION, \"x\", entries, 1, 0, 0}"));
    WRONG("its name, entries", table("name", "{SOLO_EXTENSION_VERSION, 0, entries, 1, set_up, 0}"));
    WRONG("its name, entries", table("entries", "{SOLO_EXTENSION_VERSION, \"x\", 0, 1, set_up, 0}"));
    WRONG("letters, digits and '_'", table("letters", "{SOLO_EXTENSION_VERSION, \"x\", entries, 2, set_up, 0}"));
    WRONG("no exercise", table("exercise", "{SOLO_EXTENSION_VERSION, \"x\", &entries[2], 1, set_up, 0}"));
    CU_ASSERT_EQUAL(VERIFY(table("right", "{SOLO_EXTENSION_VERSION, \"x\", entries, 1, set_up, 0}")), 0);
}

/* Two names of 40 letters: more than a token's scenario name can hold. */
static void test_verify__long_names_have_tokens_too(void)
{
    const char *library =
        table("long", "{SOLO_EXTENSION_VERSION, \"long\", (const struct solo_extension_entry[]){"
                      "{\"an_entry_point_with_a_name_of_40_letters\", SOLO_CONTRACT_REACTOR_ONLY, exercise},"
                      "{\"an_entry_point_with_a_name_of_40_Letters\", SOLO_CONTRACT_ANY_THREAD, exercise}},"
                      " 2, set_up, 0}");
    CU_ASSERT_EQUAL(VERIFY("--schedules", "5", library), 1);
    CU_ASSERT_EQUAL(run_printed_command("an_entry_point_with_a_name_of_40_letters@worker"), 1);
    CU_ASSERT(says(": NOT ENFORCED\n"));
    CU_ASSERT_EQUAL(
        VERIFY("--cell",
               "an_entry_point_with_a_name_of_40_letters@reactor+an_entry_point_with_a_name_of_40_Letters@worker",
               library),
        0);
    CU_ASSERT(says("replay:\n"));
}

void suite_verify(void)
{
    SOLO_SUITE("verify");
    SOLO_TEST(test_verify__an_extension_that_keeps_its_promises_passes);
    SOLO_TEST(test_verify__a_missing_check_is_not_enforced_and_its_command_shows_it);
    SOLO_TEST(test_verify__locks_in_both_orders_are_a_deadlock_and_its_command_shows_it);
    SOLO_TEST(test_verify__a_missing_lock_is_a_race_and_its_command_shows_it);
    SOLO_TEST(test_verify__a_kept_promise_has_no_race_in_it);
    SOLO_TEST(test_verify__both_carriers_judge_alike);
    SOLO_TEST(test_verify__json_has_every_cell_and_its_token);
    SOLO_TEST(test_verify__the_token_of_a_passing_cell_replays_it);
    SOLO_TEST(test_verify__wrong_usage_is_one_line_and_exit_code_2);
    SOLO_TEST(test_verify__a_token_that_does_not_fit_is_one_line_and_exit_code_2);
    SOLO_TEST(test_verify__what_is_no_extension_is_one_line_and_exit_code_2);
    SOLO_TEST(test_verify__a_bad_table_is_one_line_and_exit_code_2);
    SOLO_TEST(test_verify__long_names_have_tokens_too);
}
