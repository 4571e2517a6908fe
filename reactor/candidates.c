/* candidates.c - addresses of both families, in turn. */
#include "candidates.h"
#include <assert.h>
#include <string.h>

size_t solo__candidates_left(const struct solo__candidates *candidates)
{
    return candidates->addresses.count + candidates->addresses.count6 - candidates->tried;
}

struct solo_address solo__candidates_next(struct solo__candidates *candidates)
{
    const struct solo_addresses *all = &candidates->addresses;
    size_t in_turn = 2 * (all->count < all->count6 ? all->count : all->count6);
    size_t nth = candidates->tried++;
    assert(nth < all->count + all->count6);
    bool is_inet6 = nth < in_turn ? nth % 2 == 0 : all->count6 > all->count;
    size_t index = nth < in_turn ? nth / 2 : nth - in_turn / 2;
    struct solo_address address = {.family = is_inet6 ? SOLO_INET6 : SOLO_INET, .port = candidates->port};
    if (is_inet6) {
        memcpy(address.host6, all->addresses6[index], sizeof address.host6);
    } else {
        address.host = all->addresses[index];
    }
    return address;
}
