/* expect: cannot call function 'save' while role 'solo_role_reactor' is held */
#include <solo/solo.h>

#ifdef BROKEN
SOLO_NOT_ON_REACTOR struct solo_deferred *save(void *arg);
#else
SOLO_REACTOR_ONLY struct solo_deferred *save(void *arg);
#endif
SOLO_REACTOR_ONLY int set_up(struct solo_reactor *reactor);

SOLO_REACTOR_ONLY int set_up(struct solo_reactor *reactor)
{
    return solo_reactor_add_trigger(reactor, SOLO_BEFORE, SOLO_SHUTDOWN, save, NULL, NULL, NULL);
}
