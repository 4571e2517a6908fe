/* test_beside.c - two schedules side by side, from where they part. */
#include "support.h"
#include <string.h>

static struct runner_output output;
static char failing[512], passing[512];

static const char *solo(void)
{
    return runner_build_path("bin/solo");
}

static const char *program(void)
{
    return runner_build_path("tests/programs/misbehave");
}

static void first_token(const char *command, char *token)
{
    support_shell(&output, "%s %s %s exit | grep -o 'solo1\\.[^ ]*' | head -1", solo(), command, program());
    output.text[strcspn(output.text, "\n")] = '\0';
    CU_ASSERT_EQUAL_FATAL(strncmp(output.text, "solo1.", 6), 0);
    strcpy(token, output.text);
}

static void set_up(void)
{
    first_token("explore --first", failing);
    first_token("run --world sim", passing);
}

static void test_beside__two_schedules_are_printed_from_where_they_part(void)
{
    set_up();
    support_shell(&output, "%s replay %s --beside %s %s exit", solo(), failing, passing, program());
    CU_ASSERT_EQUAL(output.status, 1);
    CU_ASSERT_EQUAL(strncmp(output.text, "this schedule ", 14), 0);
    CU_ASSERT_PTR_NOT_NULL(strstr(output.text, "  the other one\n"));
    CU_ASSERT_PTR_NOT_NULL(strstr(output.text, " steps alike)\n"));
    const char *parting = strstr(output.text, " | ");
    CU_ASSERT_PTR_NOT_NULL_FATAL(parting);
    CU_ASSERT_PTR_NOT_NULL(strstr(parting, " has ended")); /* the report follows */
    CU_ASSERT_PTR_NOT_NULL(strstr(parting, "thread-begin thread#3"));
}

static void test_beside__explore_prints_the_nearest_passing_schedule_beside_what_fails_in_short(void)
{
    support_shell(&output, "%s explore --schedules 50 %s exit", solo(), program());
    CU_ASSERT_EQUAL(output.status, 1);
    const char *beside = strstr(output.text, "\nthis schedule ");
    CU_ASSERT_PTR_NOT_NULL_FATAL(beside);
    CU_ASSERT_PTR_NOT_NULL(strstr(beside, "  the nearest one that passes\n"));
    CU_ASSERT_PTR_NOT_NULL(strstr(beside, " steps alike)\n"));
    const char *parting = strstr(beside, " | ");
    const char *verdict = strstr(beside, "\nverdict: ");
    CU_ASSERT_PTR_NOT_NULL_FATAL(parting);
    CU_ASSERT_PTR_NOT_NULL_FATAL(verdict);
    CU_ASSERT(parting < verdict);
    CU_ASSERT_PTR_NULL(strstr(beside, "wake-sent"));
    unsigned lines = 0;
    for (const char *c = beside + 1; c < verdict; c++) {
        lines += *c == '\n';
    }
    CU_ASSERT(lines <= 16);
    support_shell(&output, "%s explore --schedules 50 %s nothing", solo(), program());
    CU_ASSERT_PTR_NULL(strstr(output.text, "\nthis schedule "));
}

static void test_beside__a_schedule_does_not_part_from_itself(void)
{
    set_up();
    support_shell(&output, "%s replay %s --beside %s %s exit", solo(), passing, passing, program());
    CU_ASSERT_EQUAL(output.status, 0);
    CU_ASSERT_PTR_NULL(strstr(output.text, " | "));
}

static void test_beside__a_token_that_is_none_is_refused(void)
{
    set_up();
    support_shell(&output, "%s replay %s --beside abc %s exit", solo(), failing, program());
    CU_ASSERT_EQUAL(output.status, 2);
    CU_ASSERT_EQUAL(support_count(output.text, "\n"), 1);
}

void suite_beside(void)
{
    SOLO_SUITE("beside");
    SOLO_TEST(test_beside__two_schedules_are_printed_from_where_they_part);
    SOLO_TEST(test_beside__explore_prints_the_nearest_passing_schedule_beside_what_fails_in_short);
    SOLO_TEST(test_beside__a_schedule_does_not_part_from_itself);
    SOLO_TEST(test_beside__a_token_that_is_none_is_refused);
}
