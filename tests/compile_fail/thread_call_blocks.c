/* expect: cannot call function 'fetch' while role 'solo_role_reactor' is held */
#include <solo/solo.h>

SOLO_NOT_ON_REACTOR void fetch(void *arg);
SOLO_REACTOR_ONLY void greet(void *arg);
SOLO_POOL_ONLY void look_up(struct solo_reactor *reactor);

SOLO_POOL_ONLY void look_up(struct solo_reactor *reactor)
{
#ifdef BROKEN
    (void)solo_reactor_call_from_thread(reactor, fetch, NULL, NULL);
#endif
    (void)solo_reactor_call_from_thread(reactor, greet, NULL, NULL);
    (void)solo_reactor_call_in_thread(reactor, fetch, NULL, NULL);
    fetch(NULL);
}
