/*
 * oracle_expect.c - SOLO013: what the program declared with solo_must_happen, and what never did: a pass that
 * proves nothing.
 */
#include "oracle_internal.h"
#include <solo/expect.h>

void solo__oracle_expect_end(void)
{
    char name[SOLO_EXPECT_NAME_MAX];
    unsigned wanted, happened;
    for (unsigned i = 0; solo_expectation_at(i, name, &wanted, &happened) == 0; i++) {
        if (happened >= wanted) {
            continue;
        }
        struct solo_violation *violation = solo__oracle_find(SOLO013_NEVER_HAPPENED, NULL, NULL);
        if (violation == NULL) {
            return;
        }
        ORACLE_TEXT(violation->object, "%s", name);
        violation->thread[0] = violation->role[0] = violation->job[0] = violation->queued_by[0] =
            '\0'; /* nobody did it */
        violation->queued_stack.count = 0;
        violation->amount = wanted - happened;
        if (happened == 0) {
            ORACLE_TEXT(violation->text, "`%s` had to happen and never did", name);
        } else {
            ORACLE_TEXT(violation->text, "`%s` had to happen %u times and happened %u", name, wanted, happened);
        }
        ORACLE_TEXT(violation->help, "%s",
                    "without it this run proves nothing: follow the steps to where it should have happened");
    }
}
