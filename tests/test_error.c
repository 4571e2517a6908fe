/* test_error.c - every code in words. */
#include <solo/error.h>
#include "runner.h"
#include <limits.h>
#include <string.h>

static void test_error__every_code_of_the_kit_has_a_name_and_a_text_of_its_own(void)
{
    for (int code = SOLO_EDIVERGED; code <= SOLO_EWRONGTHREAD; code++) {
        CU_ASSERT_EQUAL(strncmp(solo_error_name(code), "SOLO_E", 6), 0);
        CU_ASSERT_STRING_NOT_EQUAL(solo_error_text(code), "unknown error");
        for (int other = SOLO_EDIVERGED; other < code; other++) {
            CU_ASSERT_STRING_NOT_EQUAL(solo_error_name(code), solo_error_name(other));
            CU_ASSERT_STRING_NOT_EQUAL(solo_error_text(code), solo_error_text(other));
        }
    }
    CU_ASSERT_STRING_EQUAL(solo_error_name(SOLO_EWRONGTHREAD), "SOLO_EWRONGTHREAD");
    CU_ASSERT_STRING_EQUAL(solo_error_text(SOLO_EWRONGTHREAD), "the calling thread may not make this call");
}

static void test_error__texts_end_without_a_full_stop(void)
{
    for (int code = SOLO_EDIVERGED; code <= 0; code++) {
        const char *text = solo_error_text(code);
        CU_ASSERT_NOT_EQUAL(text[strlen(text) - 1], '.');
    }
}

static void test_error__errno_values_are_known_by_their_usual_names(void)
{
    CU_ASSERT_STRING_EQUAL(solo_error_name(-EINVAL), "EINVAL");
    CU_ASSERT_STRING_EQUAL(solo_error_name(-ETIMEDOUT), "ETIMEDOUT");
    CU_ASSERT_STRING_EQUAL(solo_error_text(-ENOMEM), "Cannot allocate memory");
}

static void test_error__zero_is_success(void)
{
    CU_ASSERT_STRING_EQUAL(solo_error_text(0), "success");
    CU_ASSERT_STRING_EQUAL(solo_error_name(0), "SOLO_OK");
}

static void test_error__everything_else_is_unknown(void)
{
    static const int codes[] = {1, EINVAL, 2001, -1999, -2000, SOLO_EPOOLFULL - 1, -4095, -4096, INT_MIN, INT_MAX};
    for (unsigned i = 0; i < sizeof codes / sizeof codes[0]; i++) {
        CU_ASSERT_STRING_EQUAL(solo_error_text(codes[i]), "unknown error");
        CU_ASSERT_STRING_EQUAL(solo_error_name(codes[i]), "?");
    }
}

void suite_error(void)
{
    SOLO_SUITE("error");
    SOLO_TEST(test_error__every_code_of_the_kit_has_a_name_and_a_text_of_its_own);
    SOLO_TEST(test_error__texts_end_without_a_full_stop);
    SOLO_TEST(test_error__errno_values_are_known_by_their_usual_names);
    SOLO_TEST(test_error__zero_is_success);
    SOLO_TEST(test_error__everything_else_is_unknown);
}
