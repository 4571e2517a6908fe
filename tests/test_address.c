/* test_address.c - addresses from and to text. */
#include "runner.h"
#include <solo/address.h>
#include <string.h>

static void reads_back(const char *host, uint16_t port, const char *text)
{
    struct solo_address address;
    char back[SOLO_ADDRESS_TEXT_MAX];
    CU_ASSERT_EQUAL(solo_address_inet(host, port, &address), 0);
    CU_ASSERT_EQUAL(solo_address_text(&address, back, sizeof back), (int)strlen(text));
    CU_ASSERT_STRING_EQUAL(back, text);
}

static void test_address__an_ipv4_literal_is_read_and_written(void)
{
    struct solo_address address;
    CU_ASSERT_EQUAL(solo_address_inet("127.0.0.1", 80, &address), 0);
    CU_ASSERT_EQUAL(address.family, SOLO_INET);
    CU_ASSERT_EQUAL(address.host, SOLO_LOOPBACK);
    CU_ASSERT_EQUAL(address.port, 80);
    reads_back("0.0.0.0", 0, "0.0.0.0:0");
    reads_back("255.255.255.255", 65535, "255.255.255.255:65535");
    reads_back("10.20.30.40", 7, "10.20.30.40:7");
}

static void test_address__anything_else_is_refused(void)
{
    static const char *const wrong[] = {"",          "1",         "1.2.3",      "1.2.3.",    "1.2.3.4.",
                                        "1.2.3.4.5", "256.0.0.1", "1..2.3",     "a.b.c.d",   "1.2.3.4 ",
                                        " 1.2.3.4",  "-1.2.3.4",  "0001.2.3.4", "localhost", "::1"};
    struct solo_address address = {.port = 9};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        CU_ASSERT_EQUAL(solo_address_inet(wrong[i], 80, &address), -EINVAL);
    }
    CU_ASSERT_EQUAL(solo_address_inet(NULL, 80, &address), -EINVAL);
    CU_ASSERT_EQUAL(solo_address_inet("1.2.3.4", 80, NULL), -EINVAL);
    CU_ASSERT_EQUAL(address.port, 9); /* untouched */
}

static void reads_back6(const char *host, uint16_t port, const char *text)
{
    struct solo_address address, again;
    char back[SOLO_ADDRESS_TEXT_MAX];
    CU_ASSERT_EQUAL_FATAL(solo_address_inet6(host, port, &address), 0);
    CU_ASSERT_EQUAL(address.family, SOLO_INET6);
    CU_ASSERT_EQUAL(solo_address_text(&address, back, sizeof back), (int)strlen(text));
    CU_ASSERT_STRING_EQUAL(back, text);
    CU_ASSERT_EQUAL(solo_address_parse(text, &again), 0);
    CU_ASSERT_EQUAL(memcmp(&again, &address, sizeof again), 0);
}

static void test_address__an_ipv6_literal_is_read_and_written(void)
{
    static const char *const wrong[] = {
        "",       ":",  ":::",     "1::2::3",   "12345::", "::g",       "127.0.0.1",         "[::1",         "::1]",
        "[::1]x", "[]", "[[::1]]", "fe80::1%2", "::1 ",    "localhost", "1:2:3:4:5:6:7:8:9", "1:2:3:4:5:6:7"};
    struct solo_address address = {.port = 9};
    reads_back6("::1", 80, "[::1]:80");
    reads_back6("[::1]", 80, "[::1]:80");
    reads_back6("::", 0, "[::]:0");
    reads_back6("2001:DB8:0:0:0:0:0:1", 65535, "[2001:db8::1]:65535");
    reads_back6("::ffff:10.0.0.1", 1, "[::ffff:10.0.0.1]:1");
    reads_back6("1:2:3:4:5:6:7:8", 1, "[1:2:3:4:5:6:7:8]:1");
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        CU_ASSERT_EQUAL(solo_address_inet6(wrong[i], 80, &address), -EINVAL);
    }
    CU_ASSERT_EQUAL(solo_address_inet6(NULL, 80, &address), -EINVAL);
    CU_ASSERT_EQUAL(solo_address_inet6("::1", 80, NULL), -EINVAL);
    CU_ASSERT_EQUAL(address.port, 9); /* untouched */
}

