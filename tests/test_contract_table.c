/*
 * test_contract_table.c - the generator of the contract table, and what it made of the public headers.
 */
#include "contract_ids.h"
#include "support.h"
#include <solo/contract.h>
#include <string.h>

extern const struct solo_contract solo__contracts[];
extern const unsigned solo__contracts_count;

static struct runner_output output;

/* Runs the generator on one header, solo/x.h, with this text. */
static const char *generate(const char *header)
{
    const char *file = support_write_file("include/solo/x.h", header);
    const char *table = runner_scratch_path("table.c");
    support_shell(&output, "LC_ALL=C awk -v table=%s -v ids=%s -f reactor/contract_table.awk %s", table,
                  runner_scratch_path("ids.h"), file);
    return support_read_file(table);
}

static bool has(const char *text, const char *what)
{
    return text != NULL && strstr(text, what) != NULL;
}

static void test_contract_table__row_has_word_header_line_and_notes(void)
{
    const char *table = generate("/* x.h - about. */\n"
                                 "\n"
                                 "/*\n"
                                 " * Does it.\n"
                                 " * Instead: say \"please\"\n"
                                 " * Runs: fn on the reactor thread.\n"
                                 " * Blocks.\n"
                                 " */\n"
                                 "SOLO_NOT_ON_REACTOR SOLO_PUBLIC int solo_do(int a,\n"
                                 "                                            int b);\n");
    CU_ASSERT_EQUAL(output.status, 0);
    CU_ASSERT(has(table, "{\"solo_do\", SOLO_CONTRACT_NOT_ON_REACTOR, \"solo/x.h\", 9, 1, \"say \\\"please\\\"\", "
                         "\"fn on the reactor thread\"},"));
    CU_ASSERT(has(table, "solo__contracts_count = 1;"));
}

static void test_contract_table__notes_reach_the_run_below_and_no_further(void)
{
    const char *table = generate("/* Blocks. */\n"
                                 "SOLO_ANY_THREAD SOLO_PUBLIC int solo_a(void);\n"
                                 "SOLO_ANY_THREAD SOLO_PUBLIC int solo_b(void);\n"
                                 "\n"
                                 "SOLO_ANY_THREAD SOLO_PUBLIC int solo_c(void);\n");
    CU_ASSERT(has(table, "{\"solo_a\", SOLO_CONTRACT_ANY_THREAD, \"solo/x.h\", 2, 1,"));
    CU_ASSERT(has(table, "{\"solo_b\", SOLO_CONTRACT_ANY_THREAD, \"solo/x.h\", 3, 1,"));
    CU_ASSERT(has(table, "{\"solo_c\", SOLO_CONTRACT_ANY_THREAD, \"solo/x.h\", 5, 0,"));
}

static void test_contract_table__rows_are_in_order_of_name(void)
{
    const char *table = generate("SOLO_POOL_ONLY SOLO_PUBLIC int solo_b(void);\n"
                                 "SOLO_REACTOR_ONLY SOLO_PUBLIC struct solo_world *solo_a(int solo_c);\n");
    CU_ASSERT(has(table, "\"solo_a\""));
    CU_ASSERT(strstr(table, "\"solo_a\"") < strstr(table, "\"solo_b\""));
    CU_ASSERT(!has(table, "\"solo_c\""));
    const char *ids = support_read_file(runner_scratch_path("ids.h"));
    CU_ASSERT(has(ids, "SOLO__FN_solo_a = 0,"));
    CU_ASSERT(has(ids, "SOLO__FN_solo_b = 1,"));
}

static void test_contract_table__words_in_comments_and_macros_are_no_prototypes(void)
{
    const char *table = generate("/*\n"
                                 "SOLO_ANY_THREAD SOLO_PUBLIC int solo_in_comment(void);\n"
                                 " */\n"
                                 "#define SOLO_ANY_THREAD\n"
                                 "typedef SOLO_ANY_THREAD int solo_type;\n");
    CU_ASSERT(has(table, "solo__contracts_count = 0;"));
}

static void test_contract_table__word_without_function_is_an_error(void)
{
    generate("SOLO_ANY_THREAD SOLO_PUBLIC int solo_variable;\n");
    CU_ASSERT_EQUAL(output.status, 1);
    CU_ASSERT(has(output.text, "x.h:1: a contract word without a function"));
}

static void test_contract_table__indexes_and_rows_agree(void)
{
    CU_ASSERT(solo__contracts_count > 100);
    CU_ASSERT_STRING_EQUAL(solo__contracts[SOLO__FN_solo_transport_write].function, "solo_transport_write");
    CU_ASSERT_EQUAL(solo__contracts[SOLO__FN_solo_transport_write].kind, SOLO_CONTRACT_REACTOR_ONLY);
    CU_ASSERT_STRING_EQUAL(solo__contracts[SOLO__FN_solo_transport_write].file, "solo/transport.h");
    CU_ASSERT_EQUAL(solo__contracts[SOLO__FN_solo_sleep].blocks, 1);
    CU_ASSERT_STRING_EQUAL(solo__contracts[SOLO__FN_solo_sleep].instead, "solo_reactor_call_later");
}

static void test_contract_table__what_blocks_is_not_on_the_reactor(void)
{
    for (unsigned i = 0; i < solo__contracts_count; i++) {
        const struct solo_contract *row = &solo__contracts[i];
        CU_ASSERT(row->blocks == (row->kind == SOLO_CONTRACT_NOT_ON_REACTOR));
        CU_ASSERT(i == 0 || strcmp(solo__contracts[i - 1].function, row->function) < 0);
    }
}

static void test_contract_table__what_is_named_instead_exists(void)
{
    for (unsigned i = 0; i < solo__contracts_count; i++) {
        const char *instead = solo__contracts[i].instead;
        bool found = *instead == '\0';
        for (unsigned j = 0; j < solo__contracts_count && !found; j++) {
            size_t size = strlen(solo__contracts[j].function);
            found = strncmp(instead, solo__contracts[j].function, size) == 0 && strchr(" ", instead[size]) != NULL;
        }
        CU_ASSERT(found);
        if (!found) {
            printf("%s: %s\n", solo__contracts[i].function, instead);
        }
    }
}

void suite_contract_table(void)
{
    SOLO_SUITE("contract_table");
    SOLO_TEST(test_contract_table__row_has_word_header_line_and_notes);
    SOLO_TEST(test_contract_table__notes_reach_the_run_below_and_no_further);
    SOLO_TEST(test_contract_table__rows_are_in_order_of_name);
    SOLO_TEST(test_contract_table__words_in_comments_and_macros_are_no_prototypes);
    SOLO_TEST(test_contract_table__word_without_function_is_an_error);
    SOLO_TEST(test_contract_table__indexes_and_rows_agree);
    SOLO_TEST(test_contract_table__what_blocks_is_not_on_the_reactor);
    SOLO_TEST(test_contract_table__what_is_named_instead_exists);
}
