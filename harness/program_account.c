/* program_account.c - accounting for schedules of a program: by the fork server, or by the explorer after a twin. */
#include "program_account.h"
#include "ledger.h"
#include "subject.h"
#include "twin.h"

int solo__program_account(struct solo__region *region, int (*twin)(void *arg), void *arg)
{
    const struct solo_strategy *strategy = solo_strategy_find(region->request.strategy, NULL);
    if (!region->outcome.running && strategy->end != NULL) {
        strategy->end(&region->strategy, (int)region->outcome.ending);
    }
    region->ledger.next++;
    if (!solo__ledger_counts(region)) {
        return 0;
    }
    int result = twin != NULL && solo__twin_is_due(region, region->outcome.number) ? twin(arg) : 0;
    solo__outcome_close(region);
    (void)solo__ledger_account(region);
    bool only_one = region->ledger.choices == 0 && region->request.twin_every == 0; /* nothing can go another way */
    region->ledger.stop = only_one || region->ledger.killed >= SOLO__KILLED_MAX;
    return result;
}
