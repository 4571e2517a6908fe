/* expect: cannot call function 'got_page' while role 'solo_role_reactor' is held */
#include <solo/solo.h>

#ifdef BROKEN
SOLO_NOT_ON_REACTOR struct solo_result got_page(struct solo_result previous, void *arg);
#else
SOLO_REACTOR_ONLY struct solo_result got_page(struct solo_result previous, void *arg);
#endif
SOLO_REACTOR_ONLY int begin(struct solo_deferred *deferred);

SOLO_REACTOR_ONLY int begin(struct solo_deferred *deferred)
{
    return solo_deferred_add(deferred, got_page, NULL, NULL);
}
