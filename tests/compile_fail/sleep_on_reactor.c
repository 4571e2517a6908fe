/* expect: cannot call function 'solo_sleep' while role 'solo_role_reactor' is held */
#include <solo/solo.h>

SOLO_REACTOR_ONLY void connection_made(struct solo_reactor *reactor);
SOLO_REACTOR_ONLY void ready(void *arg);

SOLO_REACTOR_ONLY void connection_made(struct solo_reactor *reactor)
{
#ifdef BROKEN
    (void)solo_sleep(2000000000);
#endif
    (void)solo_reactor_call_later(reactor, 2000000000, ready, NULL, NULL, NULL);
}
