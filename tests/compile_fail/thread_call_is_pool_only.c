/* expect: calling function 'look_up' requires holding role 'solo_role_pool' */
#include <solo/solo.h>

SOLO_POOL_ONLY void look_up(void *arg);
SOLO_REACTOR_ONLY void greet(void *arg);
SOLO_POOL_ONLY void job(struct solo_reactor *reactor);

SOLO_POOL_ONLY void job(struct solo_reactor *reactor)
{
#ifdef BROKEN
    (void)solo_reactor_call_from_thread(reactor, look_up, NULL, NULL);
#else
    (void)solo_reactor_call_from_thread(reactor, greet, NULL, NULL);
#endif
}
