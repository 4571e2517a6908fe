/* required.c - from the counters of one schedule to what held in all of them. */
#include "required.h"
#include <solo/expect.h>
#include <string.h>

void solo__required_take(struct solo__outcome *outcome)
{
    char name[SOLO_EXPECT_NAME_MAX];
    unsigned wanted, happened;
    outcome->counter_count = 0;
    for (unsigned i = 0; solo_expectation_at(i, name, &wanted, &happened) == 0; i++) {
        if (wanted != 0 && outcome->counter_count < SOLO_EXPECT_MAX) {
            struct solo__counter *counter = &outcome->counters[outcome->counter_count++];
            memcpy(counter->name, name, sizeof counter->name);
            counter->wanted = wanted;
            counter->happened = happened;
        }
    }
}

/* The entry of this name, made if there is none; NULL if there is no room. */
static struct solo_required *find_or_add(struct solo__ledger *ledger, const char *name, uint32_t happened)
{
    for (uint32_t i = 0; i < ledger->required_count; i++) {
        if (strcmp(ledger->required[i].name, name) == 0) {
            return &ledger->required[i];
        }
    }
    if (ledger->required_count == SOLO_EXPECT_MAX) {
        return NULL;
    }
    struct solo_required *added = &ledger->required[ledger->required_count++];
    memset(added, 0, sizeof *added);
    memcpy(added->name, name, sizeof added->name);
    added->least = happened;
    return added;
}

void solo__required_account(struct solo__ledger *ledger, const struct solo__outcome *outcome)
{
    for (uint32_t i = 0; i < outcome->counter_count && i < SOLO_EXPECT_MAX; i++) {
        const struct solo__counter *counter = &outcome->counters[i];
        struct solo_required *required = find_or_add(ledger, counter->name, counter->happened);
        if (required != NULL) {
            required->wanted = counter->wanted > required->wanted ? counter->wanted : required->wanted;
            required->least = counter->happened < required->least ? counter->happened : required->least;
            required->schedules += counter->happened >= counter->wanted;
        }
    }
}

void solo__required_merge(struct solo__ledger *ledger, const struct solo__ledger *other)
{
    for (uint32_t i = 0; i < other->required_count; i++) {
        const struct solo_required *theirs = &other->required[i];
        struct solo_required *ours = find_or_add(ledger, theirs->name, theirs->least);
        if (ours != NULL) {
            ours->wanted = theirs->wanted > ours->wanted ? theirs->wanted : ours->wanted;
            ours->least = theirs->least < ours->least ? theirs->least : ours->least;
            ours->schedules += theirs->schedules;
        }
    }
}
