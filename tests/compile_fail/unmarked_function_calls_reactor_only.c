/* expect: calling function 'solo_reactor_stop' requires holding role 'solo_role_reactor' */
#include <solo/solo.h>

void quit(void *reactor);

#ifdef BROKEN
void quit(void *reactor)
{
    (void)solo_reactor_stop(reactor);
}
#else
static SOLO_REACTOR_ONLY void stop(void *reactor)
{
    (void)solo_reactor_stop(reactor);
}

void quit(void *reactor)
{
    (void)solo_reactor_call_from_thread(reactor, stop, reactor, NULL);
}
#endif
