/*
 * test_deps.c - `.ci/deps` asks dpkg first and installs only what is missing. dpkg-query, apt-get, id and sudo are
 * fakes.
 */
#include "support.h"
#include <string.h>

static struct runner_output output;

/*
 * Fakes in front of the path: every package but those in `missing` is installed; what apt-get is asked goes to a file.
 */
static void run_deps(const char *missing, const char *user, const char *arguments)
{
    support_write_script("bin/dpkg-query",
                         "#!/bin/bash\n"
                         "for package in \"${@:4}\"; do\n"
                         "    case \" $MISSING \" in *\" $package \"*) ;; *) echo \"installed $package\" ;; esac\n"
                         "done\n"
                         "[ -z \"$MISSING\" ]\n");
    support_write_script("bin/apt-get", "#!/bin/bash\n"
                                        "echo \"apt-get $*\" >> \"$ASKED\"\n"
                                        "[ \"$APT\" != broken ] || { echo 'no network'; exit 100; }\n");
    support_write_script("bin/sudo", "#!/bin/bash\necho sudo >> \"$ASKED\"\nexec \"$@\"\n");
    support_write_script("bin/id", "#!/bin/bash\necho $USER_ID\n");
    support_write_file("asked", "");
    support_shell(&output, "MISSING='%s' USER_ID=%s ASKED=%s PATH=%s:$PATH %s .ci/deps %s", missing, user,
                  runner_scratch_path("asked"), runner_scratch_path("bin"),
                  strcmp(user, "nobody-to-ask") == 0 ? "APT=broken" : "", arguments);
}

static const char *asked(void)
{
    return support_read_file(runner_scratch_path("asked"));
}

static void test_deps__nothing_missing_asks_nobody(void)
{
    run_deps("", "0", "build test check");
    CU_ASSERT_EQUAL(output.status, 0);
    CU_ASSERT(strstr(output.text, "nothing to do") != NULL);
    CU_ASSERT_STRING_EQUAL(asked(), "");
    run_deps("", "0", "--quiet build");
    CU_ASSERT_STRING_EQUAL(output.text, "");
}

static void test_deps__only_what_is_missing_is_installed(void)
{
    run_deps("libjansson-dev valgrind", "0", "build");
    CU_ASSERT_EQUAL(output.status, 0);
    CU_ASSERT(strstr(output.text, "deps: installing with apt-get: libjansson-dev\n") != NULL);
    CU_ASSERT(strstr(asked(), " libjansson-dev\n") != NULL);
    CU_ASSERT(strstr(asked(), "gcc") == NULL);
    CU_ASSERT(strstr(asked(), "valgrind") == NULL); /* not in the set asked for */
    CU_ASSERT(strstr(asked(), "sudo") == NULL);
}

static void test_deps__sudo_only_when_not_root(void)
{
    run_deps("libjansson-dev", "1000", "build");
    CU_ASSERT_EQUAL(output.status, 0);
    CU_ASSERT(strncmp(asked(), "sudo\napt-get install", 20) == 0);
}

static void test_deps__failed_installation_says_why_and_fails(void)
{
    run_deps("libjansson-dev", "nobody-to-ask", "build");
    CU_ASSERT_EQUAL(output.status, 1);
    CU_ASSERT(strstr(output.text, "apt-get failed") != NULL);
    CU_ASSERT(strstr(asked(), "apt-get update") != NULL); /* the lists may have been too old: it tried again */
}

static void test_deps__unknown_set_is_usage_error(void)
{
    run_deps("", "0", "nonsense");
    CU_ASSERT_EQUAL(output.status, 2);
    CU_ASSERT_EQUAL(support_count(output.text, "\n"), 1);
}

void suite_deps(void)
{
    SOLO_SUITE("deps");
    SOLO_TEST(test_deps__nothing_missing_asks_nobody);
    SOLO_TEST(test_deps__only_what_is_missing_is_installed);
    SOLO_TEST(test_deps__sudo_only_when_not_root);
    SOLO_TEST(test_deps__failed_installation_says_why_and_fails);
    SOLO_TEST(test_deps__unknown_set_is_usage_error);
}
