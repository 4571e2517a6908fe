/* expect: calling function 'greet' requires holding role 'solo_role_reactor' */
#include <solo/solo.h>

SOLO_REACTOR_ONLY void greet(void *arg);
SOLO_POOL_ONLY void look_up(void *arg);
SOLO_REACTOR_ONLY void line_received(struct solo_reactor *reactor);

/* The caller has the reactor's role, the job will not: that is what the registration must not confuse. */
SOLO_REACTOR_ONLY void line_received(struct solo_reactor *reactor)
{
#ifdef BROKEN
    (void)solo_reactor_call_in_thread(reactor, greet, NULL, NULL);
#endif
    (void)solo_reactor_call_in_thread(reactor, look_up, NULL, NULL);
    greet(NULL);
}
