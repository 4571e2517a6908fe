/*
 * test_check.c - every rule of `make check` passes a tree that keeps it and names the offence in one that does not.
 *
 * Each test plants a small tree in its scratch folder and runs one rule on it.
 */
#include "support.h"
#include <string.h>

static struct runner_output output;

static int run_rule(const char *rule)
{
    const char *tree = runner_scratch_path("tree");
    support_shell(&output, "BUILD=%s/build TREE=%s tests/check/run %s", tree, tree, rule);
    return output.status;
}

static bool said(const char *text)
{
    return strstr(output.text, text) != NULL;
}

static void plant_good_tree(void)
{
    support_write_file("tree/reactor/include/solo/contract.h",
                       "/* contract.h - words. */\n"
                       "#ifndef SOLO_CONTRACT_H\n#define SOLO_CONTRACT_H\n"
                       "#define SOLO_ANY_THREAD\n"
                       "#define SOLO_PUBLIC __attribute__((visibility(\"default\")))\n"
                       "#endif\n");
    support_write_file("tree/reactor/include/solo/good.h",
                       "/* good.h - good. */\n#ifndef SOLO_GOOD_H\n#define SOLO_GOOD_H\n#include <solo/contract.h>\n"
                       "#ifdef __cplusplus\nextern \"C\" {\n#endif\n\n"
                       "/* Returns its argument. */\nSOLO_ANY_THREAD SOLO_PUBLIC int solo_good(int number);\n\n"
                       "#ifdef __cplusplus\n}\n#endif\n#endif\n");
    support_write_file("tree/reactor/good.c", "#include \"good_private.h\"\n#include <solo/good.h>\n"
                                              "int solo_good(int number)\n{\n    return number;\n}\n");
    support_write_file("tree/reactor/good_private.h", "/* Nothing yet. */\n");
    support_write_file("tree/harness/good.c", "#include <solo/good.h>\n");
    support_write_file("tree/lessons/01/good.c", "#include <solo/good.h>\n");
    support_write_file("tree/reactor/allowed_symbols.txt", "memcpy # pure\nputs report.c # prints\n");
}

static void build_planted_tree(void)
{
    const char *tree = runner_scratch_path("tree");
    support_shell(
        &output,
        "cd %s && mkdir -p build/obj/reactor build/lib && for source in reactor/*.c; do"
        "  gcc -fvisibility=hidden -fPIC -O1 -Ireactor/include -c -o build/obj/${source%%.c}.o $source || exit; done &&"
        "  gcc -shared -o build/lib/libsolo.so build/obj/reactor/*.o && gcc -shared -o build/lib/libsolo-harness.so -x "
        "c /dev/null",
        tree);
    CU_ASSERT_EQUAL_FATAL(output.status, 0);
}

static void test_check__good_tree_keeps_every_rule(void)
{
    plant_good_tree();
    build_planted_tree();
    CU_ASSERT_EQUAL(run_rule("layers door headers exported text"), 0);
    CU_ASSERT(said("check: 5 of 5 rules hold"));
    fputs(output.text, stdout);
}

static void test_check__header_that_needs_another_is_named(void)
{
    plant_good_tree();
    support_write_file("tree/reactor/include/solo/bad.h", "size_t solo_bad(void);\n");
    CU_ASSERT_EQUAL(run_rule("headers"), 1);
    CU_ASSERT(said("reactor/include/solo/bad.h: not with gcc -std=c11"));
    CU_ASSERT(said("reactor/include/solo/bad.h: not with clang -std=c++17"));
    CU_ASSERT(!said("good.h"));
}

static void test_check__private_header_of_reactor_in_harness_is_named(void)
{
    plant_good_tree();
    support_write_file("tree/harness/bad.c", "#include <stdio.h>\n#include \"good_private.h\"\n");
    CU_ASSERT_EQUAL(run_rule("layers"), 1);
    CU_ASSERT(said("harness/bad.c:2:"));
    support_write_file("tree/harness/bad.c", "#include \"../reactor/good_private.h\"\n");
    CU_ASSERT_EQUAL(run_rule("layers"), 1);
    CU_ASSERT(said("harness/bad.c:1:"));
}

