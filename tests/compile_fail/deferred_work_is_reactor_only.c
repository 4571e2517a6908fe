/* expect: calling function 'work' requires holding role 'solo_role_reactor' */
#include <solo/solo.h>

#ifdef BROKEN
SOLO_REACTOR_ONLY struct solo_result work(void *arg);
#else
SOLO_POOL_ONLY struct solo_result work(void *arg);
#endif
SOLO_REACTOR_ONLY int begin(struct solo_reactor *reactor, struct solo_deferred **ret_deferred);

SOLO_REACTOR_ONLY int begin(struct solo_reactor *reactor, struct solo_deferred **ret_deferred)
{
    return solo_defer_to_thread(reactor, work, NULL, ret_deferred);
}
