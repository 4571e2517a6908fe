/*
 * test_emit.c - a token written as a CUnit test: it compiles, fails as long as the defect is there, and passes after
 * it.
 */
#include "support.h"
#include <string.h>

static struct runner_output output;
static char token[4096];

static const char *solo(void)
{
    return runner_build_path("bin/solo");
}

static void find_token(const char *options, const char *program)
{
    support_shell(&output, "%s explore --first %s -- %s | grep -o 'solo1\\.[^ ]*' | head -1", solo(), options, program);
    output.text[strcspn(output.text, "\n")] = '\0';
    CU_ASSERT_EQUAL_FATAL(strncmp(output.text, "solo1.", 6), 0);
    strcpy(token, output.text);
}

static void emit(const char *options, const char *program)
{
    support_shell(&output, "%s replay %s --emit-test %s %s -- %s", solo(), token, runner_scratch_path("test.c"),
                  options, program);
    CU_ASSERT_EQUAL_FATAL(output.status, 1);
}

static void compile(void)
{
    const char *libraries = runner_build_path("lib");
    support_shell(
        &output,
        "cc -std=c11 -Wall -Wextra -Werror -Ireactor/include -Iharness/include %s -o %s -L%s -lsolo-harness -lsolo "
        "-lcunit -Wl,-rpath,$(realpath %s)",
        runner_scratch_path("test.c"), runner_scratch_path("test"), libraries, libraries);
    printf("%s", output.text);
    CU_ASSERT_EQUAL_FATAL(output.status, 0);
}

static int run_test(const char *program)
{
    support_shell(&output, "%s %s", runner_scratch_path("test"), program);
    return output.status;
}

/* Libraries of the sanitizers' flavours cannot be linked into a plain program. */
static bool can_link(void)
{
#if defined(SOLO_ASAN) || defined(SOLO_TSAN)
    return false;
#else
    return true;
#endif
}

static void test_emit__the_test_fails_with_the_defect_and_passes_without_it(void)
{
    if (!can_link()) {
        SOLO_SKIP("the libraries need a sanitizer's runtime");
    }
    char options[512], broken[512], fixed[512];
    (void)snprintf(options, sizeof options, "--peer lessons/01_wrong_thread/peers.txt --policy report");
    (void)snprintf(broken, sizeof broken, "%s", runner_build_path("lessons/01_wrong_thread/broken"));
    (void)snprintf(fixed, sizeof fixed, "%s/broken", runner_scratch_path("fixed"));
    find_token(options, broken);
    emit(options, broken);
    compile();
    CU_ASSERT_EQUAL(run_test(""), 1);
    CU_ASSERT_PTR_NOT_NULL(strstr(output.text, "reactor-only"));
    /* A token belongs to a program by its name. */
    support_shell(&output, "mkdir -p %s && cp %s %s", runner_scratch_path("fixed"),
                  runner_build_path("lessons/01_wrong_thread/fixed"), fixed);
    char libraries[512];
    (void)snprintf(libraries, sizeof libraries, "%s", runner_build_path("lib"));
    support_shell(&output, "LD_LIBRARY_PATH=%s %s %s", libraries, runner_scratch_path("test"), fixed);
    CU_ASSERT_EQUAL(output.status, 0);
    if (output.status != 0) {
        printf("%s", output.text);
    }
}

static void test_emit__arguments_and_checks_of_the_program_are_kept(void)
{
    if (!can_link()) {
        SOLO_SKIP("the libraries need a sanitizer's runtime");
    }
    char program[512];
    (void)snprintf(program, sizeof program, "%s exit 'a \"quoted\" ?\?) \\word'",
                   runner_build_path("tests/programs/misbehave"));
    find_token("", program);
    emit("", program);
    compile();
    CU_ASSERT_EQUAL(run_test(""), 1);
    CU_ASSERT_PTR_NOT_NULL(strstr(output.text, "the program exited with status 3"));
}

static void test_emit__a_test_of_a_program_that_reads_gives_it_the_file(void)
{
    if (!can_link()) {
        SOLO_SKIP("the libraries need a sanitizer's runtime");
    }
    char program[1024];
    support_shell(&output, "printf 'one\\ntwo\\n' > %s", runner_scratch_path("words"));
    (void)snprintf(program, sizeof program, "%s < %s", runner_build_path("tests/plain/reads"),
                   runner_scratch_path("words"));
    find_token("", program);
    emit("", program);
    compile();
    CU_ASSERT_EQUAL(run_test("< /dev/null"), 1);
    CU_ASSERT_PTR_NOT_NULL(strstr(output.text, "the program exited with status 7"));
    support_shell(&output, "rm %s", runner_scratch_path("words"));
    CU_ASSERT_EQUAL(run_test("< /dev/null"), 2);
}

static void test_emit__a_schedule_without_a_finding_is_no_test(void)
{
    char program[512];
    (void)snprintf(program, sizeof program, "%s nothing", runner_build_path("tests/programs/misbehave"));
    support_shell(&output, "%s run --world sim -- %s | grep -o 'solo1\\.[^ ]*' | head -1", solo(), program);
    output.text[strcspn(output.text, "\n")] = '\0';
    strcpy(token, output.text);
    support_shell(&output, "%s replay %s --emit-test %s -- %s", solo(), token, runner_scratch_path("test.c"), program);
    CU_ASSERT_EQUAL(output.status, 2);
    CU_ASSERT_PTR_NOT_NULL(strstr(output.text, "nothing was found in this schedule"));
}

static void test_emit__a_file_that_cannot_be_written_is_said(void)
{
    char program[512];
    (void)snprintf(program, sizeof program, "%s exit", runner_build_path("tests/programs/misbehave"));
    find_token("", program);
    support_shell(&output, "%s replay %s --emit-test /nonexistent/test.c -- %s 2>&1 >/dev/null", solo(), token,
                  program);
    CU_ASSERT_EQUAL(output.status, 2);
    CU_ASSERT_EQUAL(support_count(output.text, "\n"), 1);
    CU_ASSERT_PTR_NOT_NULL(strstr(output.text, "/nonexistent/test.c cannot be written: No such file or directory"));
}

void suite_emit(void)
{
    SOLO_SUITE("emit");
    SOLO_TEST(test_emit__the_test_fails_with_the_defect_and_passes_without_it);
    SOLO_TEST(test_emit__arguments_and_checks_of_the_program_are_kept);
    SOLO_TEST(test_emit__a_test_of_a_program_that_reads_gives_it_the_file);
    SOLO_TEST(test_emit__a_schedule_without_a_finding_is_no_test);
    SOLO_TEST(test_emit__a_file_that_cannot_be_written_is_said);
}
