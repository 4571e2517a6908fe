/*
 * test_docs.c - what is made from the public headers: reference pages and man pages; and how long comments are wrapped.
 */
#include "support.h"
#include <string.h>

static struct runner_output output;

static const char header[] =
    "/*\n"
    " * pond.h - a pond of ducks.\n"
    " *\n"
    " * Ducks float. See\n"
    " *\n"
    " *     solo_duck_float(duck);\n"
    " */\n"
    "#ifndef SOLO_POND_H\n"
    "#define SOLO_POND_H\n"
    "#include <solo/contract.h>\n"
    "#ifdef __cplusplus\n"
    "extern \"C\" {\n"
    "#endif\n"
    "\n"
    "/* ---- Ducks ---- */\n"
    "\n"
    "/* One duck. */\n"
    "struct solo_duck {\n"
    "    int feathers; /* counted */\n"
    "};\n"
    "\n"
    "/*\n"
    " * Lets it float, or *stops* it: -EINVAL.\n"
    " * Instead: solo_reactor_call_from_thread with a duck\n"
    " */\n"
    "SOLO_REACTOR_ONLY SOLO_PUBLIC int solo_duck_float(struct solo_duck *duck);\n"
    "SOLO_ANY_THREAD SOLO_PUBLIC int solo_duck_stop(struct solo_duck *duck) __attribute__((noreturn));\n"
    "\n"
    "#ifdef SOLO_CHECKS_CALLBACKS\n"
    "#define solo_duck_float(duck) nothing\n"
    "#endif\n"
    "#ifdef __cplusplus\n"
    "}\n"
    "#endif\n"
    "#endif\n";

static void write_pages(const char *writer)
{
    const char *file = support_write_file("include/solo/pond.h", header);
    support_shell(&output, "LC_ALL=C awk -v folder=%s -f docs/header.awk -f docs/%s.awk %s", runner_scratch_path(""),
                  writer, file);
    CU_ASSERT_EQUAL_FATAL(output.status, 0);
    CU_ASSERT_STRING_EQUAL(output.text, "");
}

static bool page_has(const char *page, const char *text)
{
    const char *content = support_read_file(runner_scratch_path(page));
    return content != NULL && strstr(content, text) != NULL;
}

static void test_docs__page_has_overview_types_and_functions(void)
{
    write_pages("reference");
    CU_ASSERT(page_has("pond.md", "# `#include <solo/pond.h>`\n\n**A pond of ducks**\n"));
    CU_ASSERT(page_has("pond.md", "```\nsolo_duck_float(duck);\n```\n"));
    CU_ASSERT(page_has("pond.md", "\n## Ducks\n"));
    CU_ASSERT(
        page_has("pond.md", "\nOne duck.\n\n```c\nstruct solo_duck {\n    int feathers; /* counted */\n};\n```\n"));
    CU_ASSERT(page_has("README.md", "| [solo/pond.h](pond.md) | a pond of ducks |"));
}

static void test_docs__functions_under_one_comment_share_a_section_and_keep_their_contracts(void)
{
    write_pages("reference");
    CU_ASSERT(page_has("pond.md", "### `solo_duck_float`, `solo_duck_stop`\n\n```c\n"
                                  "int solo_duck_float(struct solo_duck *duck);\n"
                                  "int solo_duck_stop(struct solo_duck *duck);\n```\n"));
    CU_ASSERT(page_has("pond.md", "**Contract of `solo_duck_float`: reactor-only.** Only the thread that owns"));
    CU_ASSERT(page_has("pond.md", "**Contract of `solo_duck_stop`: any thread.** Any thread may call it."));
    CU_ASSERT(page_has("pond.md", "or \\*stops\\* it"));
    CU_ASSERT(page_has("pond.md", "- **Instead**: solo_reactor_call_from_thread with a duck\n"));
}

static void test_docs__what_is_for_the_compiler_is_left_out(void)
{
    write_pages("reference");
    CU_ASSERT(!page_has("pond.md", "__cplusplus"));
    CU_ASSERT(!page_has("pond.md", "SOLO_POND_H"));
    CU_ASSERT(!page_has("pond.md", "nothing"));
    CU_ASSERT(!page_has("pond.md", "SOLO_PUBLIC"));
}

static void test_docs__each_function_has_a_man_page(void)
{
    write_pages("manual");
    CU_ASSERT(page_has("solo_duck_float.3", ".SH NAME\nsolo_duck_float \\- Lets it float, or *stops* it\n"));
    CU_ASSERT(page_has("solo_duck_float.3", ".SH CONTRACT\n.B reactor\\-only.\n"));
    CU_ASSERT(page_has("solo_duck_float.3", ".B Instead:\nsolo_reactor_call_from_thread with a duck\n"));
    CU_ASSERT(page_has("solo_duck_stop.3", ".SH CONTRACT\n.B any thread.\n"));
}

/* ---- Wrapping ---- */

#define LONG_TEXT                                                                                                      \
    "aaaaaaaaa bbbbbbbbb ccccccccc ddddddddd eeeeeeeee fffffffff ggggggggg hhhhhhhhh iiiiiiiii jjjjjjjjj kkkkkkkkk "   \
    "lll"

static const char *wrap(const char *text)
{
    support_shell(&output, "awk -f tests/check/wrap_comments.awk %s", support_write_file("x.c", text));
    return output.text;
}

static void test_docs__long_comment_goes_on_in_the_next_line_of_its_paragraph(void)
{
    CU_ASSERT_STRING_EQUAL(wrap("/*\n * " LONG_TEXT " mmmmmmmmm\n * n\n *\n * o\n */\n"),
                           "/*\n * " LONG_TEXT "\n * mmmmmmmmm n\n *\n * o\n */\n");
    CU_ASSERT_STRING_EQUAL(wrap("    /* " LONG_TEXT " mmmmmmmmm */\n"),
                           "    /*\n     * " LONG_TEXT "\n     * mmmmmmmmm\n     */\n");
}

static void test_docs__lines_that_are_read_to_their_end_and_code_are_not_wrapped(void)
{
    static const char notes[] = "/*\n * Instead: " LONG_TEXT " mmmmmmmmm\n *     " LONG_TEXT " n\n */\n";
    CU_ASSERT_STRING_EQUAL(wrap(notes), notes);
    static const char before_notes[] = "/*\n * " LONG_TEXT " mmmmmmmmm\n * Runs: fn\n */\n";
    CU_ASSERT_STRING_EQUAL(wrap(before_notes), "/*\n * " LONG_TEXT "\n * mmmmmmmmm\n * Runs: fn\n */\n");
}

void suite_docs(void)
{
    SOLO_SUITE("docs");
    SOLO_TEST(test_docs__page_has_overview_types_and_functions);
    SOLO_TEST(test_docs__functions_under_one_comment_share_a_section_and_keep_their_contracts);
    SOLO_TEST(test_docs__what_is_for_the_compiler_is_left_out);
    SOLO_TEST(test_docs__each_function_has_a_man_page);
    SOLO_TEST(test_docs__long_comment_goes_on_in_the_next_line_of_its_paragraph);
    SOLO_TEST(test_docs__lines_that_are_read_to_their_end_and_code_are_not_wrapped);
}
