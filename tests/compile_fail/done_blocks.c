/* expect: cannot call function 'written' while role 'solo_role_reactor' is held */
#include <solo/solo.h>

SOLO_REACTOR_ONLY void greet(void *arg);
#ifdef BROKEN
SOLO_NOT_ON_REACTOR void written(int status, void *arg);
#else
SOLO_REACTOR_ONLY void written(int status, void *arg);
#endif
int begin(struct solo_reactor *reactor);

int begin(struct solo_reactor *reactor)
{
    return solo_reactor_call_from_thread(reactor, greet, NULL, written);
}