static void test_check__leaf_header_that_needs_more_is_named(void)
{
    plant_good_tree();
    support_write_file("tree/reactor/include/solo/probe.h", "#include <solo/good.h>\n");
    CU_ASSERT_EQUAL(run_rule("layers"), 1);
    CU_ASSERT(said("solo/probe.h:1: includes <solo/good.h: a leaf header includes only leaf headers"));
}

static void test_check__reactor_that_needs_harness_is_named(void)
{
    plant_good_tree();
    support_write_file("tree/harness/include/solo/explore.h", "");
    support_write_file("tree/reactor/bad.c", "#include <solo/explore.h>\n");
    CU_ASSERT_EQUAL(run_rule("layers"), 1);
    CU_ASSERT(said("reactor/bad.c:1:"));
}

static void test_check__lesson_with_a_private_header_is_named(void)
{
    plant_good_tree();
    support_write_file("tree/lessons/01/bad.c", "#include \"good_private.h\"\n");
    CU_ASSERT_EQUAL(run_rule("layers"), 1);
    CU_ASSERT(said("lessons/01/bad.c:1:"));
}

static void test_check__engine_that_asks_the_system_is_named(void)
{
    plant_good_tree();
    support_write_file("tree/reactor/bad.c", "#include <stdlib.h>\nint bad(void);\nint bad(void) { return rand(); }\n");
    build_planted_tree();
    CU_ASSERT_EQUAL(run_rule("door"), 1);
    CU_ASSERT(said("reactor/bad.c: needs rand, which the world does not give"));
}

static void test_check__allowed_symbol_is_allowed_only_where_it_says(void)
{
    plant_good_tree();
    support_write_file("tree/reactor/report.c",
                       "#include <stdio.h>\nint report(void);\nint report(void) { return puts(\"x\"); }\n");
    build_planted_tree();
    CU_ASSERT_EQUAL(run_rule("door"), 0);
    support_write_file("tree/reactor/other.c",
                       "#include <stdio.h>\nint other(void);\nint other(void) { return puts(\"x\"); }\n");
    build_planted_tree();
    CU_ASSERT_EQUAL(run_rule("door"), 1);
    CU_ASSERT(said("reactor/other.c: needs puts"));
    CU_ASSERT(!said("reactor/report.c"));
}

static void test_check__worlds_may_ask_the_system(void)
{
    plant_good_tree();
    support_write_file("tree/reactor/world_os_x.c",
                       "#include <stdlib.h>\nint x(void);\nint x(void) { return rand(); }\n");
    build_planted_tree();
    CU_ASSERT_EQUAL(run_rule("door"), 0);
}

static void test_check__export_without_a_contract_is_named(void)
{
    plant_good_tree();
    support_write_file("tree/reactor/bad.c", "__attribute__((visibility(\"default\"))) int solo_secret(void);\n"
                                             "int solo_secret(void)\n{\n    return 1;\n}\n");
    build_planted_tree();
    CU_ASSERT_EQUAL(run_rule("exported"), 1);
    CU_ASSERT(said("exports solo_secret, which no public header declares with a contract"));
}

static void test_check__function_without_a_comment_is_named(void)
{
    plant_good_tree();
    support_write_file("tree/reactor/include/solo/bad.h", "/* bad.h - bad. */\n#include <solo/contract.h>\n\n"
                                                          "SOLO_ANY_THREAD SOLO_PUBLIC int solo_bad(void);\n");
    support_write_file("tree/reactor/bad.c", "#include <solo/bad.h>\nint solo_bad(void)\n{\n    return 1;\n}\n");
    build_planted_tree();
    CU_ASSERT_EQUAL(run_rule("exported"), 1);
    CU_ASSERT(said("solo/bad.h: solo_bad has no comment"));
}

static void test_check__promised_function_that_is_not_there_is_named(void)
{
    plant_good_tree();
    support_write_file("tree/reactor/include/solo/bad.h",
                       "/* bad.h - bad. */\n#include <solo/contract.h>\n\n"
                       "/* Says. */\nSOLO_ANY_THREAD SOLO_PUBLIC int solo_bad(void);\n");
    build_planted_tree();
    CU_ASSERT_EQUAL(run_rule("exported"), 1);
    CU_ASSERT(said("solo_bad: declared in a public header, exported by no library"));
}

