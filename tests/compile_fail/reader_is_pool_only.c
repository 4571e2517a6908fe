/* expect: calling function 'on_ready' requires holding role 'solo_role_pool' */
#include <solo/solo.h>

#ifdef BROKEN
SOLO_POOL_ONLY void on_ready(int fd, void *arg);
#else
SOLO_REACTOR_ONLY void on_ready(int fd, void *arg);
#endif
SOLO_REACTOR_ONLY int watch(struct solo_reactor *reactor, int fd);

SOLO_REACTOR_ONLY int watch(struct solo_reactor *reactor, int fd)
{
    int e = solo_reactor_add_reader(reactor, fd, on_ready, NULL);
    return e < 0 ? e : solo_reactor_add_writer(reactor, fd, on_ready, NULL);
}
