/* test_candidates.c - in which order the addresses of a name are tried. */
#include "candidates.h"
#include "runner.h"
#include <string.h>

/* The order as text: 'a' for the first IPv4 address, 'b' for the second; 'A', 'B' for those of IPv6. */
static void check_order(size_t count, size_t count6, const char *order)
{
    struct solo__candidates candidates = {.addresses = {.count = count, .count6 = count6}, .port = 80};
    for (unsigned char i = 0; i < SOLO_ADDRESSES_MAX; i++) {
        candidates.addresses.addresses[i] = i;
        candidates.addresses.addresses6[i][15] = i;
    }
    for (const char *at = order; *at != '\0'; at++) {
        CU_ASSERT_EQUAL_FATAL(solo__candidates_left(&candidates), strlen(at));
        struct solo_address address = solo__candidates_next(&candidates);
        bool is_six = *at >= 'A' && *at <= 'Z';
        CU_ASSERT_EQUAL(address.family, is_six ? SOLO_INET6 : SOLO_INET);
        CU_ASSERT_EQUAL(address.port, 80);
        CU_ASSERT_EQUAL(is_six ? address.host6[15] : address.host, (unsigned)(*at - (is_six ? 'A' : 'a')));
    }
    CU_ASSERT_EQUAL(solo__candidates_left(&candidates), 0);
}

static void test_candidates__families_take_turns_and_each_keeps_its_order(void)
{
    check_order(0, 0, "");
    check_order(1, 0, "a");
    check_order(3, 0, "abc");
    check_order(0, 2, "AB");
    check_order(1, 1, "Aa");
    check_order(3, 1, "Aabc");
    check_order(1, 3, "AaBC");
    check_order(2, 2, "AaBb");
}

static void test_candidates__all_that_a_name_can_have_are_tried(void)
{
    struct solo__candidates candidates = {.addresses = {.count = SOLO_ADDRESSES_MAX, .count6 = SOLO_ADDRESSES_MAX},
                                          .port = 1};
    unsigned tried = 0;
    for (; solo__candidates_left(&candidates) > 0; tried++) {
        (void)solo__candidates_next(&candidates);
    }
    CU_ASSERT_EQUAL(tried, 2 * SOLO_ADDRESSES_MAX);
}

void suite_candidates(void)
{
    SOLO_SUITE("candidates");
    SOLO_TEST(test_candidates__families_take_turns_and_each_keeps_its_order);
    SOLO_TEST(test_candidates__all_that_a_name_can_have_are_tried);
}