static void test_check__unfinished_work_and_long_lines_are_named(void)
{
    char line[200];
    plant_good_tree();
    memset(line, 'x', sizeof line);
    memcpy(line + sizeof line - 2, "\n", 2);
    support_write_file("tree/reactor/unfinished.c", "/* TO"
                                                    "DO: think */\n");
    support_write_file("tree/reactor/long.c", line);
    support_write_file("tree/reactor/tab.c", "\tint x;\n");
    support_write_file("tree/reactor/end.c", "int x;");
    CU_ASSERT_EQUAL(run_rule("text"), 1);
    CU_ASSERT(said("reactor/unfinished.c:1:"));
    CU_ASSERT(said("reactor/long.c:1: 198 columns"));
    CU_ASSERT(said("reactor/tab.c:1:"));
    CU_ASSERT(said("reactor/end.c: no newline at its end"));
}

static void test_check__unknown_rule_is_usage_error(void)
{
    plant_good_tree();
    CU_ASSERT_EQUAL(run_rule("nonsense"), 2);
    CU_ASSERT_EQUAL(support_count(output.text, "\n"), 1);
}

static void test_check__behaviour_whose_test_is_missing_is_named(void)
{
    plant_good_tree();
    support_write_file("tree/tests/test_duck.c", "static void test_duck__floats(void)\n{\n}\n");
    support_write_file("tree/docs/behaviours/ducks.md", "| D1 | floats | same | test_duck__floats |\n");
    CU_ASSERT_EQUAL(run_rule("behaviours"), 0);
    support_write_file("tree/docs/behaviours/ducks.md",
                       "| D1 | floats | same | test_duck__floats |\n| D2 | dives | same | test_duck__dives |\n");
    CU_ASSERT_EQUAL(run_rule("behaviours"), 1);
    CU_ASSERT(said("docs/behaviours/ducks.md:2: there is no test_duck__dives\n"));
    CU_ASSERT(!said("test_duck__floats"));
}

static void test_check__behaviour_without_a_row_or_without_a_test_is_named(void)
{
    plant_good_tree();
    support_write_file("tree/tests/test_duck.c", "static void test_duck__floats(void)\n{\n}\n");
    support_write_file("tree/docs/behaviours/README.md", "| D | ducks | 2 | ducks.md |\n");
    support_write_file("tree/docs/behaviours/ducks.md", "| D1 | floats | same | test_duck__floats |\n"
                                                        "| D2 | lays golden eggs | not applicable: a duck | |\n");
    CU_ASSERT_EQUAL(run_rule("behaviours"), 0);
    support_write_file("tree/docs/behaviours/ducks.md", "| D1 | floats | same | |\n");
    CU_ASSERT_EQUAL(run_rule("behaviours"), 1);
    CU_ASSERT(said("docs/behaviours/ducks.md:1: | D1 names no test\n"));
    CU_ASSERT(said("D2 has 0 rows\n"));
    CU_ASSERT(!said("D1 has"));
}

void suite_check(void)
{
    SOLO_SUITE("check");
    SOLO_TEST(test_check__good_tree_keeps_every_rule);
    SOLO_TEST(test_check__header_that_needs_another_is_named);
    SOLO_TEST(test_check__private_header_of_reactor_in_harness_is_named);
    SOLO_TEST(test_check__leaf_header_that_needs_more_is_named);
    SOLO_TEST(test_check__reactor_that_needs_harness_is_named);
    SOLO_TEST(test_check__lesson_with_a_private_header_is_named);
    SOLO_TEST(test_check__engine_that_asks_the_system_is_named);
    SOLO_TEST(test_check__allowed_symbol_is_allowed_only_where_it_says);
    SOLO_TEST(test_check__worlds_may_ask_the_system);
    SOLO_TEST(test_check__export_without_a_contract_is_named);
    SOLO_TEST(test_check__function_without_a_comment_is_named);
    SOLO_TEST(test_check__promised_function_that_is_not_there_is_named);
    SOLO_TEST(test_check__unfinished_work_and_long_lines_are_named);
    SOLO_TEST(test_check__unknown_rule_is_usage_error);
    SOLO_TEST(test_check__behaviour_whose_test_is_missing_is_named);
    SOLO_TEST(test_check__behaviour_without_a_row_or_without_a_test_is_named);
}
