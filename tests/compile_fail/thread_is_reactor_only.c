/* expect: calling function 'serve' requires holding role 'solo_role_reactor' */
#include <solo/solo.h>

#ifdef BROKEN
SOLO_REACTOR_ONLY void serve(void *arg);
#else
void serve(void *arg);
#endif
SOLO_REACTOR_ONLY int begin(struct solo_thread **ret_thread);

SOLO_REACTOR_ONLY int begin(struct solo_thread **ret_thread)
{
    return solo_thread_create(serve, NULL, ret_thread);
}
