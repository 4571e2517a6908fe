/*
 * contract.c - reading the contract table that the build generates from the public headers; its rows are sorted by
 * name.
 */
#include "guard.h"
#include <string.h>

extern const struct solo_contract solo__contracts[];
extern const unsigned solo__contracts_count;

/*
 * The roles of clang's compile-time check, which kit sources are not compiled with. Nobody reads or writes them, but a
 * reference to one must link.
 */
extern int solo_role_reactor, solo_role_pool;
SOLO_PUBLIC int solo_role_reactor;
SOLO_PUBLIC int solo_role_pool;

const struct solo_contract *solo_contract_find(const char *function)
{
    unsigned low = 0;
    unsigned high = function != NULL ? solo__contracts_count : 0;
    while (low < high) {
        unsigned middle = low + (high - low) / 2;
        int order = strcmp(function, solo__contracts[middle].function);
        if (order == 0) {
            return &solo__contracts[middle];
        }
        if (order < 0) {
            high = middle;
        } else {
            low = middle + 1;
        }
    }
    return NULL;
}

const struct solo_contract *solo_contract_at(unsigned index)
{
    return index < solo__contracts_count ? &solo__contracts[index] : NULL;
}

const struct solo_contract *solo__contract_row(unsigned function)
{
    return solo_contract_at(function);
}

const char *solo_contract_kind_name(enum solo_contract_kind kind)
{
    switch (kind) {
    case SOLO_CONTRACT_REACTOR_ONLY: return "reactor-only";
    case SOLO_CONTRACT_NOT_ON_REACTOR: return "not on the reactor thread";
    case SOLO_CONTRACT_POOL_ONLY: return "pool only";
    case SOLO_CONTRACT_ANY_THREAD: break;
    }
    return "any thread";
}