static void test_address__text_is_read_as_it_is_written(void)
{
    static const char *const right[] = {"127.0.0.1:80", "0.0.0.0:0", "[::1]:65535", "unix:/run/chat"};
    static const char *const wrong[] = {
        "",       "127.0.0.1",    "127.0.0.1:", "127.0.0.1:65536", "127.0.0.1:1x",     "::1:80", "[::1]",
        "[::1]:", "127.0.0.1:-1", ":80",        "localhost:80",    "127.0.0.1:000080", "unix:"};
    struct solo_address address = {.port = 9};
    char text[SOLO_ADDRESS_TEXT_MAX];
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        CU_ASSERT_EQUAL(solo_address_parse(wrong[i], &address), -EINVAL);
    }
    CU_ASSERT_EQUAL(address.port, 9);
    for (size_t i = 0; i < sizeof right / sizeof *right; i++) {
        CU_ASSERT_EQUAL(solo_address_parse(right[i], &address), 0);
        CU_ASSERT_EQUAL(solo_address_text(&address, text, sizeof text), (int)strlen(right[i]));
        CU_ASSERT_STRING_EQUAL(text, right[i]);
    }
    CU_ASSERT_EQUAL(solo_address_parse(NULL, &address), -EINVAL);
    CU_ASSERT_EQUAL(solo_address_parse("[::1]:1", NULL), -EINVAL);
}

static void test_address__a_unix_name_has_at_most_107_bytes(void)
{
    struct solo_address address;
    char path[SOLO_ADDRESS_PATH_MAX + 2], text[SOLO_ADDRESS_TEXT_MAX];
    memset(path, 'p', sizeof path);
    path[SOLO_ADDRESS_PATH_MAX + 1] = '\0';
    CU_ASSERT_EQUAL(solo_address_unix(path, &address), -ENAMETOOLONG);
    path[SOLO_ADDRESS_PATH_MAX] = '\0';
    CU_ASSERT_EQUAL(solo_address_unix(path, &address), 0);
    CU_ASSERT_EQUAL(address.family, SOLO_UNIX);
    CU_ASSERT_STRING_EQUAL(address.path, path);
    CU_ASSERT_EQUAL(solo_address_text(&address, text, sizeof text), SOLO_ADDRESS_PATH_MAX + 5);
    CU_ASSERT_EQUAL(solo_address_unix("", &address), -EINVAL);
    CU_ASSERT_EQUAL(solo_address_unix(NULL, &address), -EINVAL);
    CU_ASSERT_EQUAL(solo_address_unix("x", NULL), -EINVAL);
}

static void test_address__text_is_cut_to_fit(void)
{
    struct solo_address address = {.family = SOLO_UNIX};
    char text[8] = "";
    CU_ASSERT_EQUAL(solo_address_text(&address, text, sizeof text), 5);
    CU_ASSERT_STRING_EQUAL(text, "unix:");
    CU_ASSERT_EQUAL(solo_address_inet("127.0.0.1", 80, &address), 0);
    CU_ASSERT_EQUAL(solo_address_text(&address, text, sizeof text), 12);
    CU_ASSERT_STRING_EQUAL(text, "127.0.0");
    CU_ASSERT_EQUAL(solo_address_text(&address, text, 0), -EINVAL);
    CU_ASSERT_EQUAL(solo_address_text(NULL, text, sizeof text), -EINVAL);
    address.family = SOLO_FAMILY_NONE;
    CU_ASSERT_EQUAL(solo_address_text(&address, text, sizeof text), -EINVAL);
}

void suite_address(void)
{
    SOLO_SUITE("address");
    SOLO_TEST(test_address__an_ipv4_literal_is_read_and_written);
    SOLO_TEST(test_address__anything_else_is_refused);
    SOLO_TEST(test_address__an_ipv6_literal_is_read_and_written);
    SOLO_TEST(test_address__text_is_read_as_it_is_written);
    SOLO_TEST(test_address__a_unix_name_has_at_most_107_bytes);
    SOLO_TEST(test_address__text_is_cut_to_fit);
}
