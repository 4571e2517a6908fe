/* test_contract.c - reading the generated contract table. (test_contract_table.c tests how it is generated.) */
#include "guard.h"
#include "runner.h"
#include <string.h>

static void test_contract__the_table_is_in_order_of_name(void)
{
    unsigned count = 0;
    for (; solo_contract_at(count + 1) != NULL; count++) {
        CU_ASSERT_TRUE(strcmp(solo_contract_at(count)->function, solo_contract_at(count + 1)->function) < 0);
    }
    CU_ASSERT_TRUE(count > 50);
    CU_ASSERT_PTR_NULL(solo_contract_at(count + 2));
    CU_ASSERT_PTR_NULL(solo_contract_at(~0u));
}

static void test_contract__every_row_is_found_by_its_name(void)
{
    for (unsigned i = 0; solo_contract_at(i) != NULL; i++) {
        CU_ASSERT_PTR_EQUAL(solo_contract_find(solo_contract_at(i)->function), solo_contract_at(i));
    }
}

static void test_contract__an_unknown_name_is_not_found(void)
{
    CU_ASSERT_PTR_NULL(solo_contract_find("solo_transport_writ"));
    CU_ASSERT_PTR_NULL(solo_contract_find("solo_transport_write_"));
    CU_ASSERT_PTR_NULL(solo_contract_find(""));
    CU_ASSERT_PTR_NULL(solo_contract_find("zzz"));
    CU_ASSERT_PTR_NULL(solo_contract_find(NULL));
}

static void test_contract__indexes_and_rows_agree(void)
{
    CU_ASSERT_STRING_EQUAL(solo__contract_row(SOLO__FN_solo_transport_write)->function, "solo_transport_write");
    CU_ASSERT_STRING_EQUAL(solo__contract_row(SOLO__FN_solo_reactor_stop)->function, "solo_reactor_stop");
    CU_ASSERT_PTR_NULL(solo__contract_row(SOLO__FN_NONE));
}

static void test_contract__a_row_says_what_the_header_says(void)
{
    const struct solo_contract *row = solo_contract_find("solo_sleep");
    CU_ASSERT_PTR_NOT_NULL_FATAL(row);
    CU_ASSERT_EQUAL(row->kind, SOLO_CONTRACT_NOT_ON_REACTOR);
    CU_ASSERT_STRING_EQUAL(row->file, "solo/thread.h");
    CU_ASSERT_EQUAL(row->blocks, 1);
    CU_ASSERT_STRING_EQUAL(row->instead, "solo_reactor_call_later");
    CU_ASSERT_STRING_EQUAL(solo_contract_find("solo_thread_create")->runs, "fn on the new thread");
    CU_ASSERT_EQUAL(solo_contract_find("solo_reactor_run")->kind, SOLO_CONTRACT_REACTOR_ONLY);
    CU_ASSERT_EQUAL(solo_contract_find("solo_now")->kind, SOLO_CONTRACT_ANY_THREAD);
}

static void test_contract__kinds_have_names(void)
{
    CU_ASSERT_STRING_EQUAL(solo_contract_kind_name(SOLO_CONTRACT_REACTOR_ONLY), "reactor-only");
    CU_ASSERT_STRING_EQUAL(solo_contract_kind_name(SOLO_CONTRACT_ANY_THREAD), "any thread");
    CU_ASSERT_STRING_EQUAL(solo_contract_kind_name(SOLO_CONTRACT_NOT_ON_REACTOR), "not on the reactor thread");
    CU_ASSERT_STRING_EQUAL(solo_contract_kind_name(SOLO_CONTRACT_POOL_ONLY), "pool only");
    CU_ASSERT_STRING_EQUAL(solo_contract_kind_name((enum solo_contract_kind)99), "any thread");
}

void suite_contract(void)
{
    SOLO_SUITE("contract");
    SOLO_TEST(test_contract__the_table_is_in_order_of_name);
    SOLO_TEST(test_contract__every_row_is_found_by_its_name);
    SOLO_TEST(test_contract__an_unknown_name_is_not_found);
    SOLO_TEST(test_contract__indexes_and_rows_agree);
    SOLO_TEST(test_contract__a_row_says_what_the_header_says);
    SOLO_TEST(test_contract__kinds_have_names);
}
