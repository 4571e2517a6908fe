/* expect: cannot call function 'solo_blocking_call_from_thread' while role 'solo_role_reactor' is held */
#include <solo/solo.h>

SOLO_REACTOR_ONLY struct solo_result answer(void *arg);

#ifdef BROKEN
SOLO_REACTOR_ONLY int ask(struct solo_reactor *reactor);
SOLO_REACTOR_ONLY int ask(struct solo_reactor *reactor)
#else
SOLO_POOL_ONLY int ask(struct solo_reactor *reactor);
SOLO_POOL_ONLY int ask(struct solo_reactor *reactor)
#endif
{
    return solo_blocking_call_from_thread(reactor, answer, NULL, NULL);
}
